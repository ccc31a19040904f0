//! `payonce copy`: moves a merchant from one database to another.
//!
//! Invariants: no node writes meanwhile; the target is not served before everything is there and has been compared; a
//! copy that was cut short goes on where it stopped.

mod tables;

use std::{io::Write as _, path::Path, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context as _, bail, ensure};
use payonce_core::store::{
    Lease, Owner, Role,
    archive::{Archive, TABLES},
};
use payonce_server::config::{Environment, StoreSettings, StoreUrl};
use tokio::time::Instant;

use crate::{
    args::CopyOptions,
    database::{self, Purpose},
};

/// How long the databases are reserved without being reserved anew.
const TTL: Duration = Duration::from_secs(15);

/// How often that is done.
const HEARTBEAT: Duration = Duration::from_secs(3);

/// The two databases.
struct Ends {
    from: Arc<dyn Archive>,
    to: Arc<dyn Archive>,
}

pub(crate) fn run(options: &CopyOptions, environment: &Environment) -> anyhow::Result<ExitCode> {
    let from = url("--from", &options.from, "PAYONCE_COPY_FROM_PASSWORD", environment)?;
    let to = url("--to", &options.to, "PAYONCE_COPY_TO_PASSWORD", environment)?;
    // A store may block the thread that waits for it, and nothing else runs here.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        if let StoreUrl::Sqlite(path) = &from {
            ensure!(path.exists(), "--from: there is no file {}", path.display());
        }
        let ends = Ends { from: open(from).await.context("--from")?, to: open(to).await.context("--to")? };
        let source = ends.from.identity().await?;
        ensure!(source != ends.to.identity().await?, "--from and --to are one and the same database");
        let mut reserved = Reserved::take(&ends).await?;
        let copied = copy(&ends, &source, &mut reserved).await;
        reserved.release(&ends).await;
        let report = copied?;
        let mut out = std::io::stdout();
        if options.json {
            writeln!(out, "{}", serde_json::to_string(&report)?)?;
        } else {
            for table in &report.tables {
                writeln!(out, "{:<20} {:>12} rows  {}", table.name, table.rows, table.sha256)?;
            }
            writeln!(out, "copied: name the new database in store.url, and start payonce")?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn url(argument: &str, url: &str, password: &str, environment: &Environment) -> anyhow::Result<StoreUrl> {
    let parsed =
        StoreUrl::parse(url, Path::new("")).map_err(|problem| anyhow::anyhow!("{argument}: {problem}"))?;
    match environment.value(password) {
        None => Ok(parsed),
        Some(text) => {
            let with_password = parsed.with_password(text);
            with_password.with_context(|| format!("{password} is set, but {argument} is a file"))
        }
    }
}

async fn open(url: StoreUrl) -> anyhow::Result<Arc<dyn Archive>> {
    let settings = StoreSettings { url, connections_max: 4, transactions_max: 1, migrate: true };
    database::open(&settings, Purpose::Copy).await
}

async fn copy(ends: &Ends, source: &str, reserved: &mut Reserved) -> anyhow::Result<tables::Report> {
    let progress = ends.to.progress().await?;
    if let Some(other) = progress.iter().find(|table| table.source != source) {
        bail!(
            "--to holds an unfinished copy of another database ({}): finish that one, or take an empty database",
            other.source
        );
    }
    if progress.is_empty() {
        for table in &TABLES {
            let filled = !ends.to.rows_after(table, &[], 1).await?.is_empty();
            ensure!(!filled, "--to is not empty (table {}): take an empty database", table.name);
        }
    }
    reserved.sequence(&*ends.from).await?;
    tables::copy(ends, source, &progress, reserved).await?;
    let report = tables::compare(ends, reserved).await?;
    ends.to.finish_copy().await?;
    Ok(report)
}

/// Both databases, reserved for the copy: nodes do not start on them.
struct Reserved {
    owner: Owner,
    leases: [Lease; 2],
    renewed: Instant,
}

impl Reserved {
    async fn take(ends: &Ends) -> anyhow::Result<Self> {
        let owner = database::owner();
        let from = take(&*ends.from, &owner).await.context("--from")?;
        let taken = async {
            let to = take(&*ends.to, &owner).await.context("--to")?;
            no_nodes(&*ends.from).await.context("--from")?;
            no_nodes(&*ends.to).await.context("--to")?;
            anyhow::Ok(to)
        };
        match taken.await {
            Ok(to) => Ok(Self { owner, leases: [from, to], renewed: Instant::now() }),
            Err(error) => {
                // What is not given back is over in a moment.
                let _ = ends.from.release(&from).await;
                let _ = ends.to.lease(&Role::COPY, &owner, Duration::ZERO).await;
                Err(error)
            }
        }
    }

    /// Goes on, as long as the databases are reserved.
    async fn renew(&mut self, ends: &Ends) -> anyhow::Result<()> {
        if self.renewed.elapsed() < HEARTBEAT {
            return Ok(());
        }
        for (database, lease) in [&ends.from, &ends.to].into_iter().zip(&self.leases) {
            let renewed = database.lease(&Role::COPY, &self.owner, TTL).await?;
            ensure!(renewed.as_ref() == Some(lease), "another copy has taken over: run this one again later");
        }
        self.renewed = Instant::now();
        Ok(())
    }

    /// Gives positions to the last messages of a database that no node serves any longer.
    async fn sequence(&self, database: &dyn Archive) -> anyhow::Result<()> {
        if !database.needs_sequencer() {
            return Ok(());
        }
        let lease = database.lease(&Role::SEQUENCER, &self.owner, TTL).await?;
        let lease = lease.context("another process gives positions to messages: wait 15 s")?;
        while database.sequence(&lease, 100).await? > 0 {}
        Ok(database.release(&lease).await?)
    }

    async fn release(self, ends: &Ends) {
        for (database, lease) in [&ends.from, &ends.to].into_iter().zip(&self.leases) {
            // What is not given back is over in a moment.
            let _ = database.release(lease).await;
        }
    }
}

async fn take(database: &dyn Archive, owner: &Owner) -> anyhow::Result<Lease> {
    let lease = database.lease(&Role::COPY, owner, TTL).await?;
    lease.with_context(|| format!("another copy is at work; if it died, wait {} s", TTL.as_secs()))
}

async fn no_nodes(database: &dyn Archive) -> anyhow::Result<()> {
    let leases = database.leases().await?;
    match leases.iter().find(|view| view.lease.role.is_node() && !view.left.is_zero()) {
        None => Ok(()),
        Some(node) => bail!(
            "a node uses this database ({}): stop it; if it died, wait {} s",
            node.lease.owner,
            node.left.as_secs() + 1
        ),
    }
}
