//! What is not delivered yet: listed, and sent once more.

use payonce_core::{
    UnixMillis,
    delivery::EndpointId,
    message::MessageId,
    store::{
        Position,
        codes::{self, delivery_state_code},
        delivery::{DeliveryState, DeliveryView, Replay},
    },
};
use rusqlite::{Connection, OptionalExtension as _};

use super::{limit_of, now};
use crate::rows::{RowError, known, read};

pub(super) fn replay(connection: &Connection, endpoint: EndpointId, replay: Replay) -> Result<u64, RowError> {
    let cursor: Option<i64> = connection
        .prepare_cached("SELECT fanned_out FROM endpoint WHERE id = ?1 AND state <> 4")?
        .query_row([endpoint.0], |row| row.get(0))
        .optional()?;
    let Some(cursor) = cursor else { return Ok(0) };
    let now = now(connection)?;
    Ok(match replay {
        Replay::After(position) => {
            let to = position.0.clamp(0, cursor);
            let back = "UPDATE endpoint SET fanned_out = ?2 WHERE id = ?1";
            connection.prepare_cached(back)?.execute([endpoint.0, to])?;
            cursor.abs_diff(to)
        }
        Replay::Exhausted { rows_max } => {
            let mut anew = connection.prepare_cached(
                "UPDATE delivery SET attempts = 0, due_at = ?2, state = 0 WHERE endpoint_id = ?1 AND position IN \
                   (SELECT position FROM delivery WHERE endpoint_id = ?1 AND state = 1 ORDER BY due_at, position LIMIT ?3)",
            )?;
            anew.execute([endpoint.0, now, limit_of(rows_max)])? as u64
        }
        Replay::One(position) if position.0 > cursor => 0,
        Replay::One(position) => {
            let mut anew = connection.prepare_cached(
                "INSERT INTO delivery (endpoint_id, position, order_id, sequence, attempts, due_at, state) \
                 SELECT ?1, position, order_id, sequence, 0, ?3, 0 FROM message WHERE position = ?2 \
                 ON CONFLICT (endpoint_id, position) DO UPDATE \
                 SET attempts = 0, due_at = excluded.due_at, state = 0, taken_by = NULL \
                 WHERE taken_by IS NULL OR due_at <= ?3",
            )?;
            anew.execute([endpoint.0, position.0, now])? as u64
        }
    })
}

pub(super) fn listed(
    connection: &Connection,
    endpoint: EndpointId,
    state: DeliveryState,
    after: Position,
    limit: usize,
) -> Result<Vec<DeliveryView>, RowError> {
    let mut select = connection.prepare_cached(
        "SELECT d.position, m.id, m.kind, d.attempts, d.due_at, d.state FROM delivery d \
         JOIN message m ON m.position = d.position \
         WHERE d.endpoint_id = ?1 AND d.position > ?2 AND d.state = ?3 ORDER BY d.position LIMIT ?4",
    )?;
    let mut found = select.query([endpoint.0, after.0, delivery_state_code(state), limit_of(limit)])?;
    let mut views = Vec::new();
    while let Some(row) = found.next()? {
        views.push(DeliveryView {
            position: Position(row.get(0)?),
            id: MessageId(row.get(1)?),
            kind: row.get(2)?,
            attempts: read("delivery.attempts", u32::try_from(row.get::<_, i64>(3)?))?,
            due_at: UnixMillis(row.get(4)?),
            state: known("delivery.state", codes::delivery_state(row.get(5)?))?,
        });
    }
    Ok(views)
}
