//! Notes: refused callbacks (bounded), callbacks that did not open, and receipts of cached answers; and how what need
//! not be kept is forgotten.

use std::time::Duration;

use payonce_core::{
    MerchantId, NotificationId, StoreError, UnixMillis,
    store::{
        Note, Owner, Receipt, Rejected, RejectedRow, Unopened, UnopenedRow,
        prune::{Looked, Window},
    },
};
use rusqlite::{Connection, Row, params};

use crate::{
    errors::class,
    leases::{NOW, millis},
    outbox::failures,
    rows::{RowError, read, text},
    save::insert_receipts,
};

pub(crate) fn write(connection: &Connection, notes: &[Note]) -> Result<(), StoreError> {
    let mut receipts: Vec<Receipt> = Vec::new();
    for note in notes {
        match note {
            Note::Answered(receipt) => receipts.push(receipt.clone()),
            Note::Rejected(callback) => reject(connection, callback)?,
            Note::Unopened(callback) => set_aside(connection, callback)?,
        }
    }
    insert_receipts(connection, &receipts)
}

fn reject(connection: &Connection, callback: &Rejected) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO rejected (received_at, path_merchant, http_status, verdict, reason, headers, body) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .and_then(|mut insert| {
            insert.execute(params![
                callback.received_at.0,
                callback.path_merchant,
                callback.http_status,
                callback.verdict,
                callback.reason,
                callback.headers,
                callback.body,
            ])
        })
        .map(drop)
        .map_err(class)
}

pub(crate) fn forget_rejected(
    connection: &Connection,
    last: RejectedRow,
    rows_max: usize,
) -> Result<usize, StoreError> {
    let rows_max = i64::try_from(rows_max).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "DELETE FROM rejected WHERE id IN (SELECT id FROM rejected WHERE id <= ?1 ORDER BY id LIMIT ?2)",
        )
        .and_then(|mut delete| delete.execute([last.0, rows_max]))
        .map_err(class)
}

fn set_aside(connection: &Connection, callback: &Unopened) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO unopened (mchid, notification_id, received_at, headers, body) \
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (mchid, notification_id) DO NOTHING",
        )
        .and_then(|mut insert| {
            insert.execute(params![
                callback.merchant.as_str(),
                callback.notification.as_str(),
                callback.received_at.0,
                callback.headers,
                callback.body,
            ])
        })
        .map(drop)
        .map_err(class)
}

/// Takes the earliest that no other owner has.
pub(crate) fn take_unopened(
    connection: &Connection,
    owner: &Owner,
    ttl: Duration,
    after: UnopenedRow,
    limit: usize,
) -> Result<Vec<(UnopenedRow, Unopened)>, StoreError> {
    let mut take = connection
        .prepare_cached(&format!(
            "UPDATE unopened SET taken_by = ?1, taken_until = {NOW} + ?2 WHERE id IN \
             (SELECT id FROM unopened WHERE id > ?3 AND (taken_until IS NULL OR taken_until <= {NOW} OR taken_by = ?1) \
              ORDER BY id LIMIT ?4) \
             RETURNING id, mchid, notification_id, received_at, headers, body"
        ))
        .map_err(class)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut found = take.query(params![owner.0, millis(ttl), after.0, limit]).map_err(class)?;
    let mut taken = Vec::new();
    while let Some(row) = found.next().map_err(class)? {
        taken.push(unopened(row)?);
    }
    // SQLite returns changed rows in no order.
    taken.sort_by_key(|(row, _)| *row);
    Ok(taken)
}

fn unopened(row: &Row<'_>) -> Result<(UnopenedRow, Unopened), RowError> {
    let callback = Unopened {
        merchant: read("unopened.mchid", MerchantId::parse(text(row, 1)?))?,
        notification: read("unopened.notification_id", NotificationId::parse(text(row, 2)?))?,
        received_at: UnixMillis(row.get(3)?),
        headers: row.get(4)?,
        body: row.get(5)?,
    };
    Ok((UnopenedRow(row.get(0)?), callback))
}

/// How far each table was looked through.
#[derive(Debug, Default)]
pub(crate) struct LookedThrough {
    receipts: Looked,
    rejected: Looked,
    pub(crate) attempts: Looked,
}

/// Forgets what came before; returns how many rows went of the table that lost most.
pub(crate) fn prune(
    connection: &Connection,
    looked: &LookedThrough,
    before: UnixMillis,
    rows_max: usize,
) -> Result<usize, StoreError> {
    let mut most = 0;
    for (looked, table) in [(&looked.receipts, "receipt"), (&looked.rejected, "rejected")] {
        let mut windows = looked.windows(rows_max);
        while let Some((after, limit)) = windows.next() {
            windows.found(forget_old(connection, table, before, after, limit)?);
        }
        most = most.max(windows.gone());
    }
    Ok(most.max(failures::prune(connection, before, rows_max)?))
}

/// Deletes what is old among up to `limit` rows after one.
fn forget_old(
    connection: &Connection,
    table: &str,
    before: UnixMillis,
    after: i64,
    limit: usize,
) -> Result<Window, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let look = format!(
        "SELECT count(*), coalesce(max(id), 0) FROM (SELECT id FROM {table} WHERE id > ?1 ORDER BY id LIMIT ?2)"
    );
    let (rows, last): (i64, i64) = connection
        .prepare_cached(&look)
        .and_then(|mut look| look.query_row([after, limit], |row| Ok((row.get(0)?, row.get(1)?))))
        .map_err(class)?;
    let gone = connection
        .prepare_cached(&format!("DELETE FROM {table} WHERE id > ?1 AND id <= ?2 AND received_at < ?3"))
        .and_then(|mut forget| forget.execute([after, last, before.0]))
        .map_err(class)?;
    Ok(Window::of(rows, last, gone as u64))
}
