//! Taking what is due, for a time, and giving it back.

use std::time::Duration;

use payonce_core::{
    UnixMillis,
    delivery::EndpointId,
    message::MessageId,
    store::{
        MessageView, Owner, Position,
        delivery::{Due, Taken},
    },
};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{limit_of, now, order};
use crate::{
    leases::millis,
    rows::{RowError, read},
};

/// The earliest that are due. Indexes are named: by their columns, each could serve, but one alone finds few rows.
const DUE: &str = "SELECT d.position, d.order_id, d.sequence, d.attempts, d.token \
     FROM delivery d INDEXED BY delivery_due WHERE d.endpoint_id = ?1 AND d.state = 0 AND d.due_at <= ?2";

/// Of each order the first message alone, and none while one is under way.
const IN_ORDER: &str = "AND (d.order_id IS NULL OR NOT EXISTS (SELECT 1 FROM delivery o INDEXED BY delivery_of_order \
     WHERE o.endpoint_id = d.endpoint_id AND o.order_id = d.order_id AND o.state = 0 AND (o.sequence < d.sequence \
       OR (o.sequence > d.sequence AND o.taken_by IS NOT NULL AND o.due_at > ?2))))";

const EARLIEST: &str = "ORDER BY d.due_at, d.position LIMIT ?3";

pub(super) fn take(
    connection: &Connection,
    owner: &Owner,
    endpoint: EndpointId,
    ttl: Duration,
    limit: usize,
) -> Result<Vec<Due>, RowError> {
    let enabled: Option<bool> = connection
        .prepare_cached("SELECT ordered FROM endpoint WHERE id = ?1 AND state = 0")?
        .query_row([endpoint.0], |row| row.get(0))
        .optional()?;
    let Some(ordered) = enabled else { return Ok(Vec::new()) };
    let now = now(connection)?;
    let sql = format!("{DUE} {} {EARLIEST}", if ordered { IN_ORDER } else { "" });
    let mut select = connection.prepare_cached(&sql)?;
    let mut found = select.query([endpoint.0, now, limit_of(limit)])?;
    let mut due = Vec::new();
    while let Some(row) = found.next()? {
        let position = Position(row.get(0)?);
        due.push(Due {
            taken: Taken { endpoint, position, token: row.get::<_, i64>(4)? + 1 },
            message: message(connection, position)?,
            order: order(row, 1)?,
            attempts: read("delivery.attempts", u32::try_from(row.get::<_, i64>(3)?))?,
        });
    }
    // Order matters: rows are changed when no more are looked for.
    drop(found);
    due.sort_unstable_by_key(|due| due.taken.position);
    let mut take = connection.prepare_cached(
        "UPDATE delivery SET taken_by = ?3, token = ?4, due_at = ?5 WHERE endpoint_id = ?1 AND position = ?2",
    )?;
    let until = now.saturating_add(millis(ttl));
    for Due { taken, .. } in &due {
        take.execute(params![endpoint.0, taken.position.0, owner.0, taken.token, until])?;
    }
    Ok(due)
}

fn message(connection: &Connection, position: Position) -> Result<MessageView, RowError> {
    let mut select =
        connection.prepare_cached("SELECT id, kind, body, created_at FROM message WHERE position = ?1")?;
    Ok(select.query_row([position.0], |row| {
        Ok(MessageView {
            position,
            id: MessageId(row.get(0)?),
            kind: row.get(1)?,
            body: row.get(2)?,
            created_at: UnixMillis(row.get(3)?),
        })
    })?)
}

pub(super) fn give_back(connection: &Connection, owner: &Owner, taken: &[Taken]) -> Result<(), RowError> {
    let now = now(connection)?;
    let mut give = connection.prepare_cached(
        "UPDATE delivery SET taken_by = NULL, due_at = ?5 \
         WHERE endpoint_id = ?1 AND position = ?2 AND taken_by = ?3 AND token = ?4",
    )?;
    for taken in taken {
        give.execute(params![taken.endpoint.0, taken.position.0, owner.0, taken.token, now])?;
    }
    Ok(())
}
