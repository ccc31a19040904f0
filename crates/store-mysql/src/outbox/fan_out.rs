//! Fanning out: the cursors of endpoints move, and what they want becomes due.

use payonce_core::{
    StoreError,
    delivery::EndpointId,
    store::{
        Position,
        delivery::{Envelope, EnvelopePage, FanOut},
    },
};
use sqlx::{MySqlConnection, mysql::MySqlRow};

use super::order;
use crate::{
    errors::class,
    leases::now,
    read::batches_after,
    rows::{json, json_table, value},
};

pub(super) async fn envelopes_after(
    connection: &mut MySqlConnection,
    after: Position,
    limit: usize,
) -> Result<EnvelopePage, StoreError> {
    const ENVELOPES: &str = concat!(
        "SELECT j.first_position + m.place, m.kind, m.order_id, m.sequence FROM ",
        json_table!("batch" "BIGINT", 0; "first_position" "BIGINT", 1; "from_place" "BIGINT", 2),
        " STRAIGHT_JOIN payonce_message m FORCE INDEX (PRIMARY) ON m.batch = j.batch AND m.place >= j.from_place"
    );
    let batches = batches_after(connection, after, limit).await?;
    if batches.is_empty() {
        return Ok(EnvelopePage { after, envelopes: Vec::new() });
    }
    let found = sqlx::query(ENVELOPES).bind(json(batches)).fetch_all(connection).await.map_err(class)?;
    let envelope = |row: &MySqlRow| {
        Ok(Envelope { position: Position(value(row, 0)?), kind: value(row, 1)?, order: order(row, 2)? })
    };
    let mut envelopes = found.iter().map(envelope).collect::<Result<Vec<_>, StoreError>>()?;
    envelopes.sort_unstable_by_key(|envelope| envelope.position);
    envelopes.truncate(limit);
    Ok(EnvelopePage { after, envelopes })
}

/// A row to be added: endpoint, position, order, sequence.
type Chosen = (i64, i64, Option<i64>, Option<u32>);

pub(super) async fn fan_out(
    connection: &mut MySqlConnection,
    steps: &[FanOut],
) -> Result<Vec<EndpointId>, StoreError> {
    const MOVE: &str = concat!(
        "UPDATE ",
        json_table!("id" "BIGINT", 0; "fanned_out" "BIGINT", 1),
        " STRAIGHT_JOIN payonce_endpoint e FORCE INDEX (PRIMARY) ON e.id = j.id SET e.fanned_out = j.fanned_out"
    );
    let cursors = lock_cursors(connection, steps).await?;
    let steps = FanOut::that_fit(steps, &cursors);
    if steps.is_empty() {
        return Ok(Vec::new());
    }
    let cursors = json(steps.iter().map(|step| (step.endpoint.0, step.to.0)));
    sqlx::query(MOVE).bind(cursors).execute(&mut *connection).await.map_err(class)?;
    let mut chosen: Vec<Chosen> = Vec::new();
    for step in &steps {
        chosen.extend(step.chosen.iter().map(|(position, order)| {
            (step.endpoint.0, position.0, order.map(|(id, _)| id.0), order.map(|(_, sequence)| sequence))
        }));
    }
    add(connection, chosen).await?;
    Ok(steps.iter().map(|step| step.endpoint).collect())
}

/// Where the cursors of those endpoints stand that are enabled.
async fn lock_cursors(
    connection: &mut MySqlConnection,
    steps: &[FanOut],
) -> Result<Vec<(EndpointId, Position)>, StoreError> {
    const LOCK: &str = concat!(
        "SELECT e.id, e.fanned_out FROM ",
        json_table!("id" "BIGINT", 0),
        " STRAIGHT_JOIN payonce_endpoint e FORCE INDEX (PRIMARY) ON e.id = j.id WHERE e.state = 0 FOR UPDATE"
    );
    let mut ids: Vec<(i64,)> = steps.iter().map(|step| (step.endpoint.0,)).collect();
    ids.sort_unstable();
    let found = sqlx::query(LOCK).bind(json(ids)).fetch_all(connection).await.map_err(class)?;
    found.iter().map(|row| Ok((EndpointId(value(row, 0)?), Position(value(row, 1)?)))).collect()
}

/// Adds rows that are due at once. What is exhausted begins anew, what is pending stays as it is.
async fn add(connection: &mut MySqlConnection, mut chosen: Vec<Chosen>) -> Result<(), StoreError> {
    // Order matters: each assignment sees those before it.
    const ADD: &str = concat!(
        "INSERT INTO payonce_delivery (endpoint_id, position, order_id, sequence, attempts, due_at, state) \
         SELECT j.endpoint_id, j.position, j.order_id, j.sequence, 0, ",
        now!(),
        ", 0 FROM ",
        json_table!("endpoint_id" "BIGINT", 0; "position" "BIGINT", 1; "order_id" "BIGINT", 2; "sequence" "INT", 3),
        " ON DUPLICATE KEY UPDATE attempts = IF(state = 1, 0, attempts), due_at = IF(state = 1, VALUES(due_at), due_at), \
         taken_by = IF(state = 1, NULL, taken_by), state = 0"
    );
    if chosen.is_empty() {
        return Ok(());
    }
    chosen.sort_unstable();
    sqlx::query(ADD).bind(json(chosen)).execute(connection).await.map(drop).map_err(class)
}
