//! Settling: what came of deliveries that were taken.

use std::collections::BTreeMap;

use payonce_core::{
    delivery::{EndpointId, EndpointState, Next},
    order::OrderId,
    store::{
        Owner,
        codes::{delivery_state_code, endpoint_state_code},
        delivery::{DeliveryState, Health, Settled, Taken},
    },
};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{attempts, endpoints::UNTRIED, now, order};
use crate::{
    leases::millis,
    rows::{RowError, read},
};

pub(super) fn settle(
    connection: &Connection,
    owner: &Owner,
    settled: &[Settled],
) -> Result<Vec<Taken>, RowError> {
    let now = now(connection)?;
    let ordered = note_health(connection, settled, now)?;
    let mut lost = Vec::new();
    for settled in settled {
        let taken = &settled.taken;
        let Some((attempts, order)) = held(connection, owner, taken)? else {
            lost.push(*taken);
            continue;
        };
        let due_at = match settled.next {
            Next::Again { after } => now.saturating_add(millis(after)),
            Next::Delivered | Next::Exhausted | Next::Gone => now,
        };
        attempts::keep(connection, settled, attempts + 1, now)?;
        move_on(connection, settled, due_at)?;
        if let (Some(order), Some(true)) = (order, ordered.get(&taken.endpoint)) {
            let_followers_wait(connection, taken.endpoint, order, due_at, now)?;
        }
    }
    Ok(lost)
}

/// Writes how the endpoints do, and tells which of them ask for order.
fn note_health(
    connection: &Connection,
    settled: &[Settled],
    now: i64,
) -> Result<BTreeMap<EndpointId, bool>, RowError> {
    let mut note = connection.prepare_cached(
        "UPDATE endpoint SET failing_since = CASE WHEN ?2 THEN NULL ELSE coalesce(failing_since, ?4) END, \
           state = CASE WHEN ?3 AND state = 0 THEN ?5 ELSE state END, \
           state_since = CASE WHEN ?3 AND state = 0 THEN ?4 ELSE state_since END \
         WHERE id = ?1 AND (?2 = (failing_since IS NOT NULL) OR (?3 AND state = 0))",
    )?;
    let mut select = connection.prepare_cached("SELECT ordered FROM endpoint WHERE id = ?1")?;
    let mut ordered = BTreeMap::new();
    for Health { endpoint, succeeds, is_gone } in Health::of(settled) {
        let gone = endpoint_state_code(EndpointState::Gone);
        note.execute(params![endpoint.0, succeeds, is_gone, now, gone])?;
        let asks = select.query_row([endpoint.0], |row| row.get(0)).optional()?;
        ordered.extend(asks.map(|asks| (endpoint, asks)));
    }
    Ok(ordered)
}

type Held = (u32, Option<(OrderId, u32)>);

/// How many attempts were made of what `owner` still has, and its order.
fn held(connection: &Connection, owner: &Owner, taken: &Taken) -> Result<Option<Held>, RowError> {
    let mut select = connection.prepare_cached(
        "SELECT attempts, order_id, sequence FROM delivery \
         WHERE endpoint_id = ?1 AND position = ?2 AND taken_by = ?3 AND token = ?4",
    )?;
    let mut found = select.query(params![taken.endpoint.0, taken.position.0, owner.0, taken.token])?;
    let Some(row) = found.next()? else { return Ok(None) };
    let attempts = read("delivery.attempts", u32::try_from(row.get::<_, i64>(0)?))?;
    Ok(Some((attempts, order(row, 1)?)))
}

fn move_on(connection: &Connection, settled: &Settled, due_at: i64) -> Result<(), RowError> {
    let Settled { taken, next, .. } = settled;
    let state = match next {
        Next::Delivered => {
            let delete = "DELETE FROM delivery WHERE endpoint_id = ?1 AND position = ?2";
            connection.prepare_cached(delete)?.execute([taken.endpoint.0, taken.position.0])?;
            return Ok(());
        }
        Next::Again { .. } | Next::Gone => DeliveryState::Pending,
        Next::Exhausted => DeliveryState::Exhausted,
    };
    let mut update = connection.prepare_cached(
        "UPDATE delivery SET attempts = attempts + 1, due_at = ?3, state = ?4, taken_by = NULL \
         WHERE endpoint_id = ?1 AND position = ?2",
    )?;
    update.execute([taken.endpoint.0, taken.position.0, due_at, delivery_state_code(state)])?;
    Ok(())
}

/// Lets the later messages of an order be due when the one in front is, so that nobody looks at them before. What is due
/// already, and may go on, is not written.
fn let_followers_wait(
    connection: &Connection,
    endpoint: EndpointId,
    (order, sequence): (OrderId, u32),
    due_at: i64,
    now: i64,
) -> Result<(), RowError> {
    let sql = format!(
        "UPDATE delivery INDEXED BY delivery_of_order SET due_at = ?4 \
         WHERE {UNTRIED} AND order_id = ?2 AND sequence > ?3 AND (due_at > ?4 OR ?4 > ?5)"
    );
    let mut update = connection.prepare_cached(&sql)?;
    update.execute([endpoint.0, order.0, i64::from(sequence), due_at, now])?;
    Ok(())
}
