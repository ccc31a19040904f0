//! `payonce serve`.

use std::{path::Path, process::ExitCode, sync::Arc};

use anyhow::Context;
use payonce_core::{Store, SystemClock};
use payonce_server::{
    Server,
    config::{Config, Environment, StoreUrl},
};
use payonce_store_sqlite::{Options, SqliteStore};

use crate::{configuration, logs, signals};

pub(crate) fn run(path: Option<&Path>, environment: &Environment) -> anyhow::Result<ExitCode> {
    let loaded = configuration::load(path, environment)?;
    let config = loaded.config;
    logs::start(&config.log)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    config.ready_to_serve()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = open_store(&config)?;
        let mut server = Server::new(config, store, Arc::new(SystemClock)).start().await?;
        let broken = tokio::select! {
            asked = signals::asked_to_stop() => { asked?; false }
            () = server.broken() => true,
        };
        server.stop().await;
        anyhow::ensure!(
            !broken,
            "the applier has ended by a fault: nothing acknowledged is lost; start payonce again"
        );
        Ok(ExitCode::SUCCESS)
    })
}

/// Opens the database that the configuration names.
pub(crate) fn open_store(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    match &config.store {
        StoreUrl::Sqlite(path) => {
            let store = SqliteStore::open(&Options::new(path))
                .with_context(|| format!("store.url: the database {}", path.display()))?;
            Ok(Arc::new(store))
        }
    }
}
