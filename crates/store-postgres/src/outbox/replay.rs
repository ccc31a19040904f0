//! What is not delivered yet: listed, and sent once more.

use payonce_core::{
    StoreError, UnixMillis,
    delivery::EndpointId,
    message::MessageId,
    store::{
        Position,
        codes::{self, delivery_state_code},
        delivery::{DeliveryState, DeliveryView, Replay},
    },
};
use sqlx::{PgConnection, postgres::PgRow};

use super::{attempts_of, began, message_of};
use crate::{
    errors::class,
    rows::{code, known, limit_of, value},
};

/// Puts the cursor back; returns by how much.
const AFTER: &str = "WITH old AS (SELECT id, fanned_out FROM payonce.endpoint WHERE id = $1 AND state <> 4 FOR UPDATE) \
     UPDATE payonce.endpoint e SET fanned_out = greatest(least($2, old.fanned_out), 0) FROM old WHERE e.id = old.id \
     RETURNING old.fanned_out - e.fanned_out";

/// Those that were exhausted first.
const EXHAUSTED: &str = concat!(
    "WITH chosen AS (SELECT d.position FROM payonce.delivery d \
       WHERE d.endpoint_id = $1 AND d.state = 1 AND EXISTS (SELECT 1 FROM payonce.endpoint WHERE id = $1 AND state <> 4) \
       ORDER BY d.due_at, d.position LIMIT $2 FOR UPDATE OF d SKIP LOCKED) \
     UPDATE payonce.delivery d SET attempts = 0, state = 0, due_at = ",
    began!(),
    " FROM chosen c WHERE d.endpoint_id = $1 AND d.position = c.position"
);

/// One, if it was fanned out and is not under way.
const ONE: &str = concat!(
    "INSERT INTO payonce.delivery AS d (endpoint_id, position, order_id, sequence, attempts, due_at, state) \
     SELECT e.id, e.position, m.order_id, m.sequence, 0, ",
    began!(),
    ", 0 FROM (SELECT id, $2::bigint AS position FROM payonce.endpoint \
         WHERE id = $1 AND state <> 4 AND fanned_out >= $2) e",
    message_of!("e"),
    "ON CONFLICT (endpoint_id, position) DO UPDATE \
     SET attempts = 0, due_at = excluded.due_at, state = 0, taken_by = NULL \
     WHERE d.taken_by IS NULL OR d.due_at <= ",
    began!()
);

pub(super) async fn replay(
    connection: &mut PgConnection,
    endpoint: EndpointId,
    replay: Replay,
) -> Result<u64, StoreError> {
    let update = match replay {
        Replay::After(position) => {
            let back = sqlx::query_scalar(AFTER).bind(endpoint.0).bind(position.0);
            let back: Option<i64> = back.fetch_optional(connection).await.map_err(class)?;
            return Ok(back.map_or(0, i64::unsigned_abs));
        }
        Replay::Exhausted { rows_max } => sqlx::query(EXHAUSTED).bind(endpoint.0).bind(limit_of(rows_max)),
        Replay::One(position) => sqlx::query(ONE).bind(endpoint.0).bind(position.0),
    };
    Ok(update.execute(connection).await.map_err(class)?.rows_affected())
}

pub(super) async fn listed(
    connection: &mut PgConnection,
    endpoint: EndpointId,
    state: DeliveryState,
    after: Position,
    limit: usize,
) -> Result<Vec<DeliveryView>, StoreError> {
    const LISTED: &str = concat!(
        "SELECT d.position, m.id, m.kind, d.attempts, d.due_at, d.state FROM (SELECT * FROM payonce.delivery \
           WHERE endpoint_id = $1 AND position > $2 AND state = $3 ORDER BY position LIMIT $4) d",
        message_of!("d"),
        "ORDER BY d.position"
    );
    let view = |row: &PgRow| {
        Ok(DeliveryView {
            position: Position(value(row, 0)?),
            id: MessageId(value(row, 1)?),
            kind: value(row, 2)?,
            attempts: attempts_of(row, 3)?,
            due_at: UnixMillis(value(row, 4)?),
            state: known("delivery.state", codes::delivery_state(value::<i16>(row, 5)?.into()))?,
        })
    };
    let select = sqlx::query(LISTED).bind(endpoint.0).bind(after.0).bind(code(delivery_state_code(state)));
    let found = select.bind(limit_of(limit)).fetch_all(connection).await.map_err(class)?;
    found.iter().map(view).collect()
}
