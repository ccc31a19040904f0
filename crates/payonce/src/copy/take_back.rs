//! `payonce take-back`: serves a database again that `payonce copy` moved elsewhere.
//!
//! Nothing is copied back: whatever the other database learnt is not in this one. So the other one is to be named, as the
//! refusal to serve names it; a script does not come to it by accident.

use std::{io::Write as _, path::Path, process::ExitCode};

use anyhow::{Context as _, bail, ensure};
use payonce_core::store::Role;
use payonce_server::config::Environment;

use super::reserved;
use crate::{
    configuration,
    database::{self, Purpose},
};

pub(crate) fn run(target: &str, path: Option<&Path>, environment: &Environment) -> anyhow::Result<ExitCode> {
    let settings = configuration::load(path, environment)?.config.store;
    // A store may block the thread that waits for it, and nothing else runs here.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let database = database::open_existing(&settings, Purpose::Read).await.context("store.url")?;
        let Some(mark) = reserved::moved_to(&*database).await.context("store.url")? else {
            bail!("store.url: this database was not moved, there is nothing to take back");
        };
        let to = &mark.owner.0;
        ensure!(to == target, "store.url: this database was moved to {to}, not to {target}");
        let leases = database.leases().await.context("store.url")?;
        let copy = leases.iter().find(|view| view.lease.role == Role::COPY && !view.left.is_zero());
        if let Some(copy) = copy {
            let left = copy.left.as_secs() + 1;
            bail!(
                "store.url: a copy is at work ({}): let it end; if it died, wait {left} s",
                copy.lease.owner
            );
        }
        database.release(&mark).await.context("store.url")?;
        writeln!(std::io::stdout(), "taken back: start payonce on it, and never again on {target}")?;
        Ok(ExitCode::SUCCESS)
    })
}
