//! Fanning out: the cursors of endpoints move, and what they want becomes due.

use payonce_core::{
    StoreError,
    delivery::EndpointId,
    order::OrderId,
    store::{
        Position,
        delivery::{Envelope, EnvelopePage, FanOut},
    },
};
use sqlx::{PgConnection, postgres::PgRow};

use super::{began, order};
use crate::{
    errors::class,
    rows::{column, count, limit_of, value},
};

pub(super) async fn envelopes_after(
    connection: &mut PgConnection,
    after: Position,
    limit: usize,
) -> Result<EnvelopePage, StoreError> {
    // From the batch on in which the position stands.
    let select = sqlx::query(
        "SELECT b.first_position + m.place, m.kind, m.order_id, m.sequence \
         FROM payonce.message_batch b JOIN payonce.message m ON m.batch = b.id \
         WHERE b.first_position >= coalesce((SELECT first_position FROM payonce.message_batch \
           WHERE first_position <= $1 ORDER BY first_position DESC LIMIT 1), 0) \
         AND b.first_position + m.place > $1 ORDER BY b.first_position, m.place LIMIT $2",
    );
    let found = select.bind(after.0).bind(limit_of(limit)).fetch_all(connection).await.map_err(class)?;
    let envelope = |row: &PgRow| {
        Ok(Envelope { position: Position(value(row, 0)?), kind: value(row, 1)?, order: order(row, 2)? })
    };
    Ok(EnvelopePage { after, envelopes: found.iter().map(envelope).collect::<Result<_, StoreError>>()? })
}

/// A message that an endpoint wants.
type Chosen = (EndpointId, Position, Option<(OrderId, u32)>);

pub(super) async fn fan_out(
    connection: &mut PgConnection,
    steps: &[FanOut],
) -> Result<Vec<EndpointId>, StoreError> {
    let cursors = lock_cursors(connection, steps).await?;
    let steps = FanOut::that_fit(steps, &cursors);
    if steps.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query(
        "UPDATE payonce.endpoint e SET fanned_out = c.fanned_out \
         FROM unnest($1::bigint[], $2::bigint[]) AS c (id, fanned_out) WHERE e.id = c.id",
    )
    .bind(column(&steps, |step| step.endpoint.0))
    .bind(column(&steps, |step| step.to.0))
    .execute(&mut *connection)
    .await
    .map_err(class)?;
    let of_step = |step: &FanOut| {
        let endpoint = step.endpoint;
        step.chosen.iter().map(move |(position, order)| (endpoint, *position, *order)).collect::<Vec<_>>()
    };
    let chosen: Vec<Chosen> = steps.iter().flat_map(|step| of_step(step)).collect();
    add(connection, chosen).await?;
    Ok(steps.iter().map(|step| step.endpoint).collect())
}

/// Where the cursors of those endpoints stand that are enabled.
async fn lock_cursors(
    connection: &mut PgConnection,
    steps: &[FanOut],
) -> Result<Vec<(EndpointId, Position)>, StoreError> {
    let lock = sqlx::query(
        "SELECT id, fanned_out FROM payonce.endpoint WHERE id = ANY($1) AND state = 0 ORDER BY id FOR UPDATE",
    );
    let ids: Vec<i64> = steps.iter().map(|step| step.endpoint.0).collect();
    let found = lock.bind(ids).fetch_all(connection).await.map_err(class)?;
    found.iter().map(|row| Ok((EndpointId(value(row, 0)?), Position(value(row, 1)?)))).collect()
}

/// Adds rows that are due at once.
async fn add(connection: &mut PgConnection, mut chosen: Vec<Chosen>) -> Result<(), StoreError> {
    const ADD: &str = concat!(
        "INSERT INTO payonce.delivery AS d (endpoint_id, position, order_id, sequence, attempts, due_at, state) \
         SELECT c.endpoint_id, c.position, c.order_id, c.sequence, 0, ",
        began!(),
        ", 0 FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::integer[]) \
           AS c (endpoint_id, position, order_id, sequence) \
         ON CONFLICT (endpoint_id, position) DO UPDATE \
         SET attempts = 0, due_at = excluded.due_at, state = 0, taken_by = NULL WHERE d.state = 1"
    );
    if chosen.is_empty() {
        return Ok(());
    }
    chosen.sort_unstable();
    let chosen: Vec<&Chosen> = chosen.iter().collect();
    sqlx::query(ADD)
        .bind(column(&chosen, |(endpoint, ..)| endpoint.0))
        .bind(column(&chosen, |(_, position, _)| position.0))
        .bind(column(&chosen, |(.., order)| order.map(|(id, _)| id.0)))
        .bind(column(&chosen, |(.., order)| order.map(|(_, sequence)| count(sequence))))
        .execute(connection)
        .await
        .map(drop)
        .map_err(class)
}
