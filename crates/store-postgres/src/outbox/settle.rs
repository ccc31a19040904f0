//! Settling: what came of deliveries that were taken. A constant number of statements, however many there are.

use std::collections::BTreeSet;

use payonce_core::{
    StoreError,
    delivery::Next,
    order::OrderId,
    store::{
        Owner,
        codes::delivery_state_code,
        delivery::{DeliveryState, Health, Settled, Taken},
    },
};
use sqlx::PgConnection;

use super::{attempts, attempts_of, began, order};
use crate::{
    errors::class,
    leases::{millis, now},
    rows::{code, column, count, known, value},
};

pub(super) async fn settle(
    connection: &mut PgConnection,
    owner: &Owner,
    settled: &[Settled],
) -> Result<Vec<Taken>, StoreError> {
    // Order matters: endpoints are locked before deliveries.
    note_health(connection, settled).await?;
    let held = lock_held(connection, owner, settled).await?;
    attempts::keep(connection, &held).await?;
    delete_delivered(connection, &held).await?;
    move_on(connection, &held).await?;
    let_followers_wait(connection, &held).await?;
    let ours: BTreeSet<Taken> = held.iter().map(|held| held.settled.taken).collect();
    Ok(settled.iter().map(|settled| settled.taken).filter(|taken| !ours.contains(taken)).collect())
}

/// A delivery that its owner still has.
pub(super) struct Held<'a> {
    pub settled: &'a Settled,
    /// The number of the attempt.
    pub number: u32,
    /// Its order and its number there, if the endpoint asks for order.
    front_of: Option<(OrderId, u32)>,
}

impl Held<'_> {
    /// How long until it is due.
    fn pause(&self) -> i64 {
        match self.settled.next {
            Next::Again { after } => millis(after),
            Next::Delivered | Next::Exhausted | Next::Gone => 0,
        }
    }
}

/// Writes how the endpoints do, where that changes.
async fn note_health(connection: &mut PgConnection, settled: &[Settled]) -> Result<(), StoreError> {
    const NOTE: &str = concat!(
        "WITH changing AS (SELECT e.id, c.succeeds, c.is_gone AND e.state = 0 AS goes \
           FROM unnest($1::bigint[], $2::boolean[], $3::boolean[]) AS c (id, succeeds, is_gone) \
           JOIN payonce.endpoint e ON e.id = c.id \
           WHERE c.succeeds = (e.failing_since IS NOT NULL) OR (c.is_gone AND e.state = 0) \
           ORDER BY e.id FOR UPDATE OF e) \
         UPDATE payonce.endpoint e SET \
           failing_since = CASE WHEN c.succeeds THEN NULL ELSE coalesce(e.failing_since, ",
        now!(),
        ") END, state = CASE WHEN c.goes THEN 2 ELSE e.state END, state_since = CASE WHEN c.goes THEN ",
        now!(),
        " ELSE e.state_since END FROM changing c WHERE e.id = c.id"
    );
    let health = Health::of(settled);
    let health: Vec<&Health> = health.iter().collect();
    sqlx::query(NOTE)
        .bind(column(&health, |health| health.endpoint.0))
        .bind(column(&health, |health| health.succeeds))
        .bind(column(&health, |health| health.is_gone))
        .execute(connection)
        .await
        .map(drop)
        .map_err(class)
}

/// Locks what `owner` still has, each once.
async fn lock_held<'a>(
    connection: &mut PgConnection,
    owner: &Owner,
    settled: &'a [Settled],
) -> Result<Vec<Held<'a>>, StoreError> {
    let lock = sqlx::query(
        "SELECT c.place, d.attempts, d.order_id, d.sequence, e.ordered \
         FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) WITH ORDINALITY \
           AS c (endpoint_id, position, token, place) \
         JOIN payonce.delivery d ON d.endpoint_id = c.endpoint_id AND d.position = c.position \
         JOIN payonce.endpoint e ON e.id = d.endpoint_id \
         WHERE d.taken_by = $1 AND d.token = c.token ORDER BY d.endpoint_id, d.position, c.place FOR UPDATE OF d",
    );
    let all: Vec<&Settled> = settled.iter().collect();
    let found = lock
        .bind(owner.0.as_str())
        .bind(column(&all, |settled| settled.taken.endpoint.0))
        .bind(column(&all, |settled| settled.taken.position.0))
        .bind(column(&all, |settled| settled.taken.token))
        .fetch_all(connection)
        .await
        .map_err(class)?;
    let mut held: Vec<Held<'_>> = Vec::with_capacity(found.len());
    for row in &found {
        let place = usize::try_from(value::<i64>(row, 0)? - 1).ok();
        let settled = known("place", place.and_then(|place| settled.get(place)))?;
        if held.last().is_some_and(|last| last.settled.taken == settled.taken) {
            continue;
        }
        let front_of = if value(row, 4)? { order(row, 2)? } else { None };
        held.push(Held { settled, number: attempts_of(row, 1)? + 1, front_of });
    }
    Ok(held)
}

