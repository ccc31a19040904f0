//! The database that the configuration names, and this process' name in it.

use std::sync::Arc;

use anyhow::Context;
use payonce_core::{Store, store::Owner};
use payonce_server::config::{Config, StoreUrl};
use payonce_store_mysql::MySqlStore;
use payonce_store_postgres::PostgresStore;
use payonce_store_sqlite::SqliteStore;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

/// Opens the database.
pub(crate) async fn open(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    match &config.store.url {
        StoreUrl::Sqlite(path) => {
            let store = SqliteStore::open(&payonce_store_sqlite::Options::new(path))
                .with_context(|| format!("store.url: the database {}", path.display()))?;
            Ok(Arc::new(store))
        }
        StoreUrl::Postgres(url) => {
            let mut options = payonce_store_postgres::Options::new(url.expose()).context("store.url")?;
            options.connections_max = config.store.connections_max;
            options.migrate = config.store.migrate;
            Ok(Arc::new(PostgresStore::open(&options).await.context("store.url")?))
        }
        StoreUrl::MySql(url) => {
            let mut options = payonce_store_mysql::Options::new(url.expose()).context("store.url")?;
            options.connections_max = config.store.connections_max;
            options.migrate = config.store.migrate;
            Ok(Arc::new(MySqlStore::open(&options).await.context("store.url")?))
        }
    }
}

/// A name that no other process has: where it runs, for people, and 64 random bits.
pub(crate) fn owner() -> Owner {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim().replace(|c: char| !c.is_ascii_graphic(), "");
    let random: u64 = StdRng::from_os_rng().random();
    Owner(format!("{host:.32}-{}-{random:016x}", std::process::id()))
}
