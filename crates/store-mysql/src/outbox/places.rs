//! Where messages lie: the batches of positions, and the messages there.
//!
//! A batch is found by the last `first_position` that is not beyond a position. These databases find the last one before
//! a constant by an index, but not the last one before each value of a list. So each run of positions that are near each
//! other is a part of its own of one statement: in general there is one, and a retry here and there.

use std::collections::BTreeMap;

use payonce_core::{
    StoreError, UnixMillis,
    message::MessageId,
    store::{MessageView, Position},
};
use sqlx::{AssertSqlSafe, MySqlConnection, mysql::MySqlRow};

use crate::{
    errors::class,
    rows::{json, json_table, row_at, value},
};

/// Positions that are no farther apart are one run: as many batches may lie between two of them, and be read for nothing.
const GAP_MAX: i64 = 64;

/// The batches of one run: the one that holds its beginning, and all that begin in it.
const RUN: &str = "(SELECT id, first_position FROM payonce_message_batch WHERE first_position <= ? \
       ORDER BY first_position DESC LIMIT 1) UNION ALL \
     (SELECT id, first_position FROM payonce_message_batch WHERE first_position > ? AND first_position <= ?)";

/// Where a message lies: its batch, and its place there.
pub(super) type Place = (i64, i64);

/// The places of these positions, which are sorted.
pub(super) async fn places(
    connection: &mut MySqlConnection,
    positions: &[Position],
) -> Result<Vec<Place>, StoreError> {
    let mut runs = runs(positions);
    let Some(last) = runs.last().copied() else { return Ok(Vec::new()) };
    // Statements stay prepared: there are as many as there are powers of two.
    runs.resize(runs.len().next_power_of_two(), last);
    let sql = vec![RUN; runs.len()].join(" UNION ALL ");
    let mut select = sqlx::query(AssertSqlSafe(sql));
    for (from, to) in runs {
        select = select.bind(from).bind(from).bind(to);
    }
    let mut batches = BTreeMap::new();
    for row in select.fetch_all(connection).await.map_err(class)? {
        batches.insert(value::<i64>(&row, 1)?, value::<i64>(&row, 0)?);
    }
    let place = |position: &Position| {
        let (first, batch) = batches.range(..=position.0).next_back()?;
        Some((*batch, position.0 - first))
    };
    Ok(positions.iter().filter_map(place).collect())
}

fn runs(positions: &[Position]) -> Vec<(i64, i64)> {
    let runs = positions.chunk_by(|one, next| next.0 - one.0 <= GAP_MAX);
    runs.filter_map(|run| Some((run.first()?.0, run.last()?.0))).collect()
}

/// The messages of these positions, which are sorted.
pub(super) async fn messages_at(
    connection: &mut MySqlConnection,
    positions: &[Position],
) -> Result<BTreeMap<Position, MessageView>, StoreError> {
    const MESSAGES: &str = concat!(
        "SELECT j.place, m.id, m.kind, m.body, m.created_at FROM ",
        json_table!("batch" "BIGINT", 0; "batch_place" "BIGINT", 1),
        " STRAIGHT_JOIN payonce_message m FORCE INDEX (PRIMARY) ON m.batch = j.batch AND m.place = j.batch_place"
    );
    let places = places(connection, positions).await?;
    if places.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = sqlx::query(MESSAGES).bind(json(places)).fetch_all(connection).await.map_err(class)?;
    let message = |row: &MySqlRow| {
        let position = *row_at(positions, row, 0)?;
        let view = MessageView {
            position,
            id: MessageId(value(row, 1)?),
            kind: value(row, 2)?,
            body: value(row, 3)?,
            created_at: UnixMillis(value(row, 4)?),
        };
        Ok((position, view))
    };
    found.iter().map(message).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_near_each_other_are_one_run() {
        let runs =
            |positions: &[i64]| super::runs(&positions.iter().copied().map(Position).collect::<Vec<_>>());
        assert_eq!(runs(&[]), []);
        assert_eq!(runs(&[5]), [(5, 5)]);
        assert_eq!(runs(&[5, 6, 70]), [(5, 70)]);
        assert_eq!(runs(&[5, 70, 71, 1_000_000]), [(5, 5), (70, 71), (1_000_000, 1_000_000)]);
    }
}
