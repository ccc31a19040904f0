//! Attempts: kept, read, and forgotten after a while.

use std::time::Duration;

use payonce_core::{
    UnixMillis,
    delivery::EndpointId,
    store::{
        Position, codes,
        delivery::{AttemptView, Settled},
        prune::{Looked, Window},
    },
};
use rusqlite::{Connection, params};

use super::{limit_of, now};
use crate::{
    leases::millis,
    rows::{RowError, known, read},
};

pub(super) fn keep(
    connection: &Connection,
    Settled { taken, attempt, .. }: &Settled,
    number: u32,
    now: i64,
) -> Result<(), RowError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO attempt (endpoint_id, position, number, begun_at, took_ms, status, fault, headers, body) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    let (status, fault) = codes::answer_columns(attempt.answer);
    insert.execute(params![
        taken.endpoint.0,
        taken.position.0,
        number,
        now.saturating_sub(millis(attempt.ago)),
        millis(attempt.took),
        status,
        fault,
        attempt.headers,
        attempt.body,
    ])?;
    Ok(())
}

pub(super) fn of_message(
    connection: &Connection,
    endpoint: EndpointId,
    position: Position,
    limit: usize,
) -> Result<Vec<AttemptView>, RowError> {
    let mut select = connection.prepare_cached(
        "SELECT number, begun_at, took_ms, status, fault, headers, body FROM attempt \
         WHERE position = ?1 AND endpoint_id = ?2 ORDER BY id DESC LIMIT ?3",
    )?;
    let mut found = select.query([position.0, endpoint.0, limit_of(limit)])?;
    let mut views = Vec::new();
    while let Some(row) = found.next()? {
        let fault = row.get::<_, Option<String>>(4)?;
        views.push(AttemptView {
            number: read("attempt.number", u32::try_from(row.get::<_, i64>(0)?))?,
            begun_at: UnixMillis(row.get(1)?),
            took: Duration::from_millis(row.get::<_, i64>(2)?.unsigned_abs()),
            answer: known("attempt.status", codes::answer(row.get(3)?, fault.as_deref()))?,
            headers: row.get(5)?,
            body: row.get(6)?,
        });
    }
    Ok(views)
}

pub(super) fn prune(
    connection: &Connection,
    looked: &Looked,
    age: Duration,
    rows_max: usize,
) -> Result<usize, RowError> {
    let before = now(connection)?.saturating_sub(millis(age));
    let mut windows = looked.windows(rows_max);
    while let Some((after, limit)) = windows.next() {
        windows.found(forget_old(connection, before, after, limit)?);
    }
    let mut orphans = connection.prepare_cached(
        "DELETE FROM delivery WHERE (endpoint_id, position) IN \
           (SELECT d.endpoint_id, d.position FROM endpoint e CROSS JOIN delivery d ON d.endpoint_id = e.id \
            WHERE e.state = 4 LIMIT ?1)",
    )?;
    Ok(windows.gone().max(orphans.execute([limit_of(rows_max)])?))
}

/// Deletes what is old among up to `limit` rows after one.
fn forget_old(connection: &Connection, before: i64, after: i64, limit: usize) -> Result<Window, RowError> {
    let mut look = connection.prepare_cached(
        "SELECT count(*), coalesce(max(id), 0) FROM (SELECT id FROM attempt WHERE id > ?1 ORDER BY id LIMIT ?2)",
    )?;
    let (rows, last) = look.query_row([after, limit_of(limit)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut forget =
        connection.prepare_cached("DELETE FROM attempt WHERE id > ?1 AND id <= ?2 AND begun_at < ?3")?;
    let gone = forget.execute([after, last, before])?;
    Ok(Window::of(rows, last, gone as u64))
}
