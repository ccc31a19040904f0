//! Settling: what came of deliveries that were taken. A constant number of statements, however many there are.

use std::collections::{BTreeMap, BTreeSet};

use payonce_core::{
    StoreError,
    delivery::{EndpointId, Next},
    order::OrderId,
    store::{
        Owner,
        codes::delivery_state_code,
        delivery::{DeliveryState, Health, Settled, Taken},
    },
};
use sqlx::MySqlConnection;

use super::{attempts, attempts_of, order};
use crate::{
    errors::class,
    leases::{millis, now},
    rows::{json, json_table, row_at, value},
};

pub(super) async fn settle(
    connection: &mut MySqlConnection,
    owner: &Owner,
    settled: &[Settled],
) -> Result<Vec<Taken>, StoreError> {
    // Order matters: endpoints are locked before deliveries.
    let health = Health::of(settled);
    note_health(connection, &health).await?;
    let ordered = ordered(connection, &health).await?;
    let held = lock_held(connection, owner, settled, &ordered).await?;
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

    fn key(&self) -> (i64, i64) {
        (self.settled.taken.endpoint.0, self.settled.taken.position.0)
    }
}

/// Writes how the endpoints do, where that changes.
async fn note_health(connection: &mut MySqlConnection, health: &[Health]) -> Result<(), StoreError> {
    const FAILING: &str = concat!(
        "UPDATE ",
        json_table!("id" "BIGINT", 0; "succeeds" "INT", 1),
        " STRAIGHT_JOIN payonce_endpoint e FORCE INDEX (PRIMARY) ON e.id = j.id \
         SET e.failing_since = IF(j.succeeds = 1, NULL, ",
        now!(),
        ") WHERE (j.succeeds = 1) = (e.failing_since IS NOT NULL)"
    );
    const GONE: &str = concat!(
        "UPDATE ",
        json_table!("id" "BIGINT", 0),
        " STRAIGHT_JOIN payonce_endpoint e FORCE INDEX (PRIMARY) ON e.id = j.id SET e.state = 2, e.state_since = ",
        now!(),
        " WHERE e.state = 0"
    );
    let rows = json(health.iter().map(|health| (health.endpoint.0, u8::from(health.succeeds))));
    sqlx::query(FAILING).bind(rows).execute(&mut *connection).await.map_err(class)?;
    if health.iter().any(|health| health.is_gone) {
        let gone = health.iter().filter(|health| health.is_gone);
        let gone = json(gone.map(|health| (health.endpoint.0,)));
        sqlx::query(GONE).bind(gone).execute(connection).await.map_err(class)?;
    }
    Ok(())
}

/// Which of the endpoints ask for order.
async fn ordered(
    connection: &mut MySqlConnection,
    health: &[Health],
) -> Result<BTreeMap<EndpointId, bool>, StoreError> {
    const ORDERED: &str = concat!(
        "SELECT e.id, e.ordered FROM ",
        json_table!("id" "BIGINT", 0),
        " STRAIGHT_JOIN payonce_endpoint e FORCE INDEX (PRIMARY) ON e.id = j.id"
    );
    let ids = json(health.iter().map(|health| (health.endpoint.0,)));
    let found = sqlx::query(ORDERED).bind(ids).fetch_all(connection).await.map_err(class)?;
    found.iter().map(|row| Ok((EndpointId(value(row, 0)?), value(row, 1)?))).collect()
}

/// Locks what `owner` still has, each once.
async fn lock_held<'a>(
    connection: &mut MySqlConnection,
    owner: &Owner,
    settled: &'a [Settled],
    ordered: &BTreeMap<EndpointId, bool>,
) -> Result<Vec<Held<'a>>, StoreError> {
    const LOCK: &str = concat!(
        "SELECT j.place, d.attempts, d.order_id, d.sequence FROM ",
        json_table!("endpoint_id" "BIGINT", 0; "position" "BIGINT", 1; "token" "BIGINT", 2),
        " STRAIGHT_JOIN payonce_delivery d FORCE INDEX (PRIMARY) \
           ON d.endpoint_id = j.endpoint_id AND d.position = j.position \
         WHERE d.taken_by = ? AND d.token = j.token FOR UPDATE"
    );
    let mut sorted: Vec<&Settled> = settled.iter().collect();
    sorted.sort_by_key(|settled| settled.taken);
    sorted.dedup_by_key(|settled| settled.taken);
    let rows = sorted.iter().map(|Settled { taken, .. }| (taken.endpoint.0, taken.position.0, taken.token));
    let lock = sqlx::query(LOCK).bind(json(rows)).bind(owner.0.as_str());
    let mut held = Vec::new();
    for row in lock.fetch_all(connection).await.map_err(class)? {
        let settled = *row_at(&sorted, &row, 0)?;
        let asks = ordered.get(&settled.taken.endpoint).copied().unwrap_or(false);
        let front_of = if asks { order(&row, 2)? } else { None };
        held.push(Held { settled, number: attempts_of(&row, 1)? + 1, front_of });
    }
    Ok(held)
}

