//! Brings a database to the newest schema, or refuses it. Invariant: tables that are not ours are never written to.
//!
//! These databases commit each statement that makes a table, so a migration can be cut short. Each of its statements
//! can run twice, and the schema's version is written last: whoever comes next runs the whole of it again. A named lock
//! lets nodes that start at once do it one by one; in a Galera cluster, which has no such lock, the members bring these
//! statements into one order, and to run them twice does no harm.

use payonce_core::{
    StoreError,
    store::{Epoch, SchemaError},
};
use sqlx::{Executor, MySqlConnection};

use crate::{Options, connect::migrating, epoch::random, errors::class, rows::value};

/// All migrations, by name; the schema version is how many of them were run (`payonce_database.schema_version`).
const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_initial", include_str!("../migrations/0001_initial.sql")),
    ("0002_delivery", include_str!("../migrations/0002_delivery.sql")),
    ("0003_effects_and_consumers", include_str!("../migrations/0003_effects_and_consumers.sql")),
];

/// The tables of the newest schema; each is called `payonce_…`.
const TABLES: [&str; 18] = [
    "payonce_attempt",
    "payonce_consumer",
    "payonce_copy_progress",
    "payonce_database",
    "payonce_delivery",
    "payonce_effect_failure",
    "payonce_endpoint",
    "payonce_incident",
    "payonce_lease",
    "payonce_message",
    "payonce_message_batch",
    "payonce_notification_passed",
    "payonce_orders",
    "payonce_payment",
    "payonce_receipt",
    "payonce_rejected",
    "payonce_sequencer",
    "payonce_unopened",
];

/// What the comments of our tables begin with.
const MARK: &str = "payonce: ";

/// How long a node waits while another migrates, in seconds.
const LOCK_SECONDS: i64 = 3600;

/// The names of the migrations that the database does not have yet.
///
/// # Errors
/// As [`MySqlStore::open`](crate::MySqlStore::open).
pub async fn plan(options: &Options) -> Result<Vec<String>, StoreError> {
    let mut session = migrating(options).session().await?;
    let version = session.run(async |connection| checked_version(connection).await).await?;
    Ok(MIGRATIONS[version..].iter().map(|(name, _)| (*name).to_owned()).collect())
}

/// Runs the migrations that are missing, if that is wished.
pub(crate) async fn migrate(connection: &mut MySqlConnection, options: &Options) -> Result<(), StoreError> {
    // Before anything is looked at: what another node is just making is no schema of ours yet.
    lock(connection).await?;
    let version = checked_version(connection).await?;
    let known = MIGRATIONS.len();
    if version < known && !options.migrate {
        let (found, known) = (version as i64, known as i64);
        return Err(StoreError::Schema(SchemaError::Behind { found, known }));
    }
    if version < known {
        run(connection, version).await?;
    }
    refuse_unfinished_copy(connection, options).await
}

/// Waits until no other node migrates. The lock ends with the connection, which is for this work only.
async fn lock(connection: &mut MySqlConnection) -> Result<(), StoreError> {
    let cluster = connection.fetch_optional("SHOW GLOBAL VARIABLES WHERE Variable_name = 'wsrep_on'").await;
    let cluster = cluster.map_err(class)?;
    if cluster.is_some_and(|row| value(&row, 1).is_ok_and(|on: &str| on == "ON")) {
        return Ok(());
    }
    // The server has one set of names for all its databases.
    let lock = sqlx::query("SELECT GET_LOCK(CONCAT('payonce ', MD5(DATABASE())), ?)").bind(LOCK_SECONDS);
    lock.execute(connection).await.map(drop).map_err(class)
}

async fn run(connection: &mut MySqlConnection, version: usize) -> Result<(), StoreError> {
    for (_, migration) in &MIGRATIONS[version..] {
        connection.execute(*migration).await.map_err(class)?;
    }
    // Order matters: with this row the schema is known to be whole. Whoever comes second keeps what the first wrote.
    let write = sqlx::query(
        "INSERT INTO payonce_database (one, identity, schema_version, epoch, epoch_of, epoch_written) \
         VALUES (1, HEX(?), ?, HEX(?), '', 0) ON DUPLICATE KEY UPDATE schema_version = VALUES(schema_version)",
    );
    let (identity, epoch) = (random::<16>()?.to_vec(), random::<{ Epoch::KEY_BYTES }>()?.to_vec());
    let write = write.bind(identity).bind(MIGRATIONS.len() as i64).bind(epoch);
    write.execute(connection).await.map(drop).map_err(class)
}

