//! Databases by their URLs, and this process' name in them.
//!
//! Errors do not say where a URL stands: whoever took it from there does.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use payonce_core::store::{
    Owner, StoreError,
    archive::{Archive, Table, Value},
};
use payonce_server::config::{StoreSettings, StoreUrl};
use payonce_store_mysql::MySqlStore;
use payonce_store_postgres::PostgresStore;
use payonce_store_sqlite::SqliteStore;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

/// How long one statement or transaction of a copy may take: a portion of some megabytes over a slow line. Shorter than
/// the time for which the databases are reserved.
pub(crate) const COPY_WORK_MAX: Duration = Duration::from_secs(10);

/// What a database is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Serve,
    /// To look at it: its schema is left as it is.
    Read,
    /// To copy from it: the same, and a portion takes longer.
    CopyFrom,
    /// To copy into it: a copy that was not finished may be opened.
    CopyInto,
    /// To bring its schema up to date, whatever the configuration says of that.
    Migrate,
}

impl Purpose {
    fn migrates(self, settings: &StoreSettings) -> bool {
        match self {
            Self::Serve => settings.migrate,
            Self::Read | Self::CopyFrom => false,
            Self::CopyInto | Self::Migrate => true,
        }
    }

    /// How long a statement or transaction may take that otherwise takes `served` at the most.
    fn work_max(self, served: Duration) -> Duration {
        match self {
            Self::Serve | Self::Read | Self::Migrate => served,
            Self::CopyFrom | Self::CopyInto => COPY_WORK_MAX,
        }
    }
}

/// Opens the database, and brings its schema up to date if the settings or the purpose allow it. (A SQLite file is
/// always brought up to date.)
pub(crate) async fn open(settings: &StoreSettings, purpose: Purpose) -> anyhow::Result<Arc<dyn Archive>> {
    let copying = purpose == Purpose::CopyInto;
    let migrate = purpose.migrates(settings);
    match &settings.url {
        StoreUrl::Sqlite(path) => {
            let mut options = payonce_store_sqlite::Options::new(path);
            options.copying = copying;
            let store = SqliteStore::open(&options);
            Ok(Arc::new(store.with_context(|| format!("the database {}", path.display()))?))
        }
        StoreUrl::Postgres(url) => {
            let mut options = payonce_store_postgres::Options::new(url.expose())?;
            options.connections_max = settings.connections_max;
            options.work_max = purpose.work_max(options.work_max);
            (options.migrate, options.copying) = (migrate, copying);
            Ok(Arc::new(PostgresStore::open(&options).await?))
        }
        StoreUrl::MySql(url) => {
            let mut options = payonce_store_mysql::Options::new(url.expose())?;
            options.connections_max = settings.connections_max;
            options.work_max = purpose.work_max(options.work_max);
            (options.migrate, options.copying) = (migrate, copying);
            Ok(Arc::new(MySqlStore::open(&options).await?))
        }
    }
}

/// Opens a database that is there and has all tables.
pub(crate) async fn open_existing(
    settings: &StoreSettings,
    purpose: Purpose,
) -> anyhow::Result<Arc<dyn Archive>> {
    if let StoreUrl::Sqlite(path) = &settings.url {
        ensure!(path.exists(), "there is no file {}: mend its name", path.display());
    }
    let missing = missing_migrations(&settings.url).await?;
    ensure!(
        missing.is_empty(),
        "it is empty or of an older payonce (it lacks {}): mend the URL, or start this payonce on it once",
        missing.join(", ")
    );
    open(settings, purpose).await
}

/// The names of the migrations that the database lacks. Nothing is made or changed.
pub(crate) async fn missing_migrations(url: &StoreUrl) -> anyhow::Result<Vec<String>> {
    match url {
        StoreUrl::Sqlite(path) => {
            payonce_store_sqlite::plan(path).with_context(|| format!("the database {}", path.display()))
        }
        StoreUrl::Postgres(url) => {
            let options = payonce_store_postgres::Options::new(url.expose())?;
            Ok(payonce_store_postgres::plan(&options).await?)
        }
        StoreUrl::MySql(url) => {
            let options = payonce_store_mysql::Options::new(url.expose())?;
            Ok(payonce_store_mysql::plan(&options).await?)
        }
    }
}

/// The number of a table's last row, 0 where it is empty; of a table whose key is a number that grows. Whether there is a
/// row behind another is asked 63 times at the most.
pub(crate) async fn last_row(database: &dyn Archive, table: &Table) -> Result<i64, StoreError> {
    let (mut low, mut high) = (0, i64::MAX);
    while low < high {
        let middle = low + (high - low) / 2;
        match database.rows_after(table, &[Value::Int(middle)], 1).await?.first().map(Vec::as_slice) {
            Some([Value::Int(number), ..]) => low = *number,
            Some(_) | None => high = middle,
        }
    }
    Ok(low)
}

/// A name that no other process has: where it runs, for people, and 64 random bits.
pub(crate) fn owner() -> Owner {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim().replace(|c: char| !c.is_ascii_graphic(), "");
    let random: u64 = StdRng::from_os_rng().random();
    Owner(format!("{host:.32}-{}-{random:016x}", std::process::id()))
}
