//! Brings a database to the newest schema, or refuses it. Invariants: tables that are not ours are never written to;
//! migrations run in one transaction, one node at a time.

use payonce_core::{StoreError, store::SchemaError};
use sqlx::{AssertSqlSafe, Executor, PgConnection};

use crate::{Options, connect::migrating, errors::class};

/// All migrations, by name; the schema version is how many of them were run (`database.schema_version`).
const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_initial", include_str!("../migrations/0001_initial.sql")),
    ("0002_delivery", include_str!("../migrations/0002_delivery.sql")),
    ("0003_effects_and_consumers", include_str!("../migrations/0003_effects_and_consumers.sql")),
];

/// The tables of the newest schema.
const TABLES: [&str; 18] = [
    "attempt",
    "consumer",
    "copy_progress",
    "database",
    "delivery",
    "effect_failure",
    "endpoint",
    "incident",
    "lease",
    "message",
    "message_batch",
    "notification_passed",
    "orders",
    "payment",
    "receipt",
    "rejected",
    "sequencer",
    "unopened",
];

/// "payonce" in ASCII: the advisory lock that nodes which start at once queue for.
const LOCK: i64 = 0x0070_6179_6f6e_6365;

/// The names of the migrations that the database does not have yet.
///
/// # Errors
/// As [`PostgresStore::open`](crate::PostgresStore::open).
pub async fn plan(options: &Options) -> Result<Vec<String>, StoreError> {
    let mut session = migrating(options).session().await?;
    let version = session.run(async |connection| checked_version(connection).await).await?;
    Ok(MIGRATIONS[version..].iter().map(|(name, _)| (*name).to_owned()).collect())
}

/// Runs the migrations that are missing, if that is wished.
pub(crate) async fn migrate(connection: &mut PgConnection, options: &Options) -> Result<(), StoreError> {
    let version = checked_version(connection).await?;
    let known = MIGRATIONS.len();
    if version < known && !options.migrate {
        let (found, known) = (version as i64, known as i64);
        return Err(StoreError::Schema(SchemaError::Behind { found, known }));
    }
    if version < known {
        connection.execute("BEGIN").await.map_err(class)?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(LOCK)
            .execute(&mut *connection)
            .await
            .map_err(class)?;
        // Another node may have been faster.
        let version = checked_version(connection).await?;
        run(connection, version).await?;
        connection.execute("COMMIT").await.map_err(class)?;
    }
    refuse_unfinished_copy(connection, options).await
}

async fn run(connection: &mut PgConnection, version: usize) -> Result<(), StoreError> {
    let known = MIGRATIONS.len();
    if version == 0 {
        // Where an administrator has made the schema, the user needs no right to make one.
        let missing: bool = scalar(connection, "SELECT to_regnamespace('payonce') IS NULL").await?;
        if missing {
            connection.execute("CREATE SCHEMA payonce").await.map_err(class)?;
        }
    }
    for (_, migration) in &MIGRATIONS[version..] {
        connection.execute(AssertSqlSafe(*migration)).await.map_err(class)?;
    }
    if version < known {
        sqlx::query("UPDATE payonce.database SET schema_version = $1")
            .bind(known as i32)
            .execute(connection)
            .await
            .map_err(class)?;
    }
    Ok(())
}

/// The schema's version, if there is none or it is ours, whole, and not newer than this program.
async fn checked_version(connection: &mut PgConnection) -> Result<usize, StoreError> {
    let unknown = || StoreError::Schema(SchemaError::Unknown);
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = 'payonce' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(class)?;
    if tables.is_empty() {
        return Ok(0);
    }
    let version_known: bool = scalar(
        connection,
        "SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('payonce.database') \
         AND attname = 'schema_version')",
    )
    .await?;
    if !version_known {
        return Err(unknown());
    }
    let found: Option<i32> = sqlx::query_scalar("SELECT schema_version FROM payonce.database")
        .fetch_optional(connection)
        .await
        .map_err(class)?;
    let found = found.ok_or_else(unknown)?;
    let known = MIGRATIONS.len();
    let version = usize::try_from(found).map_err(|_| unknown())?;
    if version > known {
        let (found, known) = (i64::from(found), known as i64);
        return Err(StoreError::Schema(SchemaError::Newer { found, known }));
    }
    // An older schema lacks what later migrations make.
    let whole = TABLES.iter().all(|table| tables.iter().any(|found| found == table));
    if version == 0 || (version == known && !whole) { Err(unknown()) } else { Ok(version) }
}

async fn refuse_unfinished_copy(connection: &mut PgConnection, options: &Options) -> Result<(), StoreError> {
    if !options.copying && scalar(connection, "SELECT EXISTS (SELECT 1 FROM payonce.copy_progress)").await? {
        return Err(StoreError::Schema(SchemaError::CopyUnfinished));
    }
    Ok(())
}

async fn scalar(connection: &mut PgConnection, sql: &'static str) -> Result<bool, StoreError> {
    sqlx::query_scalar(sql).fetch_one(connection).await.map_err(class)
}
