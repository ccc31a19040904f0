//! The database that the configuration names, and this process' name in it.

use std::sync::Arc;

use anyhow::Context;
use payonce_core::store::{Owner, archive::Archive};
use payonce_server::config::{StoreSettings, StoreUrl};
use payonce_store_mysql::MySqlStore;
use payonce_store_postgres::PostgresStore;
use payonce_store_sqlite::SqliteStore;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

/// What a database is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Serve,
    /// To copy from it or into it: a copy that was not finished may be opened.
    Copy,
    /// To bring its schema up to date, whatever the configuration says of that.
    Migrate,
}

/// Opens the database, and brings its schema up to date if the settings or the purpose allow it.
pub(crate) async fn open(settings: &StoreSettings, purpose: Purpose) -> anyhow::Result<Arc<dyn Archive>> {
    let copying = purpose == Purpose::Copy;
    let migrate = settings.migrate || purpose == Purpose::Migrate;
    match &settings.url {
        StoreUrl::Sqlite(path) => {
            let mut options = payonce_store_sqlite::Options::new(path);
            options.copying = copying;
            let store = SqliteStore::open(&options)
                .with_context(|| format!("store.url: the database {}", path.display()))?;
            Ok(Arc::new(store))
        }
        StoreUrl::Postgres(url) => {
            let mut options = payonce_store_postgres::Options::new(url.expose()).context("store.url")?;
            options.connections_max = settings.connections_max;
            (options.migrate, options.copying) = (migrate, copying);
            Ok(Arc::new(PostgresStore::open(&options).await.context("store.url")?))
        }
        StoreUrl::MySql(url) => {
            let mut options = payonce_store_mysql::Options::new(url.expose()).context("store.url")?;
            options.connections_max = settings.connections_max;
            (options.migrate, options.copying) = (migrate, copying);
            Ok(Arc::new(MySqlStore::open(&options).await.context("store.url")?))
        }
    }
}

/// The names of the migrations that the database lacks.
pub(crate) async fn missing_migrations(url: &StoreUrl) -> anyhow::Result<Vec<String>> {
    let missing = match url {
        StoreUrl::Sqlite(path) => payonce_store_sqlite::plan(path),
        StoreUrl::Postgres(url) => {
            let options = payonce_store_postgres::Options::new(url.expose()).context("store.url")?;
            payonce_store_postgres::plan(&options).await
        }
        StoreUrl::MySql(url) => {
            let options = payonce_store_mysql::Options::new(url.expose()).context("store.url")?;
            payonce_store_mysql::plan(&options).await
        }
    };
    missing.context("store.url")
}

/// A name that no other process has: where it runs, for people, and 64 random bits.
pub(crate) fn owner() -> Owner {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim().replace(|c: char| !c.is_ascii_graphic(), "");
    let random: u64 = StdRng::from_os_rng().random();
    Owner(format!("{host:.32}-{}-{random:016x}", std::process::id()))
}