async fn delete_delivered(connection: &mut PgConnection, held: &[Held<'_>]) -> Result<(), StoreError> {
    let gone: Vec<&Held<'_>> = held.iter().filter(|held| held.settled.next == Next::Delivered).collect();
    if gone.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "DELETE FROM payonce.delivery d USING unnest($1::bigint[], $2::bigint[]) AS c (endpoint_id, position) \
         WHERE d.endpoint_id = c.endpoint_id AND d.position = c.position",
    )
    .bind(column(&gone, |held| held.settled.taken.endpoint.0))
    .bind(column(&gone, |held| held.settled.taken.position.0))
    .execute(connection)
    .await
    .map(drop)
    .map_err(class)
}

/// Writes when the others are due, or that they are exhausted.
async fn move_on(connection: &mut PgConnection, held: &[Held<'_>]) -> Result<(), StoreError> {
    const MOVE: &str = concat!(
        "UPDATE payonce.delivery d SET attempts = d.attempts + 1, taken_by = NULL, state = c.state, due_at = ",
        began!(),
        " + c.pause FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::smallint[]) \
           AS c (endpoint_id, position, pause, state) \
         WHERE d.endpoint_id = c.endpoint_id AND d.position = c.position"
    );
    let kept: Vec<&Held<'_>> = held.iter().filter(|held| held.settled.next != Next::Delivered).collect();
    if kept.is_empty() {
        return Ok(());
    }
    let state = |held: &Held<'_>| match held.settled.next {
        Next::Exhausted => DeliveryState::Exhausted,
        Next::Delivered | Next::Again { .. } | Next::Gone => DeliveryState::Pending,
    };
    sqlx::query(MOVE)
        .bind(column(&kept, |held| held.settled.taken.endpoint.0))
        .bind(column(&kept, |held| held.settled.taken.position.0))
        .bind(column(&kept, |held| held.pause()))
        .bind(column(&kept, |held| code(delivery_state_code(state(held)))))
        .execute(connection)
        .await
        .map(drop)
        .map_err(class)
}

/// Lets the later messages of an order be due when the one in front is, so that nobody looks at them before. What is due
/// already, and may go on, is not written.
async fn let_followers_wait(connection: &mut PgConnection, held: &[Held<'_>]) -> Result<(), StoreError> {
    const WAIT: &str = concat!(
        "UPDATE payonce.delivery d SET due_at = ",
        began!(),
        " + c.pause FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::bigint[]) \
           AS c (endpoint_id, order_id, sequence, pause) \
         WHERE d.endpoint_id = c.endpoint_id AND d.order_id = c.order_id AND d.sequence > c.sequence \
         AND d.state + 0 = 0 AND d.attempts = 0 AND d.taken_by IS NULL AND (c.pause > 0 OR d.due_at > ",
        began!(),
        ")"
    );
    let front = held.iter().filter_map(|held| Some((held, held.front_of?)));
    let front: Vec<_> = front.collect();
    let front: Vec<&_> = front.iter().collect();
    if front.is_empty() {
        return Ok(());
    }
    sqlx::query(WAIT)
        .bind(column(&front, |(held, _)| held.settled.taken.endpoint.0))
        .bind(column(&front, |(_, (order, _))| order.0))
        .bind(column(&front, |(_, (_, sequence))| count(*sequence)))
        .bind(column(&front, |(held, _)| held.pause()))
        .execute(connection)
        .await
        .map(drop)
        .map_err(class)
}
