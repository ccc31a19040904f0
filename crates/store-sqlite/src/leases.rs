//! Leases, in the database's own time.

use std::time::Duration;

use async_trait::async_trait;
use payonce_core::{
    StoreError,
    store::{Lease, LeaseView, Leases, Owner, Role},
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::{SqliteStore, errors::class, tx::SqliteTx};

/// The time, in milliseconds since the Unix epoch.
pub(crate) const NOW: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

#[async_trait]
impl Leases for SqliteStore {
    async fn lease(&self, role: &Role, owner: &Owner, ttl: Duration) -> Result<Option<Lease>, StoreError> {
        let tx = SqliteTx::begin(self.writer.lock().await)?;
        let token = tx
            .connection()
            .prepare_cached(&format!(
                "INSERT INTO lease (role, owner, token, until) VALUES (?1, ?2, 1, {NOW} + ?3) \
                 ON CONFLICT (role) DO UPDATE SET owner = excluded.owner, until = excluded.until, \
                   token = lease.token + (lease.until <= {NOW}) \
                 WHERE lease.owner = excluded.owner OR lease.until <= {NOW} RETURNING token"
            ))
            .and_then(|mut take| {
                take.query_row(params![role.as_str(), owner.0, millis(ttl)], |row| row.get(0)).optional()
            })
            .map_err(class)?;
        tx.commit_now()?;
        Ok(token.map(|token| Lease { role: role.clone(), owner: owner.clone(), token }))
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let tx = SqliteTx::begin(self.writer.lock().await)?;
        tx.connection()
            .prepare_cached("UPDATE lease SET until = 0 WHERE role = ?1 AND owner = ?2 AND token = ?3")
            .and_then(|mut end| end.execute(params![lease.role.as_str(), lease.owner.0, lease.token]))
            .map_err(class)?;
        tx.commit_now()
    }

    async fn leases(&self) -> Result<Vec<LeaseView>, StoreError> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(&format!(
                "SELECT role, owner, token, max(until - {NOW}, 0) FROM lease ORDER BY role"
            ))?;
            let views = select.query_map([], |row| {
                let lease =
                    Lease { role: Role::named(row.get(0)?), owner: Owner(row.get(1)?), token: row.get(2)? };
                Ok(LeaseView { lease, left: Duration::from_millis(row.get::<_, i64>(3)?.unsigned_abs()) })
            })?;
            Ok(views.collect::<Result<_, _>>()?)
        })
        .await
    }
}

/// Whether a lease is held at this moment.
pub(crate) fn is_held(connection: &Connection, lease: &Lease) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM lease WHERE role = ?1 AND owner = ?2 AND token = ?3 AND until > {NOW})"
    );
    let mut look = connection.prepare_cached(&sql).map_err(class)?;
    look.query_row(params![lease.role.as_str(), lease.owner.0, lease.token], |row| row.get(0)).map_err(class)
}

/// A span of time in whole milliseconds.
pub(crate) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX / 2)
}

/// Forgets nodes that have been gone for a day.
pub(crate) fn forget_nodes(connection: &Connection) -> Result<(), StoreError> {
    connection
        .prepare_cached(&format!("DELETE FROM lease WHERE role LIKE 'node/%' AND until < {NOW} - 86400000"))
        .and_then(|mut delete| delete.execute([]))
        .map(drop)
        .map_err(class)
}
