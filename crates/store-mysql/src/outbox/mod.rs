//! The outbox: effects in a message's own transaction; after the commit its position, and its way to endpoints.
//!
//! Why nobody waits in a circle. Whoever takes deliveries passes over rows that are locked, and waits for none. All
//! others lock endpoints before deliveries, each in the order of their keys. Members of a cluster do not see each other's
//! locks: of two that took or moved one row, one fails at its commit, and begins anew.

mod attempts;
mod consumers;
mod deliveries;
mod effects;
mod endpoints;
pub(crate) mod failures;
mod fan_out;
mod places;
mod replay;
pub(crate) mod sequence;
mod settle;
mod take;

use payonce_core::{StoreError, order::OrderId};
use sqlx::mysql::MySqlRow;

use crate::rows::{read, value};

/// A message's order and its number there, from two columns.
fn order(row: &MySqlRow, column: usize) -> Result<Option<(OrderId, u32)>, StoreError> {
    let id = value::<Option<i64>>(row, column)?;
    let sequence = value::<Option<i64>>(row, column + 1)?;
    let Some((id, sequence)) = id.zip(sequence) else { return Ok(None) };
    Ok(Some((OrderId(id), read("message.sequence", u32::try_from(sequence))?)))
}

/// How many attempts, as the column says.
fn attempts_of(row: &MySqlRow, column: usize) -> Result<u32, StoreError> {
    read("delivery.attempts", u32::try_from(value::<i64>(row, column)?))
}
