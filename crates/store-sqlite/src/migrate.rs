//! Brings a file to the newest schema, or refuses it. Invariant: a file that is not ours is never written to.

use std::path::Path;

use payonce_core::{StoreError, store::SchemaError};
use rusqlite::{Connection, TransactionBehavior};

use crate::{connect::open_reader, errors::class};

/// "payo" in ASCII: marks a file as ours (`PRAGMA application_id`).
const APPLICATION_ID: i64 = 0x7061_796f;

/// All migrations, by name; the schema version is how many of them were run (`PRAGMA user_version`).
const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_initial", include_str!("../migrations/0001_initial.sql")),
    ("0002_delivery", include_str!("../migrations/0002_delivery.sql")),
    ("0003_effects_and_consumers", include_str!("../migrations/0003_effects_and_consumers.sql")),
];

/// Runs the migrations that are missing, all in one transaction.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(class)?;
    let version = version_in(&tx)?;
    let known = MIGRATIONS.len();
    for (_, migration) in &MIGRATIONS[version..] {
        tx.execute_batch(migration).map_err(class)?;
    }
    if version < known {
        tx.pragma_update(None, "application_id", APPLICATION_ID).map_err(class)?;
        tx.pragma_update(None, "user_version", known as i64).map_err(class)?;
    }
    tx.commit().map_err(class)
}

/// The file's schema version, if the file is empty or ours and not newer than this program.
pub(crate) fn checked_version(connection: &Connection) -> Result<usize, StoreError> {
    // What is read is of one moment: between two, another process may have made the tables.
    let tx = connection.unchecked_transaction().map_err(class)?;
    version_in(&tx)
}

fn version_in(tx: &Connection) -> Result<usize, StoreError> {
    let number = |sql| tx.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(class);
    let application_id = number("PRAGMA application_id")?;
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    let found = number("PRAGMA user_version")?;
    if application_id != APPLICATION_ID && (application_id != 0 || tables != 0) {
        return Err(StoreError::Schema(SchemaError::Foreign { application_id }));
    }
    let known = MIGRATIONS.len();
    match usize::try_from(found) {
        Ok(version) if version <= known => Ok(version),
        _ => Err(StoreError::Schema(SchemaError::Newer { found, known: known as i64 })),
    }
}

/// A database that a copy has half filled is not served.
pub(crate) fn refuse_unfinished_copy(connection: &Connection) -> Result<(), StoreError> {
    let unfinished: bool = connection
        .query_row("SELECT EXISTS (SELECT 1 FROM copy_progress)", [], |row| row.get(0))
        .map_err(class)?;
    if unfinished { Err(StoreError::Schema(SchemaError::CopyUnfinished)) } else { Ok(()) }
}

/// The names of the migrations that a file does not have yet; all of them if there is no file.
///
/// # Errors
/// [`StoreError::Schema`] if another program or a newer payonce wrote it, [`StoreError::Unavailable`] if it cannot be
/// read.
pub fn plan(path: &Path) -> Result<Vec<String>, StoreError> {
    let version = if path.exists() { checked_version(&open_reader(path)?)? } else { 0 };
    Ok(MIGRATIONS[version..].iter().map(|(name, _)| (*name).to_owned()).collect())
}