async fn delete_delivered(connection: &mut MySqlConnection, held: &[Held<'_>]) -> Result<(), StoreError> {
    const DELETE: &str = concat!(
        "DELETE d FROM ",
        json_table!("endpoint_id" "BIGINT", 0; "position" "BIGINT", 1),
        " STRAIGHT_JOIN payonce_delivery d FORCE INDEX (PRIMARY) \
           ON d.endpoint_id = j.endpoint_id AND d.position = j.position"
    );
    let gone: Vec<_> =
        held.iter().filter(|held| held.settled.next == Next::Delivered).map(Held::key).collect();
    if gone.is_empty() {
        return Ok(());
    }
    sqlx::query(DELETE).bind(json(gone)).execute(connection).await.map(drop).map_err(class)
}

/// Writes when the others are due, or that they are exhausted.
async fn move_on(connection: &mut MySqlConnection, held: &[Held<'_>]) -> Result<(), StoreError> {
    const MOVE: &str = concat!(
        "UPDATE ",
        json_table!("endpoint_id" "BIGINT", 0; "position" "BIGINT", 1; "pause" "BIGINT", 2; "state" "INT", 3),
        " STRAIGHT_JOIN payonce_delivery d FORCE INDEX (PRIMARY) \
           ON d.endpoint_id = j.endpoint_id AND d.position = j.position \
         SET d.attempts = d.attempts + 1, d.taken_by = NULL, d.state = j.state, d.due_at = ",
        now!(),
        " + j.pause"
    );
    let state = |held: &Held<'_>| match held.settled.next {
        Next::Exhausted => DeliveryState::Exhausted,
        Next::Delivered | Next::Again { .. } | Next::Gone => DeliveryState::Pending,
    };
    let kept = held.iter().filter(|held| held.settled.next != Next::Delivered);
    let kept = kept.map(|held| {
        let (endpoint, position) = held.key();
        (endpoint, position, held.pause(), delivery_state_code(state(held)))
    });
    let kept: Vec<_> = kept.collect();
    if kept.is_empty() {
        return Ok(());
    }
    sqlx::query(MOVE).bind(json(kept)).execute(connection).await.map(drop).map_err(class)
}

/// Lets the later messages of an order be due when the one in front is, so that nobody looks at them before. What is due
/// already, and may go on, is not written.
async fn let_followers_wait(connection: &mut MySqlConnection, held: &[Held<'_>]) -> Result<(), StoreError> {
    const WAIT: &str = concat!(
        "UPDATE ",
        json_table!("endpoint_id" "BIGINT", 0; "order_id" "BIGINT", 1; "sequence" "INT", 2; "pause" "BIGINT", 3),
        " STRAIGHT_JOIN payonce_delivery d FORCE INDEX (delivery_of_order) \
           ON d.endpoint_id = j.endpoint_id AND d.order_id = j.order_id AND d.sequence > j.sequence \
         SET d.due_at = ",
        now!(),
        " + j.pause WHERE d.state = 0 AND d.attempts = 0 AND d.taken_by IS NULL AND (j.pause > 0 OR d.due_at > ",
        now!(),
        ")"
    );
    let front = held.iter().filter_map(|held| {
        let (order, sequence) = held.front_of?;
        Some((held.settled.taken.endpoint.0, order.0, sequence, held.pause()))
    });
    let mut front: Vec<_> = front.collect();
    if front.is_empty() {
        return Ok(());
    }
    front.sort_unstable();
    sqlx::query(WAIT).bind(json(front)).execute(connection).await.map(drop).map_err(class)
}
