//! Leases, in the database's own time.

use std::time::Duration;

use async_trait::async_trait;
use payonce_core::{
    StoreError,
    store::{Lease, LeaseView, Leases, Owner, Role},
};
use sqlx::{MySqlConnection, mysql::MySqlRow};

use crate::{
    MySqlStore,
    errors::class,
    rows::value,
    store::{again_on_conflict, beside},
    tx::MySqlTx,
};

/// The time, in milliseconds since the Unix epoch: when the statement began. After a wait for a lock it is early, so
/// that another's lease counts as held a little longer and one's own ends a little earlier.
macro_rules! now {
    () => {
        "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)"
    };
}
pub(crate) use now;

/// Whether a lease is held. With a lock on its row, nobody takes it over before the transaction has committed.
macro_rules! held {
    ($lock:literal) => {
        concat!(
            "SELECT 1 FROM payonce_lease WHERE role = ? AND owner = ? AND token = ? AND until > ",
            $crate::leases::now!(),
            $lock
        )
    };
}
pub(crate) use held;

#[async_trait]
impl Leases for MySqlStore {
    async fn lease(&self, role: &Role, owner: &Owner, ttl: Duration) -> Result<Option<Lease>, StoreError> {
        let token = again_on_conflict!({
            let mut tx = MySqlTx::begin(self.lease_session().await?).await?;
            let token = tx.run(async |connection| take(connection, role, owner, ttl).await).await?;
            if token.is_some() {
                // Its end was moved.
                tx.wrote();
            }
            tx.commit_now().await?;
            Ok(token)
        })?;
        Ok(token.map(|token| Lease { role: role.clone(), owner: owner.clone(), token }))
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        beside!(self, async |connection| release(connection, lease).await)
    }

    async fn leases(&self) -> Result<Vec<LeaseView>, StoreError> {
        beside!(self, async |connection| all(connection).await)
    }
}

/// In a transaction: the row stays locked from the attempt until it is known whose it is.
async fn take(
    connection: &mut MySqlConnection,
    role: &Role,
    owner: &Owner,
    ttl: Duration,
) -> Result<Option<i64>, StoreError> {
    // Order matters: each assignment sees those before it, and only the one who has the row afterwards moves its end.
    const TAKE: &str = concat!(
        "INSERT INTO payonce_lease (role, owner, token, until) VALUES (?, ?, 1, ",
        now!(),
        " + ?) ON DUPLICATE KEY UPDATE token = token + IF(until <= ",
        now!(),
        ", 1, 0), owner = IF(until <= ",
        now!(),
        ", VALUES(owner), owner), until = IF(owner = VALUES(owner), VALUES(until), until)"
    );
    let take = sqlx::query(TAKE).bind(role.as_str()).bind(owner.0.as_str()).bind(millis(ttl));
    take.execute(&mut *connection).await.map_err(class)?;
    let held = sqlx::query_scalar("SELECT token FROM payonce_lease WHERE role = ? AND owner = ?");
    held.bind(role.as_str()).bind(owner.0.as_str()).fetch_optional(connection).await.map_err(class)
}

async fn release(connection: &mut MySqlConnection, lease: &Lease) -> Result<(), StoreError> {
    sqlx::query("UPDATE payonce_lease SET until = 0 WHERE role = ? AND owner = ? AND token = ?")
        .bind(lease.role.as_str())
        .bind(lease.owner.0.as_str())
        .bind(lease.token)
        .execute(connection)
        .await
        .map(drop)
        .map_err(class)
}

async fn all(connection: &mut MySqlConnection) -> Result<Vec<LeaseView>, StoreError> {
    const ALL: &str = concat!(
        "SELECT role, owner, token, GREATEST(until - ",
        now!(),
        ", 0) FROM payonce_lease ORDER BY role"
    );
    let rows = sqlx::query(ALL).fetch_all(connection).await.map_err(class)?;
    let view = |row: &MySqlRow| {
        let lease =
            Lease { role: Role::named(value(row, 0)?), owner: Owner(value(row, 1)?), token: value(row, 2)? };
        Ok(LeaseView { lease, left: Duration::from_millis(value::<i64>(row, 3)?.unsigned_abs()) })
    };
    rows.iter().map(view).collect()
}

/// A span of time in whole milliseconds.
pub(crate) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX / 2)
}

/// Forgets nodes that have been gone for a day.
pub(crate) async fn forget_nodes(connection: &mut MySqlConnection) -> Result<(), StoreError> {
    const FORGET: &str =
        concat!("DELETE FROM payonce_lease WHERE role LIKE 'node/%' AND until < ", now!(), " - 86400000");
    sqlx::query(FORGET).execute(connection).await.map(drop).map_err(class)
}
