//! A callback that the server kept: one that was refused, or one that did not open.
//!
//! Deliberately absent: methods of the store for it. Rows are read as `payonce copy` reads them.

use std::iter::zip;

use anyhow::{Context as _, bail};
use payonce_core::{
    UnixMillis,
    store::archive::{Archive, TABLES, Table, Value},
};
use payonce_server::{KEPT_BODY_BYTES_MAX, config::StoreSettings};
use wechatpay::UnixSeconds;

use super::input::Saved;
use crate::{
    args::CallbackSource,
    database::{self, Purpose},
};

/// Reads the row that the command line names.
pub(super) fn read(source: &CallbackSource, settings: &StoreSettings) -> anyhow::Result<Saved> {
    let (name, number) = match source {
        CallbackSource { rejected: Some(number), .. } => ("rejected", Some(*number)),
        CallbackSource { unopened: Some(number), .. } => ("unopened", Some(*number)),
        CallbackSource { last_unopened: true, .. } => ("unopened", None),
        CallbackSource { .. } => ("rejected", None),
    };
    let table = TABLES.iter().find(|table| table.name == name).expect("BUG: both tables are copied");
    // A store may block the thread that waits for it, and nothing else runs here.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let database = database::open_existing(settings, Purpose::Read).await.context("store.url")?;
        let number = match number {
            Some(number) => number,
            None => last(&*database, table).await?,
        };
        row(&*database, table, number).await
    })
}

/// The number of the last row.
async fn last(database: &dyn Archive, table: &Table) -> anyhow::Result<i64> {
    let last = database::last_row(database, table).await?;
    if last == 0 {
        bail!("there is none: the table {} is empty", table.name);
    }
    Ok(last)
}

async fn row(database: &dyn Archive, table: &Table, number: i64) -> anyhow::Result<Saved> {
    let after = [Value::Int(number.saturating_sub(1))];
    let rows = database.rows_after(table, &after, 1).await?;
    let row = rows.into_iter().find(|row| row.first() == Some(&Value::Int(number)));
    let Some(row) = row else {
        bail!(
            "the table {} has no row {number}; old ones go (retention.rejected_rows_max, callback_days)",
            table.name
        );
    };
    let mut saved = Saved { source: format!("row {number} of the table {}", table.name), ..Saved::default() };
    for ((column, _), value) in zip(table.columns, row) {
        match (*column, value) {
            ("received_at", Value::Int(millis)) => {
                saved.received_at = Some(UnixSeconds(UnixMillis(millis).seconds()));
            }
            ("path_merchant" | "mchid", Value::Text(merchant)) => saved.merchant = Some(merchant),
            ("headers", Value::Text(lines)) => saved.headers = headers(&lines),
            ("body", Value::Bytes(body)) => saved.body = body,
            ("reason", Value::Text(reason)) => saved.notes.push(format!("it was refused then: {reason}")),
            _ => {}
        }
    }
    if table.name == "rejected" && saved.body.len() == KEPT_BODY_BYTES_MAX {
        let note =
            format!("of a refused body no more than {KEPT_BODY_BYTES_MAX} bytes are kept: it may be cut");
        saved.notes.push(note);
    }
    Ok(saved)
}

fn headers(lines: &str) -> Vec<(String, Vec<u8>)> {
    let pairs = lines.lines().filter_map(|line| line.split_once(": "));
    pairs.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).collect()
}
