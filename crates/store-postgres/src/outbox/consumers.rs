//! How far consumers have read. Each change is one statement that compares what it changes.

use async_trait::async_trait;
use payonce_core::{
    StoreError, UnixMillis,
    store::{ConsumerName, ConsumerView, Consumers, Moved, Position},
};
use sqlx::{PgConnection, postgres::PgRow};

use crate::{
    PostgresStore,
    errors::class,
    leases::now,
    rows::{read, value},
    store::beside,
};

#[async_trait]
impl Consumers for PostgresStore {
    async fn move_consumer(
        &self,
        name: &ConsumerName,
        from: Option<Position>,
        to: Position,
    ) -> Result<Moved, StoreError> {
        beside!(self, async |c| move_one(c, name, from, to).await)
    }

    async fn remove_consumer(&self, name: &ConsumerName) -> Result<bool, StoreError> {
        beside!(self, async |c| {
            let remove = sqlx::query("DELETE FROM payonce.consumer WHERE name = $1").bind(name.as_str());
            Ok(remove.execute(c).await.map_err(class)?.rows_affected() > 0)
        })
    }

    async fn consumer(&self, name: &ConsumerName) -> Result<Option<ConsumerView>, StoreError> {
        const ONE: &str = "SELECT name, position, changed_at FROM payonce.consumer WHERE name = $1";
        beside!(self, async |c| {
            let found = sqlx::query(ONE).bind(name.as_str()).fetch_optional(c).await.map_err(class)?;
            found.as_ref().map(view).transpose()
        })
    }

    async fn all_consumers(&self) -> Result<Vec<ConsumerView>, StoreError> {
        const ALL: &str = "SELECT name, position, changed_at FROM payonce.consumer ORDER BY name";
        beside!(self, async |c| {
            sqlx::query(ALL).fetch_all(c).await.map_err(class)?.iter().map(view).collect()
        })
    }

    async fn newest_position(&self) -> Result<Position, StoreError> {
        const NEWEST: &str = "SELECT next_position - 1 FROM payonce.sequencer";
        beside!(self, async |c| {
            sqlx::query_scalar(NEWEST).fetch_one(c).await.map(Position).map_err(class)
        })
    }
}

async fn move_one(
    connection: &mut PgConnection,
    name: &ConsumerName,
    from: Option<Position>,
    to: Position,
) -> Result<Moved, StoreError> {
    // Of those who come at once to a row, each after the first sees what the one before it wrote.
    const PUT: &str = concat!(
        "INSERT INTO payonce.consumer AS stands (name, position, changed_at) VALUES ($1, $2, ",
        now!(),
        ") ON CONFLICT (name) DO UPDATE SET position = excluded.position, changed_at = excluded.changed_at \
         WHERE $3 IS NULL OR stands.position = $3"
    );
    const MOVE: &str = concat!(
        "UPDATE payonce.consumer SET position = $2, changed_at = ",
        now!(),
        " WHERE name = $1 AND position = $3"
    );
    let sql = if Moved::fits(None, from) { PUT } else { MOVE };
    let from = from.map(|from| from.0);
    let moved = sqlx::query(sql).bind(name.as_str()).bind(to.0).bind(from).execute(&mut *connection).await;
    if moved.map_err(class)?.rows_affected() > 0 {
        return Ok(Moved::There);
    }
    let stands = sqlx::query_scalar("SELECT position FROM payonce.consumer WHERE name = $1");
    let stands_at = stands.bind(name.as_str()).fetch_optional(connection).await.map_err(class)?;
    Ok(Moved::Elsewhere { stands_at: stands_at.map(Position) })
}

fn view(row: &PgRow) -> Result<ConsumerView, StoreError> {
    Ok(ConsumerView {
        name: read("consumer.name", ConsumerName::parse(value(row, 0)?))?,
        position: Position(value(row, 1)?),
        changed_at: UnixMillis(value(row, 2)?),
    })
}
