//! The outbox: effects in a message's own transaction; after the commit its position, and its way to endpoints.
//!
//! Whoever writes holds the one write lock, so what is read in a transaction stays as it was read. A row at a time is
//! written by prepared statements; time is asked for once a transaction.

mod attempts;
mod consumers;
mod deliveries;
mod effects;
mod endpoints;
pub(crate) mod failures;
mod fan_out;
mod replay;
pub(crate) mod sequence;
mod settle;
mod take;

use payonce_core::order::OrderId;
use rusqlite::{Connection, Row};

use crate::{
    leases::NOW,
    rows::{RowError, read},
};

/// The time, in milliseconds since the Unix epoch.
fn now(connection: &Connection) -> Result<i64, RowError> {
    Ok(connection.prepare_cached(&format!("SELECT {NOW}"))?.query_row([], |row| row.get(0))?)
}

/// How many rows at the most, as SQL counts.
fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// A message's order and its number there, from two columns.
fn order(row: &Row<'_>, column: usize) -> Result<Option<(OrderId, u32)>, RowError> {
    let id = row.get::<_, Option<i64>>(column)?;
    let sequence = row.get::<_, Option<i64>>(column + 1)?;
    let Some((id, sequence)) = id.zip(sequence) else { return Ok(None) };
    Ok(Some((OrderId(id), read("message.sequence", u32::try_from(sequence))?)))
}
