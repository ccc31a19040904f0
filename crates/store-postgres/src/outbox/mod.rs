//! The outbox: effects in a message's own transaction; after the commit its position, and its way to endpoints.
//!
//! Why nobody waits in a circle. Whoever takes deliveries passes over rows that are locked, and waits for none. All
//! others lock endpoints before deliveries, each in the order of their keys.

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

use payonce_core::{StoreError, order::OrderId};
use sqlx::postgres::PgRow;

use crate::rows::{read, value};

/// The time at which the statement came, in milliseconds since the Unix epoch. It stays the same while the statement runs, so
/// that an index can be searched for it.
macro_rules! began {
    () => {
        "(extract(epoch FROM statement_timestamp()) * 1000)::bigint"
    };
}
use began;

/// The message of the position that the table `$of` has in a column of this name, as `m`: the batch that holds it is the
/// last one that begins before it.
macro_rules! message_of {
    ($of:literal) => {
        concat!(
            " CROSS JOIN LATERAL (SELECT id, first_position FROM payonce.message_batch WHERE first_position <= ",
            $of,
            ".position ORDER BY first_position DESC LIMIT 1) b \
             JOIN payonce.message m ON m.batch = b.id AND m.place = ",
            $of,
            ".position - b.first_position "
        )
    };
}
use message_of;

/// A message's order and its number there, from two columns.
fn order(row: &PgRow, column: usize) -> Result<Option<(OrderId, u32)>, StoreError> {
    let id = value::<Option<i64>>(row, column)?;
    let sequence = value::<Option<i32>>(row, column + 1)?;
    let Some((id, sequence)) = id.zip(sequence) else { return Ok(None) };
    Ok(Some((OrderId(id), read("message.sequence", u32::try_from(sequence))?)))
}

/// How many attempts, as the column says.
fn attempts_of(row: &PgRow, column: usize) -> Result<u32, StoreError> {
    read("delivery.attempts", u32::try_from(value::<i32>(row, column)?))
}
