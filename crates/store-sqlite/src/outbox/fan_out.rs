//! Fanning out: the cursors of endpoints move, and what they want becomes due.

use payonce_core::{
    delivery::EndpointId,
    store::{
        Position,
        delivery::{Envelope, EnvelopePage, FanOut},
    },
};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{limit_of, now, order};
use crate::rows::RowError;

pub(super) fn envelopes_after(
    connection: &Connection,
    after: Position,
    limit: usize,
) -> Result<EnvelopePage, RowError> {
    let mut select = connection.prepare_cached(
        "SELECT position, kind, order_id, sequence FROM message WHERE position > ?1 ORDER BY position LIMIT ?2",
    )?;
    let mut found = select.query([after.0, limit_of(limit)])?;
    let mut envelopes = Vec::new();
    while let Some(row) = found.next()? {
        let position = Position(row.get(0)?);
        envelopes.push(Envelope { position, kind: row.get(1)?, order: order(row, 2)? });
    }
    Ok(EnvelopePage { after, envelopes })
}

pub(super) fn fan_out(connection: &Connection, steps: &[FanOut]) -> Result<Vec<EndpointId>, RowError> {
    let now = now(connection)?;
    let cursors = cursors(connection, steps)?;
    let mut move_cursor = connection.prepare_cached("UPDATE endpoint SET fanned_out = ?2 WHERE id = ?1")?;
    let mut add = connection.prepare_cached(
        "INSERT INTO delivery (endpoint_id, position, order_id, sequence, attempts, due_at, state) \
         VALUES (?1, ?2, ?3, ?4, 0, ?5, 0) ON CONFLICT (endpoint_id, position) DO UPDATE \
         SET attempts = 0, due_at = excluded.due_at, state = 0, taken_by = NULL WHERE state = 1",
    )?;
    let mut moved = Vec::new();
    for step in FanOut::that_fit(steps, &cursors) {
        move_cursor.execute([step.endpoint.0, step.to.0])?;
        for (position, order) in &step.chosen {
            let (order, sequence) = order.map(|(id, sequence)| (id.0, sequence)).unzip();
            add.execute(params![step.endpoint.0, position.0, order, sequence, now])?;
        }
        moved.push(step.endpoint);
    }
    Ok(moved)
}

/// Where the cursors of those endpoints stand that are enabled.
fn cursors(connection: &Connection, steps: &[FanOut]) -> Result<Vec<(EndpointId, Position)>, RowError> {
    let mut select =
        connection.prepare_cached("SELECT fanned_out FROM endpoint WHERE id = ?1 AND state = 0")?;
    let mut cursors = Vec::with_capacity(steps.len());
    for step in steps {
        let cursor = select.query_row([step.endpoint.0], |row| row.get(0)).optional()?;
        cursors.extend(cursor.map(|cursor| (step.endpoint, Position(cursor))));
    }
    Ok(cursors)
}
