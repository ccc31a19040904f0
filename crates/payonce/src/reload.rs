//! Keys and merchants change while payonce runs: at SIGHUP, and when a file of the configuration does.
//!
//! Invariant: what does not load changes nothing, and is said. Deliberately absent: other settings, which need a start.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use payonce_server::{
    Running,
    config::{Environment, Loaded},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Interval, MissedTickBehavior, interval},
};

use crate::configuration;

/// How often the files are looked at. Where they are mounted, a notice of their change cannot be relied on.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What a file looks like from outside.
type Look = Option<(SystemTime, u64)>;

/// The files of the configuration, as they were when it was loaded.
pub(crate) struct Watch {
    files: Vec<(PathBuf, Look)>,
    hangup: Signal,
    ticks: Interval,
}

impl Watch {
    /// From this call on, SIGHUP does not end the process.
    pub(crate) fn begin(loaded: &Loaded) -> std::io::Result<Self> {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self { files: looks(&loaded.files), hangup: signal(SignalKind::hangup())?, ticks })
    }

    /// Waits until there is a reason to load the configuration again.
    pub(crate) async fn changed(&mut self) {
        loop {
            tokio::select! {
                _ = self.hangup.recv() => return,
                _ = self.ticks.tick() => {
                    if self.files.iter().any(|(file, before)| look(file) != *before) {
                        return;
                    }
                }
            }
        }
    }

    /// Loads the configuration again, and takes over its merchants.
    pub(crate) fn reload(&mut self, path: Option<&Path>, environment: &Environment, server: &Running) {
        // Order matters: a file that changes while it is read is looked at again.
        let before = self.files.iter().map(|(file, _)| file.clone()).collect::<Vec<_>>();
        self.files = looks(&before);
        let loaded = configuration::load(path, environment).and_then(|loaded| {
            loaded.config.ready_to_serve()?;
            Ok(loaded)
        });
        match loaded {
            Ok(loaded) => {
                for warning in &loaded.warnings {
                    tracing::warn!("{warning}");
                }
                let fresh = loaded.files.iter().filter(|file| !before.contains(file));
                self.files.extend(looks(&fresh.cloned().collect::<Vec<_>>()));
                let merchants = loaded.config.merchants.len();
                match server.reload(loaded.config) {
                    Ok(()) => tracing::info!(merchants, "merchants and keys were loaded again"),
                    Err(error) => tracing::error!(%error, "certificates are not refreshed"),
                }
            }
            Err(error) => {
                tracing::error!(%error, "the configuration was not loaded again; what was loaded stays");
            }
        }
    }
}

fn looks(files: &[PathBuf]) -> Vec<(PathBuf, Look)> {
    files.iter().map(|file| (file.clone(), look(file))).collect()
}

fn look(file: &Path) -> Look {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