/// The schema's version, if there is none or it is ours, whole, and not newer than this program.
async fn checked_version(connection: &mut MySqlConnection) -> Result<usize, StoreError> {
    let unknown = || StoreError::Schema(SchemaError::Unknown);
    // Order matters: what the row says was there before the tables are looked for.
    let row = version_row(connection).await?;
    let tables = our_tables(connection).await?;
    let found = match row {
        VersionRow::Here(found) => found,
        VersionRow::NotYet => 0,
        VersionRow::NoTable if tables.is_empty() => 0,
        // Another member of a cluster has begun to make them since, or they are not ours.
        VersionRow::NoTable => match version_row(connection).await? {
            VersionRow::NoTable => return Err(unknown()),
            _ => 0,
        },
    };
    let known = MIGRATIONS.len();
    let version = usize::try_from(found).map_err(|_| unknown())?;
    if version > known {
        let known = known as i64;
        return Err(StoreError::Schema(SchemaError::Newer { found, known }));
    }
    let whole = TABLES.iter().all(|table| tables.iter().any(|found| found == table));
    if version == known && !whole { Err(unknown()) } else { Ok(version) }
}

/// What says which schema it is.
enum VersionRow {
    /// Its table, which is made first, does not exist.
    NoTable,
    /// It is not written yet: the first migration is under way, or was cut short.
    NotYet,
    Here(i64),
}

async fn version_row(connection: &mut MySqlConnection) -> Result<VersionRow, StoreError> {
    const TABLE: &str = "SELECT 1 FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_name = 'payonce_database'";
    if sqlx::query(TABLE).fetch_optional(&mut *connection).await.map_err(class)?.is_none() {
        return Ok(VersionRow::NoTable);
    }
    let version = sqlx::query_scalar("SELECT schema_version FROM payonce_database");
    let version = version.fetch_optional(connection).await.map_err(class)?;
    Ok(version.map_or(VersionRow::NotYet, VersionRow::Here))
}

/// The tables under our names, all of them made by us.
async fn our_tables(connection: &mut MySqlConnection) -> Result<Vec<String>, StoreError> {
    let select = sqlx::query(
        "SELECT table_name, table_comment FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_name LIKE 'payonce\\_%'",
    );
    let mut tables = Vec::new();
    for row in select.fetch_all(connection).await.map_err(class)? {
        let (name, comment): (String, String) = (value(&row, 0)?, value(&row, 1)?);
        if !TABLES.contains(&name.as_str()) {
            continue;
        }
        if !comment.starts_with(MARK) {
            return Err(StoreError::Schema(SchemaError::Unknown));
        }
        tables.push(name);
    }
    Ok(tables)
}

async fn refuse_unfinished_copy(
    connection: &mut MySqlConnection,
    options: &Options,
) -> Result<(), StoreError> {
    let unfinished = sqlx::query("SELECT 1 FROM payonce_copy_progress LIMIT 1");
    if !options.copying && unfinished.fetch_optional(connection).await.map_err(class)?.is_some() {
        return Err(StoreError::Schema(SchemaError::CopyUnfinished));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_listed_and_marked() {
        let sql: String = MIGRATIONS.iter().map(|(_, sql)| *sql).collect();
        let made = sql.lines().filter_map(|line| line.strip_prefix("CREATE TABLE IF NOT EXISTS "));
        let mut made: Vec<&str> = made.filter_map(|rest| rest.split(' ').next()).collect();
        made.sort_unstable();
        assert_eq!(made, TABLES);
        assert_eq!(sql.matches("ENGINE = InnoDB").count(), TABLES.len());
        assert_eq!(sql.matches(&format!("COMMENT = '{MARK}")).count(), TABLES.len());
        assert_eq!(sql.matches("PRIMARY KEY (").count(), TABLES.len(), "a cluster needs one each");
    }
}
