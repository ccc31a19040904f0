//! `payonce copy`: moves a merchant from one database to another.
//!
//! Invariants: no node writes meanwhile; the source's schema and rows stay as they are; the target is not served before
//! everything is there and has been compared, and the source not after that; a copy that was cut short goes on where it
//! stopped.

mod reserved;
mod tables;
pub(crate) mod take_back;
#[cfg(test)]
mod tests;

use std::{io::Write as _, path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context as _, bail, ensure};
use payonce_core::{
    fault,
    store::archive::{Archive, Progress, Row, TABLES},
};
use payonce_server::config::{Environment, StoreSettings, StoreUrl};

use self::reserved::Reserved;
use crate::{
    args::CopyOptions,
    database::{self, Purpose},
};

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
        // Order matters: nothing is made at the target's place for a source that cannot be copied.
        let from = database::open_existing(&settings(from), Purpose::CopyFrom).await.context("--from")?;
        if !database::missing_migrations(&to).await.context("--to")?.is_empty() {
            reserved::refuse_if_moved_elsewhere(&*from, None).await?;
        }
        let to = database::open(&settings(to), Purpose::CopyInto).await.context("--to")?;
        let ends = Ends { from, to };
        let identity = ends.from.identity().await.context("--from")?;
        let other = ends.to.identity().await.context("--to")?;
        ensure!(identity != other, "--from and --to are one and the same database: name two");
        reserved::refuse_if_moved_elsewhere(&*ends.from, Some(&other)).await?;
        let mut reserved = Reserved::take(&ends).await?;
        let copied = copy(&ends, [&identity, &other], &mut reserved).await;
        reserved.release(&ends).await;
        print(&copied?, options.json)?;
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
            with_password.with_context(|| format!("{password} is set, but {argument} is a file: unset it"))
        }
    }
}

fn settings(url: StoreUrl) -> StoreSettings {
    StoreSettings { url, connections_max: 4, transactions_max: 1, migrate: true }
}

/// `source` and `target` are the identities of the two.
async fn copy(
    ends: &Ends,
    [source, target]: [&str; 2],
    reserved: &mut Reserved,
) -> anyhow::Result<tables::Report> {
    // Order matters: whoever reserves first and looks for nodes then sees the node that does it the other way round.
    reserved.check(ends).await?;
    let before = ends.to.progress().await.context("--to")?;
    if let Some(other) = before.iter().find(|table| table.source != source) {
        bail!(
            "--to holds an unfinished copy of another database ({}): finish that one, or take an empty database",
            other.source
        );
    }
    if before.is_empty() {
        let moved = reserved::moved_to(&*ends.from).await.context("--from")?;
        ensure!(
            moved.is_none(),
            "--from was moved to --to already: name --to in store.url, and start payonce"
        );
        begin(ends, source).await?;
    }
    fault!("copy: begun, nothing copied");
    reserved.sequence(ends).await?;
    tables::copy(ends, source, &before, reserved).await?;
    fault!("copy: all copied, nothing compared");
    let report = tables::compare(ends, reserved).await?;
    // A node that slipped in while this process was held up may have written what was not compared.
    reserved.check(ends).await?;
    fault!("copy: compared, the source not marked");
    // Order matters: at no time may both be served.
    reserved.mark_moved(ends, target).await?;
    fault!("copy: the source marked, the target not finished");
    ends.to.finish_copy(reserved.of_target()).await.context(
        "--to may be finished or not: run it again, which goes on or says that it is done; until then neither is served",
    )?;
    let moved = reserved::moved_to(&*ends.from).await.context("--from")?;
    ensure!(
        moved.is_some_and(|mark| mark.owner.0 == target),
        "the copy is whole, but --from was taken back meanwhile: serve one of them and empty the other"
    );
    Ok(report)
}

/// Marks an empty target: from now on it is not served before the copy is finished.
async fn begin(ends: &Ends, source: &str) -> anyhow::Result<()> {
    for table in &TABLES {
        let filled = !ends.to.rows_after(table, &[], 1).await.context("--to")?.is_empty();
        ensure!(!filled, "--to is not empty (table {}): take an empty database", table.name);
    }
    let nothing = Progress {
        table: TABLES[0].name.to_owned(),
        source: source.to_owned(),
        after: Row::new(),
        rows: 0,
        done: false,
    };
    ends.to.add_rows(&TABLES[0], &[], &nothing).await.context("--to")
}

fn print(report: &tables::Report, json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    if json {
        writeln!(out, "{}", serde_json::to_string(report)?)?;
        return Ok(());
    }
    for table in &report.tables {
        writeln!(out, "{:<20} {:>12} rows  {}", table.name, table.rows, table.sha256)?;
    }
    writeln!(
        out,
        "copied: name the new database in store.url, and start payonce; the old one is not served any more"
    )?;
    Ok(())
}
