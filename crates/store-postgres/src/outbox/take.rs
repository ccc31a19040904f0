//! Taking what is due, for a time, and giving it back.

use std::time::Duration;

use payonce_core::{
    StoreError, UnixMillis,
    delivery::EndpointId,
    message::MessageId,
    store::{
        MessageView, Owner, Position,
        delivery::{Due, Taken},
    },
};
use sqlx::{PgConnection, postgres::PgRow};

use super::{attempts_of, began, message_of, order};
use crate::{
    connect::later,
    errors::class,
    leases::{millis, now},
    rows::{column, limit_of, value},
};

/// One statement. What was added in one transaction is seen whole or not at all, so that no message of an order is seen
/// without those before it. What stands in front is looked for by the order: the sum keeps the other index out of it, by
/// which all that waits would be gone through.
const TAKE: &str = concat!(
    "WITH free AS (SELECT d.endpoint_id, d.position FROM payonce.endpoint e \
       JOIN payonce.delivery d ON d.endpoint_id = e.id \
       WHERE e.id = $1 AND e.state = 0 AND d.state = 0 AND d.due_at <= ",
    began!(),
    " AND (NOT e.ordered OR d.order_id IS NULL OR NOT EXISTS (SELECT 1 FROM payonce.delivery o \
         WHERE o.endpoint_id = d.endpoint_id AND o.order_id = d.order_id AND o.state + 0 = 0 \
         AND (o.sequence < d.sequence \
           OR (o.sequence > d.sequence AND o.taken_by IS NOT NULL AND o.due_at > ",
    began!(),
    ")))) ORDER BY d.due_at, d.position LIMIT $4 FOR UPDATE OF d SKIP LOCKED), \
     taken AS (UPDATE payonce.delivery d SET taken_by = $2, token = d.token + 1, due_at = ",
    now!(),
    " + $3 FROM free f WHERE d.endpoint_id = f.endpoint_id AND d.position = f.position \
       RETURNING d.position, d.token, d.attempts, d.order_id, d.sequence) \
     SELECT d.position, d.token, d.attempts, d.order_id, d.sequence, m.id, m.kind, m.body, m.created_at, (SELECT ",
    later!(),
    ") FROM taken d",
    message_of!("d"),
    "ORDER BY d.position"
);

pub(super) async fn take(
    connection: &mut PgConnection,
    owner: &Owner,
    endpoint: EndpointId,
    ttl: Duration,
    limit: usize,
) -> Result<Vec<Due>, StoreError> {
    let take = sqlx::query(TAKE).bind(endpoint.0).bind(owner.0.as_str()).bind(millis(ttl));
    let rows = take.bind(limit_of(limit)).fetch_all(connection).await.map_err(class)?;
    rows.iter().map(|row| due(endpoint, row)).collect()
}

fn due(endpoint: EndpointId, row: &PgRow) -> Result<Due, StoreError> {
    let position = Position(value(row, 0)?);
    Ok(Due {
        taken: Taken { endpoint, position, token: value(row, 1)? },
        message: MessageView {
            position,
            id: MessageId(value(row, 5)?),
            kind: value(row, 6)?,
            body: value(row, 7)?,
            created_at: UnixMillis(value(row, 8)?),
        },
        order: order(row, 3)?,
        attempts: attempts_of(row, 2)?,
    })
}

pub(super) async fn give_back(
    connection: &mut PgConnection,
    owner: &Owner,
    taken: &[Taken],
) -> Result<(), StoreError> {
    const GIVE_BACK: &str = concat!(
        "WITH held AS (SELECT d.endpoint_id, d.position \
           FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS c (endpoint_id, position, token) \
           JOIN payonce.delivery d ON d.endpoint_id = c.endpoint_id AND d.position = c.position \
           WHERE d.taken_by = $1 AND d.token = c.token ORDER BY d.endpoint_id, d.position FOR UPDATE OF d) \
         UPDATE payonce.delivery d SET taken_by = NULL, due_at = ",
        began!(),
        " FROM held h WHERE d.endpoint_id = h.endpoint_id AND d.position = h.position"
    );
    let taken: Vec<&Taken> = taken.iter().collect();
    sqlx::query(GIVE_BACK)
        .bind(owner.0.as_str())
        .bind(column(&taken, |taken| taken.endpoint.0))
        .bind(column(&taken, |taken| taken.position.0))
        .bind(column(&taken, |taken| taken.token))
        .execute(connection)
        .await
        .map(drop)
        .map_err(class)
}
