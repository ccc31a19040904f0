//! How far consumers have read. Whoever moves an offset locks its row first; where there is none yet, the key decides, and
//! members of a cluster meet at their commits.

use async_trait::async_trait;
use payonce_core::{
    StoreError, UnixMillis,
    store::{ConsumerName, ConsumerView, Consumers, Moved, Position},
};
use sqlx::{Error, MySqlConnection, mysql::MySqlRow};

use super::deliveries::in_tx;
use crate::{
    MySqlStore,
    errors::{class, is_duplicate},
    leases::now,
    rows::{read, value},
    store::{again_on_conflict, beside},
    tx::MySqlTx,
};

#[async_trait]
impl Consumers for MySqlStore {
    async fn move_consumer(
        &self,
        name: &ConsumerName,
        from: Option<Position>,
        to: Position,
    ) -> Result<Moved, StoreError> {
        let wrote = |(_, changed): &(Moved, bool)| *changed;
        let moved: Result<_, StoreError> = in_tx!(self, async |c| move_one(c, name, from, to).await, wrote);
        moved.map(|(moved, _)| moved)
    }

    async fn remove_consumer(&self, name: &ConsumerName) -> Result<bool, StoreError> {
        beside!(self, async |c| {
            let remove = sqlx::query("DELETE FROM payonce_consumer WHERE name = ?").bind(name.as_str());
            Ok(remove.execute(c).await.map_err(class)?.rows_affected() > 0)
        })
    }

    async fn consumer(&self, name: &ConsumerName) -> Result<Option<ConsumerView>, StoreError> {
        const ONE: &str = "SELECT name, position, changed_at FROM payonce_consumer WHERE name = ?";
        beside!(self, async |c| {
            let found = sqlx::query(ONE).bind(name.as_str()).fetch_optional(c).await.map_err(class)?;
            found.as_ref().map(view).transpose()
        })
    }

    async fn all_consumers(&self) -> Result<Vec<ConsumerView>, StoreError> {
        const ALL: &str = "SELECT name, position, changed_at FROM payonce_consumer ORDER BY name";
        beside!(self, async |c| {
            sqlx::query(ALL).fetch_all(c).await.map_err(class)?.iter().map(view).collect()
        })
    }

    async fn newest_position(&self) -> Result<Position, StoreError> {
        const NEWEST: &str = "SELECT next_position - 1 FROM payonce_sequencer WHERE one = 1";
        beside!(self, async |c| {
            sqlx::query_scalar(NEWEST).fetch_one(c).await.map(Position).map_err(class)
        })
    }
}

/// Returns what came of it, and whether a row was changed for certain.
async fn move_one(
    connection: &mut MySqlConnection,
    name: &ConsumerName,
    from: Option<Position>,
    to: Position,
) -> Result<(Moved, bool), StoreError> {
    const STANDS: &str = "SELECT position FROM payonce_consumer WHERE name = ? FOR UPDATE";
    const MAKE: &str =
        concat!("INSERT INTO payonce_consumer (name, position, changed_at) VALUES (?, ?, ", now!(), ")");
    const MOVE: &str =
        concat!("UPDATE payonce_consumer SET position = ?, changed_at = ", now!(), " WHERE name = ?");
    let stands = sqlx::query_scalar(STANDS).bind(name.as_str());
    let stands_at = stands.fetch_optional(&mut *connection).await.map_err(class)?.map(Position);
    if !Moved::fits(stands_at, from) {
        return Ok((Moved::Elsewhere { stands_at }, false));
    }
    let write = match stands_at {
        None => sqlx::query(MAKE).bind(name.as_str()).bind(to.0),
        Some(_) => sqlx::query(MOVE).bind(to.0).bind(name.as_str()),
    };
    write.execute(connection).await.map_err(class_of_making)?;
    Ok((Moved::There, stands_at != Some(to)))
}

/// Another transaction may have made the row since it was looked for.
fn class_of_making(error: Error) -> StoreError {
    if is_duplicate(&error) { StoreError::Conflict(Box::new(error)) } else { class(error) }
}

fn view(row: &MySqlRow) -> Result<ConsumerView, StoreError> {
    Ok(ConsumerView {
        name: read("consumer.name", ConsumerName::parse(value(row, 0)?))?,
        position: Position(value(row, 1)?),
        changed_at: UnixMillis(value(row, 2)?),
    })
}
