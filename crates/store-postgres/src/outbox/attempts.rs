//! Attempts: kept, read, and forgotten after a while.

use std::time::Duration;

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
use sqlx::{PgConnection, postgres::PgRow};

use super::{began, settle::Held};
use crate::{
    errors::class,
    leases::millis,
    rows::{column, count, known, limit_of, read, storable, value},
};

pub(super) async fn keep(connection: &mut PgConnection, held: &[Held<'_>]) -> Result<(), StoreError> {
    const KEEP: &str = concat!(
        "INSERT INTO payonce.attempt \
           (endpoint_id, position, number, begun_at, took_ms, status, fault, headers, body) \
         SELECT c.endpoint_id, c.position, c.number, ",
        began!(),
        " - c.ago, c.took_ms, c.status, c.fault, c.headers, c.body FROM unnest($1::bigint[], $2::bigint[], \
           $3::integer[], $4::bigint[], $5::bigint[], $6::integer[], $7::text[], $8::text[], $9::bytea[]) \
           AS c (endpoint_id, position, number, ago, took_ms, status, fault, headers, body)"
    );
    if held.is_empty() {
        return Ok(());
    }
    let held: Vec<&Held<'_>> = held.iter().collect();
    sqlx::query(KEEP)
        .bind(column(&held, |held| held.settled.taken.endpoint.0))
        .bind(column(&held, |held| held.settled.taken.position.0))
        .bind(column(&held, |held| count(held.number)))
        .bind(column(&held, |held| millis(held.settled.attempt.ago)))
        .bind(column(&held, |held| millis(held.settled.attempt.took)))
        .bind(column(&held, |held| answer_columns(held.settled.attempt.answer).0.map(i32::from)))
        .bind(column(&held, |held| answer_columns(held.settled.attempt.answer).1))
        .bind(column(&held, |held| storable(&held.settled.attempt.headers)))
        .bind(column(&held, |held| held.settled.attempt.body.as_slice()))
        .execute(connection)
        .await
        .map(drop)
        .map_err(class)
}

pub(super) async fn of_message(
    connection: &mut PgConnection,
    endpoint: EndpointId,
    position: Position,
    limit: usize,
) -> Result<Vec<AttemptView>, StoreError> {
    let select = sqlx::query(
        "SELECT number, begun_at, took_ms, status::bigint, fault, headers, body FROM payonce.attempt \
         WHERE position = $1 AND endpoint_id = $2 ORDER BY id DESC LIMIT $3",
    );
    let select = select.bind(position.0).bind(endpoint.0).bind(limit_of(limit));
    let view = |row: &PgRow| {
        Ok(AttemptView {
            number: read("attempt.number", u32::try_from(value::<i32>(row, 0)?))?,
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
    connection: &mut PgConnection,
    looked: &Looked,
    age: Duration,
    rows_max: usize,
) -> Result<usize, StoreError> {
    const LOOK: &str = concat!(
        "SELECT count(*), coalesce(max(id), 0), count(*) FILTER (WHERE begun_at < ",
        began!(),
        " - $1) FROM (SELECT id, begun_at FROM payonce.attempt WHERE id > $2 ORDER BY id LIMIT $3) AS looked"
    );
    const FORGET: &str =
        concat!("DELETE FROM payonce.attempt WHERE id > $2 AND id <= $3 AND begun_at < ", began!(), " - $1");
    const ORPHANS: &str = "DELETE FROM payonce.delivery WHERE (endpoint_id, position) IN \
         (SELECT d.endpoint_id, d.position FROM payonce.endpoint e JOIN payonce.delivery d ON d.endpoint_id = e.id \
          WHERE e.state = 4 LIMIT $1)";
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
    let orphans = sqlx::query(ORPHANS).bind(limit_of(rows_max)).execute(connection).await.map_err(class)?;
    Ok(windows.gone().max(usize::try_from(orphans.rows_affected()).unwrap_or(usize::MAX)))
}
