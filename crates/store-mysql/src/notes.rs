//! Notes: refused callbacks (bounded), callbacks that did not open, and receipts of cached answers; and how what need
//! not be kept is forgotten.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use payonce_core::{
    MerchantId, NotificationId, StoreError, UnixMillis,
    store::{
        Note, Owner, Receipt, Rejected, RejectedRow, Unopened, UnopenedRow,
        prune::{Looked, Window},
    },
};
use sqlx::{MySqlConnection, mysql::MySqlRow};

use crate::{
    errors::class,
    leases::{millis, now},
    outbox::failures,
    rows::{ascii, free_text, json, json_table, limit_of, portions, read, value},
    save::insert_receipts,
};

/// Returns whether a row was written, for certain.
pub(crate) async fn write(connection: &mut MySqlConnection, notes: &[Note]) -> Result<bool, StoreError> {
    let mut receipts: Vec<&Receipt> = Vec::new();
    let mut rejected: Vec<&Rejected> = Vec::new();
    let mut unopened: Vec<&Unopened> = Vec::new();
    for note in notes {
        match note {
            Note::Answered(receipt) => receipts.push(receipt),
            Note::Rejected(callback) => rejected.push(callback),
            Note::Unopened(callback) => unopened.push(callback),
        }
    }
    reject(connection, &rejected).await?;
    // What is set aside may stand there already; it was not acknowledged, so that WeChat sends it again.
    set_aside(connection, &unopened).await?;
    insert_receipts(connection, &receipts).await?;
    Ok(!rejected.is_empty() || !receipts.is_empty())
}

async fn reject(connection: &mut MySqlConnection, callbacks: &[&Rejected]) -> Result<(), StoreError> {
    const INSERT: &str = concat!(
        "INSERT INTO payonce_rejected (received_at, path_merchant, http_status, verdict, reason, headers, body) \
         SELECT j.received_at, j.path_merchant, j.http_status, j.verdict, j.reason, j.headers, FROM_BASE64(j.body) FROM ",
        json_table!(
            "received_at" "BIGINT", 0; "path_merchant" free_text!(), 1; "http_status" "INT", 2;
            "verdict" free_text!(), 3; "reason" free_text!(), 4; "headers" free_text!(), 5; "body" free_text!(), 6
        )
    );
    for portion in portions(callbacks, |callback| callback.headers.len() + callback.body.len()) {
        let rows = json(portion.iter().map(|callback| {
            let Rejected { received_at, path_merchant, http_status, verdict, reason, headers, body } =
                callback;
            let body = BASE64_STANDARD.encode(body);
            (received_at.0, path_merchant, http_status, verdict, reason, headers, body)
        }));
        sqlx::query(INSERT).bind(rows).execute(&mut *connection).await.map_err(class)?;
    }
    Ok(())
}

pub(crate) async fn forget_rejected(
    connection: &mut MySqlConnection,
    last: RejectedRow,
    rows_max: usize,
) -> Result<usize, StoreError> {
    let delete = sqlx::query("DELETE FROM payonce_rejected WHERE id <= ? ORDER BY id LIMIT ?");
    let gone = delete.bind(last.0).bind(limit_of(rows_max)).execute(connection).await.map_err(class)?;
    Ok(usize::try_from(gone.rows_affected()).unwrap_or(usize::MAX))
}

/// A callback that is kept already stays as it first came.
async fn set_aside(connection: &mut MySqlConnection, callbacks: &[&Unopened]) -> Result<(), StoreError> {
    const INSERT: &str = concat!(
        "INSERT INTO payonce_unopened (mchid, notification_id, received_at, headers, body) \
         SELECT j.mchid, j.notification_id, j.received_at, j.headers, FROM_BASE64(j.body) FROM ",
        json_table!(
            "mchid" ascii!(32), 0; "notification_id" ascii!(64), 1; "received_at" "BIGINT", 2;
            "headers" free_text!(), 3; "body" free_text!(), 4
        ),
        " ON DUPLICATE KEY UPDATE mchid = payonce_unopened.mchid"
    );
    for portion in portions(callbacks, |callback| callback.headers.len() + callback.body.len()) {
        let rows = json(portion.iter().map(|callback| {
            let (mchid, id) = (callback.merchant.as_str(), callback.notification.as_str());
            (mchid, id, callback.received_at.0, &callback.headers, BASE64_STANDARD.encode(&callback.body))
        }));
        sqlx::query(INSERT).bind(rows).execute(&mut *connection).await.map_err(class)?;
    }
    Ok(())
}

