//! `payonce take-back`: serves a database again that `payonce copy` moved elsewhere.
//!
//! Nothing is copied back: whatever the other database learnt is not in this one. So the other one is to be named, as the
//! refusal to serve names it; a script does not come to it by accident.

use std::{io::Write as _, path::Path, process::ExitCode};

use anyhow::{Context as _, bail, ensure};
use payonce_core::store::{Lease, archive::Archive};
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
        // Order matters: no copy comes to its end while the mark goes, and none that came to it before is overlooked.
        let reserved = reserved::take(&*database, &database::owner()).await.context("store.url")?;
        let released = release(&*database, &mark).await;
        // What is not given back is over in a moment.
        let _ = database.release(&reserved).await;
        released.context("store.url")?;
        writeln!(std::io::stdout(), "taken back: start payonce on it, and never again on {target}")?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Takes the mark away, if it still is the one.
async fn release(database: &dyn Archive, mark: &Lease) -> anyhow::Result<()> {
    let again = reserved::moved_to(database).await?;
    ensure!(again.as_ref() == Some(mark), "what was moved has changed meanwhile: run it again");
    Ok(database.release(mark).await?)
}
