//! Attempts: kept, read, and forgotten after a while.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use payonce_core::{
    StoreError, UnixMillis,
    delivery::EndpointId,
    store::{
        Position,
        codes::{self, answer_columns},
        delivery::AttemptView,
        prune::{Looked, Window},
    },
};
use sqlx::{MySqlConnection, mysql::MySqlRow};

use super::settle::Held;
use crate::{
    errors::class,
    leases::{millis, now},
    rows::{ascii, free_text, json, json_table, known, limit_of, portions, read, value},
};

pub(super) async fn keep(connection: &mut MySqlConnection, held: &[Held<'_>]) -> Result<(), StoreError> {
    const KEEP: &str = concat!(
        "INSERT INTO payonce_attempt \
           (endpoint_id, position, number, begun_at, took_ms, status, fault, headers, body) \
         SELECT j.endpoint_id, j.position, j.number, ",
        now!(),
        " - j.ago, j.took_ms, j.status, j.fault, j.headers, FROM_BASE64(j.body) FROM ",
        json_table!(
            "endpoint_id" "BIGINT", 0; "position" "BIGINT", 1; "number" "INT", 2; "ago" "BIGINT", 3;
            "took_ms" "BIGINT", 4; "status" "INT", 5; "fault" ascii!(32), 6; "headers" free_text!(), 7;
            "body" free_text!(), 8
        )
    );
    let bytes = |held: &Held<'_>| held.settled.attempt.headers.len() + held.settled.attempt.body.len();
    for portion in portions(held, bytes) {
        let rows = json(portion.iter().map(|held| {
            let (taken, attempt) = (&held.settled.taken, &held.settled.attempt);
            let (status, fault) = answer_columns(attempt.answer);
            (
                taken.endpoint.0,
                taken.position.0,
                held.number,
                millis(attempt.ago),
                millis(attempt.took),
                status,
                fault,
                &attempt.headers,
                BASE64_STANDARD.encode(&attempt.body),
            )
        }));
        sqlx::query(KEEP).bind(rows).execute(&mut *connection).await.map_err(class)?;
    }
    Ok(())
}

pub(super) async fn of_message(
    connection: &mut MySqlConnection,
    endpoint: EndpointId,
    position: Position,
    limit: usize,
) -> Result<Vec<AttemptView>, StoreError> {
    let select = sqlx::query(
        "SELECT number, begun_at, took_ms, status, fault, headers, body FROM payonce_attempt \
         WHERE position = ? AND endpoint_id = ? ORDER BY id DESC LIMIT ?",
    );
    let select = select.bind(position.0).bind(endpoint.0).bind(limit_of(limit));
    let view = |row: &MySqlRow| {
        Ok(AttemptView {
            number: read("attempt.number", u32::try_from(value::<i64>(row, 0)?))?,
            begun_at: UnixMillis(value(row, 1)?),
            took: Duration::from_millis(value::<i64>(row, 2)?.unsigned_abs()),
            answer: known("attempt.status", codes::answer(value(row, 3)?, value(row, 4)?))?,
            headers: value(row, 5)?,
            body: value(row, 6)?,
        })
    };
    select.fetch_all(connection).await.map_err(class)?.iter().map(view).collect()
}

pub(super) async fn prune(
    connection: &mut MySqlConnection,
    looked: &Looked,
    age: Duration,
    rows_max: usize,
) -> Result<usize, StoreError> {
    const LOOK: &str = concat!(
        "SELECT COUNT(*), COALESCE(MAX(id), 0), COUNT(IF(begun_at < ",
        now!(),
        " - ?, 1, NULL)) FROM (SELECT id, begun_at FROM payonce_attempt WHERE id > ? ORDER BY id LIMIT ?) looked"
    );
    const FORGET: &str =
        concat!("DELETE FROM payonce_attempt WHERE begun_at < ", now!(), " - ? AND id > ? AND id <= ?");
    let mut windows = looked.windows(rows_max);
    while let Some((after, limit)) = windows.next() {
        let look = sqlx::query(LOOK).bind(millis(age)).bind(after).bind(limit_of(limit));
        let row = look.fetch_one(&mut *connection).await.map_err(class)?;
        let (rows, last, old): (i64, i64, i64) = (value(&row, 0)?, value(&row, 1)?, value(&row, 2)?);
        let mut gone = 0;
        if old > 0 {
            let forget = sqlx::query(FORGET).bind(millis(age)).bind(after).bind(last);
            gone = forget.execute(&mut *connection).await.map_err(class)?.rows_affected();
        }
        windows.found(Window::of(rows, last, gone));
    }
    Ok(windows.gone().max(forget_orphans(connection, rows_max).await?))
}

/// Deletes what was due to one of the endpoints that are removed: a statement that deletes cannot look several up.
async fn forget_orphans(connection: &mut MySqlConnection, rows_max: usize) -> Result<usize, StoreError> {
    const ONE: &str = "SELECT e.id FROM payonce_endpoint e WHERE e.state = 4 \
         AND EXISTS (SELECT 1 FROM payonce_delivery d WHERE d.endpoint_id = e.id) LIMIT 1";
    let removed: Option<i64> =
        sqlx::query_scalar(ONE).fetch_optional(&mut *connection).await.map_err(class)?;
    let Some(removed) = removed else { return Ok(0) };
    let forget = sqlx::query("DELETE FROM payonce_delivery WHERE endpoint_id = ? ORDER BY position LIMIT ?");
    let gone = forget.bind(removed).bind(limit_of(rows_max)).execute(connection).await.map_err(class)?;
    Ok(usize::try_from(gone.rows_affected()).unwrap_or(usize::MAX))
}
