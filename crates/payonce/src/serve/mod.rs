//! `payonce serve`.

mod reload;

use std::{path::Path, process::ExitCode, sync::Arc};

use anyhow::Context as _;
use payonce_core::SystemClock;
use payonce_server::{Server, config::Environment};

use self::reload::Watch;
use crate::{
    configuration,
    database::{self, Purpose},
    logs, signals,
};

pub(crate) fn run(path: Option<&Path>, environment: &Environment) -> anyhow::Result<ExitCode> {
    let loaded = configuration::load(path, environment)?;
    logs::start(&loaded.config.log)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    loaded.config.ready_to_serve()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = database::open(&loaded.config.store, Purpose::Serve).await.context("store.url")?;
        // Order matters: whoever sees the server listen may ask it to stop.
        let asked_to_stop = signals::asked_to_stop()?;
        let mut watch = Watch::begin(&loaded)?;
        let mut server =
            Server::new(loaded.config, store, Arc::new(SystemClock), database::owner()).start().await?;
        tokio::pin!(asked_to_stop);
        let broken = loop {
            tokio::select! {
                () = &mut asked_to_stop => break None,
                broken = server.broken() => break Some(broken),
                () = watch.changed() => watch.reload(path, environment, &server).await,
            }
        };
        server.stop().await;
        match broken {
            None => Ok(ExitCode::SUCCESS),
            Some(broken) => Err(broken.into()),
        }
    })
}
