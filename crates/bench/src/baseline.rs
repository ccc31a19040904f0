//! The baseline: what an official SDK's user writes today. Each callback is verified and decrypted, and takes effect in
//! a transaction of its own, on the same tables, with as many connections to the database as it has use for.

use std::{path::Path, sync::Arc};

use anyhow::Context;
use payonce_core::{SystemClock, store::Owner};
use payonce_server::{
    Grouping, Server,
    config::{Config, Environment, StoreUrl},
};
use tracing_subscriber::EnvFilter;

use crate::database::{self, Kind};

/// Connections, and so transactions at the same time. More brought no more on two cores.
const CONNECTIONS: usize = 16;

/// Serves, as a payonce configuration says, until it is killed.
pub(crate) fn serve(path: &Path) -> anyhow::Result<()> {
    let loaded =
        Config::load(Some(path), &Environment::default()).context("the benchmark's configuration")?;
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(EnvFilter::new("info"))
        .with_writer(std::io::stderr)
        .init();
    let config = loaded.config;
    let (kind, url) = match &config.store.url {
        StoreUrl::Sqlite(path) => (Kind::Sqlite, format!("sqlite://{}", path.display())),
        StoreUrl::Postgres(url) => (Kind::Postgres, url.expose().to_owned()),
        StoreUrl::MySql(url) => (Kind::Mysql, url.expose().to_owned()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = database::open(kind, &url, 2 * CONNECTIONS).await?;
        let owner = Owner("the baseline".to_owned());
        let server = Server::new(config, store, Arc::new(SystemClock), owner)
            .grouping(Grouping { lanes: CONNECTIONS, batch_facts_max: 1 });
        let mut server = server.start().await?;
        server.broken().await;
        anyhow::bail!("the baseline has ended by itself")
    })
}
