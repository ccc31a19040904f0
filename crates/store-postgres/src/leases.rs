//! Leases, in the database's own time.

use std::time::Duration;

use async_trait::async_trait;
use payonce_core::{
    StoreError,
    store::{Lease, LeaseView, Leases, Owner, Role},
};
use sqlx::{PgConnection, postgres::PgRow};

use crate::{PostgresStore, errors::class, rows::value, store::again_on_conflict};

/// The time, in milliseconds since the Unix epoch: when the statement gets there, and not when its transaction began.
macro_rules! now {
    () => {
        "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
    };
}
pub(crate) use now;

/// Whether a lease is held. With a lock on its row, nobody takes it over before the transaction has committed.
macro_rules! held {
    ($lock:literal) => {
        concat!(
            "SELECT 1 FROM payonce.lease WHERE role = $1 AND owner = $2 AND token = $3 AND until > ",
            $crate::leases::now!(),
            $lock
        )
    };
}
pub(crate) use held;

#[async_trait]
impl Leases for PostgresStore {
    async fn lease(&self, role: &Role, owner: &Owner, ttl: Duration) -> Result<Option<Lease>, StoreError> {
        let token = again_on_conflict!({
            let mut session = self.lease_session().await?;
            session.run(async |connection| take(connection, role, owner, ttl).await).await
        })?;
        Ok(token.map(|token| Lease { role: role.clone(), owner: owner.clone(), token }))
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        again_on_conflict!({
            let mut session = self.lease_session().await?;
            session.run(async |connection| release(connection, lease).await).await
        })
    }

    async fn leases(&self) -> Result<Vec<LeaseView>, StoreError> {
        let mut session = self.lease_session().await?;
        session.run(async |connection| all(connection).await).await
    }
}

/// One statement, so that of many who ask at once one gets it: the others wait for its row and look again.
async fn take(
    connection: &mut PgConnection,
    role: &Role,
    owner: &Owner,
    ttl: Duration,
) -> Result<Option<i64>, StoreError> {
    const TAKE: &str = concat!(
        "INSERT INTO payonce.lease AS held (role, owner, token, until) VALUES ($1, $2, 1, ",
        now!(),
        " + $3) ON CONFLICT (role) DO UPDATE SET owner = excluded.owner, until = excluded.until, \
         token = held.token + CASE WHEN held.until > ",
        now!(),
        " THEN 0 ELSE 1 END WHERE held.owner = excluded.owner OR held.until <= ",
        now!(),
        " RETURNING token"
    );
    let take = sqlx::query_scalar(TAKE).bind(role.as_str()).bind(owner.0.as_str()).bind(millis(ttl));
    take.fetch_optional(connection).await.map_err(class)
}

async fn release(connection: &mut PgConnection, lease: &Lease) -> Result<(), StoreError> {
    sqlx::query("UPDATE payonce.lease SET until = 0 WHERE role = $1 AND owner = $2 AND token = $3")
        .bind(lease.role.as_str())
        .bind(lease.owner.0.as_str())
        .bind(lease.token)
        .execute(connection)
        .await
        .map(drop)
        .map_err(class)
}

async fn all(connection: &mut PgConnection) -> Result<Vec<LeaseView>, StoreError> {
    const ALL: &str = concat!(
        "SELECT role, owner, token, greatest(until - ",
        now!(),
        ", 0) FROM payonce.lease ORDER BY role"
    );
    let rows = sqlx::query(ALL).fetch_all(connection).await.map_err(class)?;
    let view = |row: &PgRow| {
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
pub(crate) async fn forget_nodes(connection: &mut PgConnection) -> Result<(), StoreError> {
    const FORGET: &str =
        concat!("DELETE FROM payonce.lease WHERE role LIKE 'node/%' AND until < ", now!(), " - 86400000");
    sqlx::query(FORGET).execute(connection).await.map(drop).map_err(class)
}