/// Takes the earliest that no other owner has, passing over those that another is just taking. In a transaction.
pub(crate) async fn take_unopened(
    connection: &mut MySqlConnection,
    owner: &Owner,
    ttl: Duration,
    after: UnopenedRow,
    limit: usize,
) -> Result<Vec<(UnopenedRow, Unopened)>, StoreError> {
    const FREE: &str = concat!(
        "SELECT id, mchid, notification_id, received_at, headers, body FROM payonce_unopened FORCE INDEX (PRIMARY) \
         WHERE id > ? AND (taken_until IS NULL OR taken_until <= ",
        now!(),
        " OR taken_by = ?) ORDER BY id LIMIT ? FOR UPDATE SKIP LOCKED"
    );
    const TAKE: &str = concat!(
        "UPDATE ",
        json_table!("id" "BIGINT", 0),
        " STRAIGHT_JOIN payonce_unopened u FORCE INDEX (PRIMARY) ON u.id = j.id SET u.taken_by = ?, u.taken_until = ",
        now!(),
        " + ?"
    );
    let free = sqlx::query(FREE).bind(after.0).bind(owner.0.as_str()).bind(limit_of(limit));
    let rows = free.fetch_all(&mut *connection).await.map_err(class)?;
    let taken = rows.iter().map(unopened).collect::<Result<Vec<_>, _>>()?;
    if !taken.is_empty() {
        let ids = json(taken.iter().map(|(row, _)| (row.0,)));
        let take = sqlx::query(TAKE).bind(ids).bind(owner.0.as_str()).bind(millis(ttl));
        take.execute(connection).await.map_err(class)?;
    }
    Ok(taken)
}

fn unopened(row: &MySqlRow) -> Result<(UnopenedRow, Unopened), StoreError> {
    let callback = Unopened {
        merchant: read("unopened.mchid", MerchantId::parse(value(row, 1)?))?,
        notification: read("unopened.notification_id", NotificationId::parse(value(row, 2)?))?,
        received_at: UnixMillis(value(row, 3)?),
        headers: value(row, 4)?,
        body: value(row, 5)?,
    };
    Ok((UnopenedRow(value(row, 0)?), callback))
}

pub(crate) async fn return_unopened(
    connection: &mut MySqlConnection,
    owner: &Owner,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE payonce_unopened SET taken_by = NULL, taken_until = NULL WHERE taken_by = ?")
        .bind(owner.0.as_str())
        .execute(connection)
        .await
        .map(drop)
        .map_err(class)
}

pub(crate) async fn forget_unopened(
    connection: &mut MySqlConnection,
    merchant: &MerchantId,
    id: &NotificationId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM payonce_unopened WHERE mchid = ? AND notification_id = ?")
        .bind(merchant.as_str())
        .bind(id.as_str())
        .execute(connection)
        .await
        .map(drop)
        .map_err(class)
}

/// How far each table was looked through.
#[derive(Debug, Default)]
pub(crate) struct LookedThrough {
    receipts: Looked,
    rejected: Looked,
    pub(crate) attempts: Looked,
}

/// Some rows after another: how many there are, which is the last, and how many of them came before a time.
macro_rules! look {
    ($table:literal) => {
        concat!(
            "SELECT COUNT(*), COALESCE(MAX(id), 0), COUNT(IF(received_at < ?, 1, NULL)) \
             FROM (SELECT id, received_at FROM payonce_",
            $table,
            " WHERE id > ? ORDER BY id LIMIT ?) looked"
        )
    };
}

/// Deletes those of the window.
macro_rules! forget {
    ($table:literal) => {
        concat!("DELETE FROM payonce_", $table, " WHERE received_at < ? AND id > ? AND id <= ?")
    };
}

/// Forgets what came before; returns how many rows went of the table that lost most.
pub(crate) async fn prune(
    connection: &mut MySqlConnection,
    looked: &LookedThrough,
    before: UnixMillis,
    rows_max: usize,
) -> Result<usize, StoreError> {
    let mut most = 0;
    for (looked, look, forget) in [
        (&looked.receipts, look!("receipt"), forget!("receipt")),
        (&looked.rejected, look!("rejected"), forget!("rejected")),
    ] {
        let mut windows = looked.windows(rows_max);
        while let Some((after, limit)) = windows.next() {
            let look = sqlx::query(look).bind(before.0).bind(after).bind(limit_of(limit));
            let row = look.fetch_one(&mut *connection).await.map_err(class)?;
            let (rows, last, old): (i64, i64, i64) = (value(&row, 0)?, value(&row, 1)?, value(&row, 2)?);
            let mut gone = 0;
            if old > 0 {
                let forget = sqlx::query(forget).bind(before.0).bind(after).bind(last);
                gone = forget.execute(&mut *connection).await.map_err(class)?.rows_affected();
            }
            windows.found(Window::of(rows, last, gone));
        }
        most = most.max(windows.gone());
    }
    Ok(most.max(failures::prune(connection, before, rows_max).await?))
}
