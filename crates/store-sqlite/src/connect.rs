//! Opens the file: one connection that writes, some that read beside it.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use payonce_core::{
    StoreError,
    store::{DriverError, Epoch, Unavailability},
};
use rusqlite::{Connection, OpenFlags};

use crate::{
    epoch,
    errors::{OpenedReadOnly, class},
    migrate,
    notes::LookedThrough,
    rows::RowError,
    tx::Writer,
};

/// How long a statement waits for a lock that another process holds. Short of the 4 s budget of a callback,
/// which is answered 503 then and sent again by WeChat.
const BUSY_TIMEOUT: Duration = Duration::from_millis(1500);

/// How often the switch to the write-ahead log is tried again. Each time, another process has done its own.
const WAL_REFUSALS_MAX: u32 = 16;

/// Statements that stay prepared on a connection; more than there are.
const STATEMENTS_CACHED: usize = 128;

/// How a SQLite file is used.
#[derive(Clone, Debug)]
pub struct Options {
    /// The database file; made if it does not exist (its folder must).
    pub path: PathBuf,
    /// The writer's page cache in KiB. Small on purpose: after a transaction that split a page out of order SQLite
    /// walks the whole cache, and what the cache does not hold the system's page cache does (docs/performance.md).
    pub cache_kib: u32,
    /// Whether a copy into it that is not finished may be opened, to finish it.
    pub copying: bool,
    /// WAL pages (of 4 KiB) after which the writer carries them into the database file. More means that a
    /// page that changes often is carried over less often, and a longer WAL file.
    pub checkpoint_pages: u32,
}

impl Options {
    /// What was measured to be best on two cores: a cache of 2 MiB and a WAL of about 64 MiB.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), cache_kib: 2 * 1024, copying: false, checkpoint_pages: 16 * 1024 }
    }
}

/// A SQLite file that holds payonce's truth.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    pub(crate) epoch: Epoch,
    pub(crate) looked: LookedThrough,
    // Order matters: fields are dropped from the top, and the connection that is closed last empties the WAL into the
    // file, which one that only reads cannot.
    readers: Mutex<Vec<Connection>>,
    pub(crate) writer: tokio::sync::Mutex<Writer>,
}

impl SqliteStore {
    /// Opens (or makes) the file and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Schema`] if another program or a newer payonce wrote it; [`StoreError::Unavailable`] if it
    /// cannot be opened or written, or another process holds its lock.
    pub fn open(options: &Options) -> Result<Self, StoreError> {
        let mut writer = Connection::open_with_flags(
            &options.path,
            OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )
        .map_err(class)?;
        // SQLite opens a file that may not be written all the same, and would say so at the first write.
        if writer.is_readonly(rusqlite::MAIN_DB).map_err(class)? {
            return Err(StoreError::Unavailable {
                reason: Unavailability::ReadOnly,
                source: DriverError::from(OpenedReadOnly),
            });
        }
        writer.busy_timeout(BUSY_TIMEOUT).map_err(class)?;
        writer.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
        // Before anything is written: a foreign file must stay as it is.
        migrate::checked_version(&writer)?;
        switch_to_wal(&writer)?;
        // FULL: a commit is durable when it returns, also in a power cut. An acknowledgement rests on it.
        writer.pragma_update(None, "synchronous", "FULL").map_err(class)?;
        writer.pragma_update(None, "cache_size", -i64::from(options.cache_kib)).map_err(class)?;
        writer.pragma_update(None, "wal_autocheckpoint", options.checkpoint_pages).map_err(class)?;
        migrate::migrate(&mut writer)?;
        if !options.copying {
            migrate::refuse_unfinished_copy(&writer)?;
        }
        let epoch = epoch::begin(&writer)?;
        let readers = Mutex::new(Vec::new());
        let writer = tokio::sync::Mutex::new(Writer::new(writer));
        Ok(Self { path: options.path.clone(), epoch, looked: LookedThrough::default(), writer, readers })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How the last commit was made durable, as SQLite says: the journal mode, and `synchronous`. That is 2, FULL, but for
    /// what happens to a message on its way to an endpoint: 1, NORMAL.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the writer is at work.
    pub fn durability(&self) -> Result<(String, i64), StoreError> {
        let writer = self.writer.try_lock().map_err(|busy| StoreError::Unavailable {
            reason: Unavailability::Locked,
            source: DriverError::from(busy),
        })?;
        let writer = writer.connection();
        let journal = writer.query_row("PRAGMA journal_mode", [], |row| row.get(0)).map_err(class)?;
        let synchronous = writer.query_row("PRAGMA synchronous", [], |row| row.get(0)).map_err(class)?;
        Ok((journal, synchronous))
    }

    /// Runs a read on a blocking thread, on a connection that only reads.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, RowError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let path = self.path.clone();
        let (connection, result) = tokio::task::spawn_blocking(move || {
            let connection = match idle {
                Some(connection) => connection,
                None => open_reader(&path)?,
            };
            let result = read(&connection);
            Ok::<_, StoreError>((connection, result))
        })
        .await
        .map_err(|panic| StoreError::Unexpected(DriverError::from(panic)))??;
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(result?)
    }
}

/// Switches to the write-ahead log. Of several processes that do so at once in a new file, SQLite refuses some without
/// letting them wait; a transaction waits its turn, and then it is tried again.
fn switch_to_wal(connection: &Connection) -> Result<(), StoreError> {
    for _ in 0..WAL_REFUSALS_MAX {
        match connection.pragma_update(None, "journal_mode", "WAL").map_err(class) {
            Err(StoreError::Unavailable { reason: Unavailability::Locked, .. }) => {
                connection.execute_batch("BEGIN IMMEDIATE; COMMIT").map_err(class)?;
            }
            done => return done,
        }
    }
    connection.pragma_update(None, "journal_mode", "WAL").map_err(class)
}

/// A connection that only reads. The file must be there.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(class)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(class)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    Ok(connection)
}
