//! How far consumers have read. Each change is a transaction on the one writer.

use async_trait::async_trait;
use payonce_core::{
    StoreError, UnixMillis,
    store::{ConsumerName, ConsumerView, Consumers, Moved, Position},
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::now;
use crate::{
    SqliteStore,
    rows::{RowError, read, text},
    tx::Durability,
};

#[async_trait]
impl Consumers for SqliteStore {
    async fn move_consumer(
        &self,
        name: &ConsumerName,
        from: Option<Position>,
        to: Position,
    ) -> Result<Moved, StoreError> {
        self.write(Durability::AtOnce, |c| move_one(c, name, from, to)).await
    }

    async fn remove_consumer(&self, name: &ConsumerName) -> Result<bool, StoreError> {
        self.write(Durability::AtOnce, |c| {
            let mut remove = c.prepare_cached("DELETE FROM consumer WHERE name = ?1")?;
            Ok(remove.execute([name.as_str()])? > 0)
        })
        .await
    }

    async fn consumer(&self, name: &ConsumerName) -> Result<Option<ConsumerView>, StoreError> {
        let name = name.clone();
        self.read(move |c| {
            let mut select =
                c.prepare_cached("SELECT name, position, changed_at FROM consumer WHERE name = ?1")?;
            let mut found = select.query([name.as_str()])?;
            found.next()?.map(view).transpose()
        })
        .await
    }

    async fn all_consumers(&self) -> Result<Vec<ConsumerView>, StoreError> {
        self.read(|c| {
            let mut select =
                c.prepare_cached("SELECT name, position, changed_at FROM consumer ORDER BY name")?;
            let mut found = select.query([])?;
            let mut views = Vec::new();
            while let Some(row) = found.next()? {
                views.push(view(row)?);
            }
            Ok(views)
        })
        .await
    }

    async fn newest_position(&self) -> Result<Position, StoreError> {
        const NEWEST: &str = "SELECT coalesce(max(position), 0) FROM message";
        self.read(|c| Ok(Position(c.prepare_cached(NEWEST)?.query_row([], |row| row.get(0))?))).await
    }
}

fn move_one(
    connection: &Connection,
    name: &ConsumerName,
    from: Option<Position>,
    to: Position,
) -> Result<Moved, RowError> {
    let stands_at = connection
        .prepare_cached("SELECT position FROM consumer WHERE name = ?1")?
        .query_row([name.as_str()], |row| row.get(0).map(Position))
        .optional()?;
    if !Moved::fits(stands_at, from) {
        return Ok(Moved::Elsewhere { stands_at });
    }
    let mut put = connection.prepare_cached(
        "INSERT INTO consumer (name, position, changed_at) VALUES (?1, ?2, ?3) \
         ON CONFLICT (name) DO UPDATE SET position = excluded.position, changed_at = excluded.changed_at",
    )?;
    put.execute(params![name.as_str(), to.0, now(connection)?])?;
    Ok(Moved::There)
}

fn view(row: &Row<'_>) -> Result<ConsumerView, RowError> {
    Ok(ConsumerView {
        name: read("consumer.name", ConsumerName::parse(text(row, 0)?))?,
        position: Position(row.get(1)?),
        changed_at: UnixMillis(row.get(2)?),
    })
}
