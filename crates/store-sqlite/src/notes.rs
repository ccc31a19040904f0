//! Notes: refused callbacks (bounded), callbacks that did not open, and receipts of cached answers.

use payonce_core::{
    StoreError,
    store::{Note, Receipt, Rejected, Retention, Unopened},
};
use rusqlite::{Connection, params};

use crate::{errors::class, save::insert_receipts};

pub(crate) fn write(
    connection: &Connection,
    notes: &[Note],
    retention: &Retention,
) -> Result<(), StoreError> {
    let mut receipts: Vec<Receipt> = Vec::new();
    let mut rejected = false;
    for note in notes {
        match note {
            Note::Answered(receipt) => receipts.push(receipt.clone()),
            Note::Rejected(callback) => {
                reject(connection, callback)?;
                rejected = true;
            }
            Note::Unopened(callback) => set_aside(connection, callback)?,
        }
    }
    if rejected {
        forget_oldest_rejected(connection, retention)?;
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

fn forget_oldest_rejected(connection: &Connection, retention: &Retention) -> Result<(), StoreError> {
    let rows_max = i64::try_from(retention.rejected_rows_max).unwrap_or(i64::MAX);
    connection
        .prepare_cached("DELETE FROM rejected WHERE id <= (SELECT max(id) FROM rejected) - ?1")
        .and_then(|mut delete| delete.execute([rows_max]))
        .map(drop)
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
