//! Taking what is due, for a time, and giving it back.

use std::time::Duration;

use payonce_core::{
    StoreError,
    delivery::EndpointId,
    order::OrderId,
    store::{
        Owner, Position,
        delivery::{Due, Taken},
    },
};
use sqlx::{MySqlConnection, mysql::MySqlRow};

use super::{attempts_of, order, places::messages_at};
use crate::{
    errors::class,
    leases::{millis, now},
    rows::{json, json_table, known, limit_of, row_at, value},
};

/// Another message of the order in `$of` that stands in front of it: an earlier one, or one that is under way.
macro_rules! in_front {
    ($of:literal) => {
        concat!(
            "SELECT 1 FROM payonce_delivery o FORCE INDEX (delivery_of_order) WHERE o.endpoint_id = ",
            $of,
            ".endpoint_id AND o.order_id = ",
            $of,
            ".order_id AND o.state = 0 AND (o.sequence < ",
            $of,
            ".sequence OR (o.sequence > ",
            $of,
            ".sequence AND o.taken_by IS NOT NULL AND o.due_at > ",
            now!(),
            "))"
        )
    };
}

/// The earliest that are due, locked; the rest of the statement says which.
macro_rules! due {
    ($which:expr) => {
        concat!(
            "SELECT d.position, d.token, d.attempts, d.order_id, d.sequence \
             FROM payonce_delivery d FORCE INDEX (delivery_due) \
             WHERE d.endpoint_id = ? AND d.state = 0 AND d.due_at <= ",
            now!(),
            $which,
            " ORDER BY d.due_at, d.position LIMIT ? FOR UPDATE SKIP LOCKED"
        )
    };
}

const DUE: &str = due!("");
const DUE_IN_ORDER: &str = due!(concat!(" AND (d.order_id IS NULL OR NOT EXISTS (", in_front!("d"), "))"));

/// A row that was found.
struct Found {
    position: Position,
    token: i64,
    attempts: u32,
    order: Option<(OrderId, u32)>,
}

pub(super) async fn take(
    connection: &mut MySqlConnection,
    owner: &Owner,
    endpoint: EndpointId,
    ttl: Duration,
    limit: usize,
) -> Result<Vec<Due>, StoreError> {
    let enabled = sqlx::query_scalar("SELECT ordered FROM payonce_endpoint WHERE id = ? AND state = 0");
    let enabled = enabled.bind(endpoint.0).fetch_optional(&mut *connection).await.map_err(class)?;
    let Some(ordered) = enabled else { return Ok(Vec::new()) };
    let select = sqlx::query(if ordered { DUE_IN_ORDER } else { DUE });
    let rows = select.bind(endpoint.0).bind(limit_of(limit)).fetch_all(&mut *connection).await;
    let mut found = rows.map_err(class)?.iter().map(read_found).collect::<Result<Vec<_>, _>>()?;
    if ordered {
        found = still_in_front(connection, endpoint, found).await?;
    }
    if found.is_empty() {
        return Ok(Vec::new());
    }
    found.sort_unstable_by_key(|row| row.position);
    mark(connection, owner, endpoint, ttl, &found).await?;
    let positions: Vec<Position> = found.iter().map(|row| row.position).collect();
    let mut messages = messages_at(connection, &positions).await?;
    let due = |row: Found| {
        let taken = Taken { endpoint, position: row.position, token: row.token + 1 };
        let message = known("delivery.position", messages.remove(&row.position))?;
        Ok(Due { taken, message, order: row.order, attempts: row.attempts })
    };
    found.into_iter().map(due).collect()
}

fn read_found(row: &MySqlRow) -> Result<Found, StoreError> {
    Ok(Found {
        position: Position(value(row, 0)?),
        token: value(row, 1)?,
        attempts: attempts_of(row, 2)?,
        order: order(row, 3)?,
    })
}

/// Leaves out what is not the first of its order after all. A statement that locks reads the latest rows, but compares
/// them with what was there when it began; a row that came since may have been found without the one in front of it. The
/// next statement sees both.
async fn still_in_front(
    connection: &mut MySqlConnection,
    endpoint: EndpointId,
    found: Vec<Found>,
) -> Result<Vec<Found>, StoreError> {
    const BEHIND: &str = concat!(
        "SELECT j.place FROM ",
        json_table!("endpoint_id" "BIGINT", 0; "order_id" "BIGINT", 1; "sequence" "INT", 2),
        " WHERE EXISTS (",
        in_front!("j"),
        ")"
    );
    if found.iter().all(|row| row.order.is_none()) {
        return Ok(found);
    }
    let asked = json(found.iter().map(|row| {
        let (order, sequence) = row.order.map(|(id, sequence)| (id.0, sequence)).unzip();
        (endpoint.0, order, sequence)
    }));
    let behind = sqlx::query(BEHIND).bind(asked).fetch_all(connection).await.map_err(class)?;
    let positions: Vec<Position> = found.iter().map(|row| row.position).collect();
    let behind = behind.iter().map(|row| row_at(&positions, row, 0).copied());
    let behind = behind.collect::<Result<Vec<_>, _>>()?;
    Ok(found.into_iter().filter(|row| !behind.contains(&row.position)).collect())
}

async fn mark(
    connection: &mut MySqlConnection,
    owner: &Owner,
    endpoint: EndpointId,
    ttl: Duration,
    found: &[Found],
) -> Result<(), StoreError> {
    const MARK: &str = concat!(
        "UPDATE ",
        json_table!("position" "BIGINT", 0),
        " STRAIGHT_JOIN payonce_delivery d FORCE INDEX (PRIMARY) ON d.endpoint_id = ? AND d.position = j.position \
         SET d.taken_by = ?, d.token = d.token + 1, d.due_at = ",
        now!(),
        " + ?"
    );
    let positions = json(found.iter().map(|row| (row.position.0,)));
    let mark = sqlx::query(MARK).bind(positions).bind(endpoint.0).bind(owner.0.as_str()).bind(millis(ttl));
    mark.execute(connection).await.map(drop).map_err(class)
}

pub(super) async fn give_back(
    connection: &mut MySqlConnection,
    owner: &Owner,
    taken: &[Taken],
) -> Result<(), StoreError> {
    const GIVE_BACK: &str = concat!(
        "UPDATE ",
        json_table!("endpoint_id" "BIGINT", 0; "position" "BIGINT", 1; "token" "BIGINT", 2),
        " STRAIGHT_JOIN payonce_delivery d FORCE INDEX (PRIMARY) \
           ON d.endpoint_id = j.endpoint_id AND d.position = j.position \
         SET d.taken_by = NULL, d.due_at = ",
        now!(),
        " WHERE d.taken_by = ? AND d.token = j.token"
    );
    let mut rows: Vec<_> =
        taken.iter().map(|taken| (taken.endpoint.0, taken.position.0, taken.token)).collect();
    rows.sort_unstable();
    let give_back = sqlx::query(GIVE_BACK).bind(json(rows)).bind(owner.0.as_str());
    give_back.execute(connection).await.map(drop).map_err(class)
}
