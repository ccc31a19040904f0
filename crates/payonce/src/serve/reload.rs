//! Keys, merchants and endpoints change while payonce runs: at SIGHUP, and when a file of the configuration does.
//!
//! Invariants: what does not load changes nothing, and is said; it is tried again until it loads, since what it lacks may
//! be in a file that it never came to. Deliberately absent: other settings, which need a start.

use std::{path::Path, time::Duration};

use anyhow::Context as _;
use payonce_server::{
    Running,
    config::{Environment, Loaded, Look, Seen},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Interval, MissedTickBehavior, interval},
};

use crate::configuration;

/// How often the files are looked at. Where they are mounted, a notice of their change cannot be relied on.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The files of the configuration, as they were when it was loaded.
pub(crate) struct Watch {
    files: Vec<Seen>,
    /// What the last attempt to load it again failed with.
    failed: Option<String>,
    /// What it was warned of then.
    warned: Vec<String>,
    hangup: Signal,
    ticks: Interval,
}

impl Watch {
    /// From this call on, SIGHUP does not end the process.
    pub(crate) fn begin(loaded: &Loaded) -> std::io::Result<Self> {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let hangup = signal(SignalKind::hangup())?;
        Ok(Self { files: loaded.files.clone(), failed: None, warned: Vec::new(), hangup, ticks })
    }

    /// Waits until there is a reason to load the configuration again.
    pub(crate) async fn changed(&mut self) {
        loop {
            tokio::select! {
                _ = self.hangup.recv() => {
                    // Whoever asks for it is told, also what was told before.
                    (self.failed, self.warned) = (None, Vec::new());
                    return;
                }
                _ = self.ticks.tick() => {
                    let changed = self.files.iter().any(|(file, before)| Look::at(file) != *before);
                    if changed || self.failed.is_some() {
                        return;
                    }
                }
            }
        }
    }

    /// Loads the configuration again, and takes over its merchants and endpoints.
    pub(crate) async fn reload(&mut self, path: Option<&Path>, environment: &Environment, server: &Running) {
        let failed = self.take_over(path, environment, server).await.err().map(|error| format!("{error:#}"));
        if let Some(error) = &failed
            && self.failed != failed
        {
            tracing::error!(
                error,
                "the configuration was not loaded again as a whole; what was loaded stays"
            );
        }
        self.failed = failed;
    }

    async fn take_over(
        &mut self,
        path: Option<&Path>,
        environment: &Environment,
        server: &Running,
    ) -> anyhow::Result<()> {
        let loaded = configuration::load(path, environment)?;
        loaded.config.ready_to_serve()?;
        let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
        // It may be tried again and again.
        if self.warned != warnings {
            for warning in &warnings {
                tracing::warn!("{warning}");
            }
            self.warned = warnings;
        }
        self.files = loaded.files;
        let merchants = loaded.config.merchants.len();
        let endpoints = loaded.config.endpoints.len();
        // Keys do not wait for endpoints: callbacks are refused without them.
        let configured = server.configure_endpoints(&loaded.config).await;
        server.reload(loaded.config)?;
        configured.context("merchants and keys were loaded again, and endpoints were not")?;
        tracing::info!(merchants, endpoints, "merchants, keys and endpoints were loaded again");
        Ok(())
    }
}
