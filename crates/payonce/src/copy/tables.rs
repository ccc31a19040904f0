//! Table by table: the rows over, and both sides compared.

use anyhow::{Context as _, ensure};
use aws_lc_rs::digest::{self, SHA256};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use payonce_core::{
    fault,
    store::{
        Counts,
        archive::{Archive, Progress, Row, TABLES, Table, Value},
    },
};
use serde::Serialize;

use super::{Ends, Reserved};

/// How many bytes are written in one transaction, more or less: a database's packet takes four times as much.
const WRITE_BYTES: usize = 4 << 20;

/// What was copied.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub tables: Vec<Copied>,
}

/// Of one table.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Copied {
    pub name: &'static str,
    pub rows: u64,
    /// Over all rows, in the order of their keys.
    pub sha256: String,
}

/// Copies what is not there yet; `before` says what is.
pub(super) async fn copy(
    ends: &Ends,
    source: &str,
    before: &[Progress],
    reserved: &mut Reserved,
) -> anyhow::Result<()> {
    // Only the bar needs it: in a great database it may take longer than a statement has.
    let bar = bar("copying", ends.from.counts().await.ok().as_ref().map(about));
    for table in &TABLES {
        let known = before.iter().find(|progress| progress.table == table.name);
        let mut progress = known.cloned().unwrap_or_else(|| Progress {
            table: table.name.to_owned(),
            source: source.to_owned(),
            after: Row::new(),
            rows: 0,
            done: false,
        });
        advance(&bar, progress.rows);
        while !progress.done {
            reserved.renew(ends).await?;
            let page = ends.from.rows_after(table, &progress.after, table.page).await.context("--from")?;
            let is_last = page.len() < table.page;
            let portions = portions(&page);
            for (number, portion) in portions.iter().enumerate() {
                if let Some(last) = portion.last() {
                    progress.after = last[..table.key].to_vec();
                }
                progress.rows += portion.len() as u64;
                progress.done = is_last && number + 1 == portions.len();
                reserved.renew(ends).await?;
                let added = ends.to.add_rows(table, portion, &progress).await;
                added.with_context(|| format!("--to: table {}", table.name))?;
                fault!("copy: a portion written");
                advance(&bar, portion.len() as u64);
            }
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// How many rows there are, but for a few kinds that are not counted.
fn about(counts: &Counts) -> u64 {
    let Counts { orders, payments, messages, incidents, receipts, rejected, unopened } = counts;
    orders + payments + messages + incidents + receipts + rejected + unopened
}

/// Rows that fit into one transaction each; one empty portion if there are none, so that progress is written.
fn portions(rows: &[Row]) -> Vec<&[Row]> {
    let (mut portions, mut from, mut bytes) = (Vec::new(), 0, 0);
    for (at, row) in rows.iter().enumerate() {
        let size: usize = row.iter().map(Value::bytes).sum();
        if at > from && bytes + size > WRITE_BYTES {
            portions.push(&rows[from..at]);
            (from, bytes) = (at, 0);
        }
        bytes += size;
    }
    portions.push(&rows[from..]);
    portions
}

/// Reads both sides whole, and compares counts and digests.
pub(super) async fn compare(ends: &Ends, reserved: &mut Reserved) -> anyhow::Result<Report> {
    let bar = bar("comparing", Some(TABLES.len() as u64));
    let mut tables = Vec::with_capacity(TABLES.len());
    for table in &TABLES {
        let from = read(&*ends.from, table, ends, reserved).await.context("--from")?;
        let to = read(&*ends.to, table, ends, reserved).await.context("--to")?;
        ensure!(
            from == to,
            "table {}: --from has {} rows with digest {}, --to {} with {}: one of them changed since the copy began; \
             --to will not be served: empty it and copy again",
            table.name,
            from.rows,
            from.sha256,
            to.rows,
            to.sha256
        );
        bar.inc(1);
        tables.push(to);
    }
    bar.finish_and_clear();
    Ok(Report { tables })
}

async fn read(
    database: &dyn Archive,
    table: &'static Table,
    ends: &Ends,
    reserved: &mut Reserved,
) -> anyhow::Result<Copied> {
    let (mut digest, mut rows, mut after) = (digest::Context::new(&SHA256), 0, Row::new());
    loop {
        reserved.renew(ends).await?;
        let page = database.rows_after(table, &after, table.page).await?;
        let Some(last) = page.last() else { break };
        after = last[..table.key].to_vec();
        rows += page.len() as u64;
        for value in page.iter().flatten() {
            update(&mut digest, value);
        }
    }
    let sha256 = digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Copied { name: table.name, rows, sha256 })
}

/// Each value with its kind and its length, so that no two rows read alike.
fn update(digest: &mut digest::Context, value: &Value) {
    let mut field = |kind: u8, bytes: &[u8]| {
        digest.update(&[kind]);
        digest.update(&(bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    };
    match value {
        Value::Null => field(0, b""),
        Value::Int(number) => field(1, &number.to_be_bytes()),
        // PostgreSQL cannot hold a NUL in a text, and has this in its place.
        Value::Text(text) => field(2, text.replace('\0', "\u{fffd}").as_bytes()),
        Value::Bytes(bytes) => field(3, bytes),
    }
}

/// On standard error, and only where somebody looks.
fn bar(what: &'static str, total: Option<u64>) -> ProgressBar {
    let template = "{msg:<10} {bar:40} {human_pos}/{human_len} {elapsed}, left {eta}";
    let style = ProgressStyle::with_template(template).expect("BUG: the template is well formed");
    ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr()).with_style(style).with_message(what)
}

/// Some rows are not in the total: it grows by them.
fn advance(bar: &ProgressBar, rows: u64) {
    bar.inc(rows);
    if bar.length().is_some_and(|total| total < bar.position()) {
        bar.set_length(bar.position());
    }
}
