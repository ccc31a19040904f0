//! What is not delivered yet: listed, and sent once more.

use payonce_core::{
    StoreError, UnixMillis,
    delivery::EndpointId,
    store::{
        Position,
        codes::{self, delivery_state_code},
        delivery::{DeliveryState, DeliveryView, Replay},
    },
};
use sqlx::MySqlConnection;

use super::{
    attempts_of, order,
    places::{messages_at, places},
};
use crate::{
    errors::{class, is_duplicate},
    leases::now,
    rows::{known, limit_of, value},
};

/// Those that were exhausted first.
const EXHAUSTED: &str = concat!(
    "UPDATE payonce_delivery SET attempts = 0, state = 0, due_at = ",
    now!(),
    " WHERE endpoint_id = ? AND state = 1 ORDER BY due_at, position LIMIT ?"
);

/// One that is there, unless it is under way.
const ANEW: &str = concat!(
    "UPDATE payonce_delivery SET attempts = 0, state = 0, taken_by = NULL, due_at = ",
    now!(),
    " WHERE endpoint_id = ? AND position = ? AND (taken_by IS NULL OR due_at <= ",
    now!(),
    ")"
);

/// In a transaction.
pub(super) async fn replay(
    connection: &mut MySqlConnection,
    endpoint: EndpointId,
    replay: Replay,
) -> Result<u64, StoreError> {
    let cursor: Option<i64> =
        sqlx::query_scalar("SELECT fanned_out FROM payonce_endpoint WHERE id = ? AND state <> 4 FOR UPDATE")
            .bind(endpoint.0)
            .fetch_optional(&mut *connection)
            .await
            .map_err(class)?;
    let Some(cursor) = cursor else { return Ok(0) };
    match replay {
        Replay::After(position) => {
            let to = position.0.clamp(0, cursor);
            let back = sqlx::query("UPDATE payonce_endpoint SET fanned_out = ? WHERE id = ?");
            back.bind(to).bind(endpoint.0).execute(connection).await.map_err(class)?;
            Ok(cursor.abs_diff(to))
        }
        Replay::Exhausted { rows_max } => {
            let anew = sqlx::query(EXHAUSTED).bind(endpoint.0).bind(limit_of(rows_max));
            Ok(anew.execute(connection).await.map_err(class)?.rows_affected())
        }
        Replay::One(position) if position.0 > cursor => Ok(0),
        Replay::One(position) => one(connection, endpoint, position).await,
    }
}

async fn one(
    connection: &mut MySqlConnection,
    endpoint: EndpointId,
    position: Position,
) -> Result<u64, StoreError> {
    const ADD: &str = concat!(
        "INSERT INTO payonce_delivery (endpoint_id, position, order_id, sequence, attempts, due_at, state) \
         VALUES (?, ?, ?, ?, 0, ",
        now!(),
        ", 0)"
    );
    let anew = sqlx::query(ANEW).bind(endpoint.0).bind(position.0);
    if anew.execute(&mut *connection).await.map_err(class)?.rows_affected() > 0 {
        return Ok(1);
    }
    let known = sqlx::query("SELECT 1 FROM payonce_delivery WHERE endpoint_id = ? AND position = ?");
    let known = known.bind(endpoint.0).bind(position.0).fetch_optional(&mut *connection).await;
    let places = places(connection, &[position]).await?;
    let (None, Some((batch, place))) = (known.map_err(class)?, places.first()) else { return Ok(0) };
    let message = sqlx::query("SELECT order_id, sequence FROM payonce_message WHERE batch = ? AND place = ?");
    let message = message.bind(batch).bind(place).fetch_optional(&mut *connection).await.map_err(class)?;
    let Some(message) = message else { return Ok(0) };
    let (order, sequence) = order(&message, 0)?.map(|(id, sequence)| (id.0, sequence)).unzip();
    let add = sqlx::query(ADD).bind(endpoint.0).bind(position.0).bind(order).bind(sequence);
    match add.execute(connection).await {
        Ok(_) => Ok(1),
        // Somebody else replayed it just now: begun anew, it is found.
        Err(error) if is_duplicate(&error) => Err(StoreError::Conflict(Box::new(error))),
        Err(error) => Err(class(error)),
    }
}

pub(super) async fn listed(
    connection: &mut MySqlConnection,
    endpoint: EndpointId,
    state: DeliveryState,
    after: Position,
    limit: usize,
) -> Result<Vec<DeliveryView>, StoreError> {
    let select = sqlx::query(
        "SELECT position, attempts, due_at, state FROM payonce_delivery FORCE INDEX (PRIMARY) \
         WHERE endpoint_id = ? AND position > ? AND state = ? ORDER BY position LIMIT ?",
    );
    let select = select.bind(endpoint.0).bind(after.0).bind(delivery_state_code(state)).bind(limit_of(limit));
    let found = select.fetch_all(&mut *connection).await.map_err(class)?;
    let positions = found.iter().map(|row| value(row, 0).map(Position)).collect::<Result<Vec<_>, _>>()?;
    let mut messages = messages_at(connection, &positions).await?;
    let mut views = Vec::with_capacity(found.len());
    for (row, position) in found.iter().zip(positions) {
        let message = known("delivery.position", messages.remove(&position))?;
        views.push(DeliveryView {
            position,
            id: message.id,
            kind: message.kind,
            attempts: attempts_of(row, 1)?,
            due_at: UnixMillis(value(row, 2)?),
            state: known("delivery.state", codes::delivery_state(value(row, 3)?))?,
        });
    }
    Ok(views)
}
