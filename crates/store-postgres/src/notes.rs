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
use sqlx::{PgConnection, postgres::PgRow};

use crate::{
    errors::class,
    leases::{millis, now},
    outbox::failures,
    rows::{column, limit_of, read, storable, value},
    save::insert_receipts,
};

pub(crate) async fn write(connection: &mut PgConnection, notes: &[Note]) -> Result<(), StoreError> {
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
    if !rejected.is_empty() {
        reject(connection, &rejected).await?;
    }
    if !unopened.is_empty() {
        set_aside(connection, &unopened).await?;
    }
    insert_receipts(connection, &receipts).await
}

async fn reject(connection: &mut PgConnection, callbacks: &[&Rejected]) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO payonce.rejected (received_at, path_merchant, http_status, verdict, reason, headers, body) \
         SELECT * FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::bytea[])",
    )
    .bind(column(callbacks, |callback| callback.received_at.0))
    .bind(column(callbacks, |callback| storable(&callback.path_merchant)))
    .bind(column(callbacks, |callback| i32::from(callback.http_status)))
    .bind(column(callbacks, |callback| storable(&callback.verdict)))
    .bind(column(callbacks, |callback| storable(&callback.reason)))
    .bind(column(callbacks, |callback| storable(&callback.headers)))
    .bind(column(callbacks, |callback| callback.body.as_slice()))
    .execute(connection)
    .await
    .map(drop)
    .map_err(class)
}

pub(crate) async fn forget_rejected(
    connection: &mut PgConnection,
    last: RejectedRow,
    rows_max: usize,
) -> Result<usize, StoreError> {
    let delete = sqlx::query(
        "DELETE FROM payonce.rejected WHERE id IN \
         (SELECT id FROM payonce.rejected WHERE id <= $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)",
    );
    let gone = delete.bind(last.0).bind(limit_of(rows_max)).execute(connection).await.map_err(class)?;
    Ok(usize::try_from(gone.rows_affected()).unwrap_or(usize::MAX))
}

async fn set_aside(connection: &mut PgConnection, callbacks: &[&Unopened]) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO payonce.unopened (mchid, notification_id, received_at, headers, body) \
         SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bytea[]) \
         ON CONFLICT (mchid, notification_id) DO NOTHING",
    )
    .bind(column(callbacks, |callback| callback.merchant.as_str()))
    .bind(column(callbacks, |callback| callback.notification.as_str()))
    .bind(column(callbacks, |callback| callback.received_at.0))
    .bind(column(callbacks, |callback| storable(&callback.headers)))
    .bind(column(callbacks, |callback| callback.body.as_slice()))
    .execute(connection)
    .await
    .map(drop)
    .map_err(class)
}

/// Takes the earliest that no other owner has, passing over those that another is just taking.
pub(crate) async fn take_unopened(
    connection: &mut PgConnection,
    owner: &Owner,
    ttl: Duration,
    after: UnopenedRow,
    limit: usize,
) -> Result<Vec<(UnopenedRow, Unopened)>, StoreError> {
    const TAKE: &str = concat!(
        "WITH free AS (SELECT id FROM payonce.unopened \
           WHERE id > $3 AND (taken_until IS NULL OR taken_until <= ",
        now!(),
        " OR taken_by = $1) ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED) \
         UPDATE payonce.unopened u SET taken_by = $1, taken_until = ",
        now!(),
        " + $2 FROM free WHERE u.id = free.id \
         RETURNING u.id, u.mchid, u.notification_id, u.received_at, u.headers, u.body"
    );
    let take = sqlx::query(TAKE).bind(owner.0.as_str()).bind(millis(ttl)).bind(after.0).bind(limit_of(limit));
    let rows = take.fetch_all(connection).await.map_err(class)?;
    let mut taken = rows.iter().map(unopened).collect::<Result<Vec<_>, _>>()?;
    taken.sort_by_key(|(row, _)| *row);
    Ok(taken)
}

fn unopened(row: &PgRow) -> Result<(UnopenedRow, Unopened), StoreError> {
    let callback = Unopened {
        merchant: read("unopened.mchid", MerchantId::parse(value(row, 1)?))?,
        notification: read("unopened.notification_id", NotificationId::parse(value(row, 2)?))?,
        received_at: UnixMillis(value(row, 3)?),
        headers: value(row, 4)?,
        body: value(row, 5)?,
    };
    Ok((UnopenedRow(value(row, 0)?), callback))
}

pub(crate) async fn return_unopened(connection: &mut PgConnection, owner: &Owner) -> Result<(), StoreError> {
    sqlx::query("UPDATE payonce.unopened SET taken_by = NULL, taken_until = NULL WHERE taken_by = $1")
        .bind(owner.0.as_str())
        .execute(connection)
        .await
        .map(drop)
        .map_err(class)
}

pub(crate) async fn forget_unopened(
    connection: &mut PgConnection,
    merchant: &MerchantId,
    id: &NotificationId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM payonce.unopened WHERE mchid = $1 AND notification_id = $2")
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

/// Up to `$3` rows after `$2`: how many there are, which is the last, and how many of them came before `$1`.
macro_rules! look {
    ($table:literal) => {
        concat!(
            "SELECT count(*), coalesce(max(id), 0), count(*) FILTER (WHERE received_at < $1) \
             FROM (SELECT id, received_at FROM payonce.",
            $table,
            " WHERE id > $2 ORDER BY id LIMIT $3) AS looked"
        )
    };
}

/// Deletes those of the window.
macro_rules! forget {
    ($table:literal) => {
        concat!("DELETE FROM payonce.", $table, " WHERE id > $2 AND id <= $3 AND received_at < $1")
    };
}

/// Forgets what came before; returns how many rows went of the table that lost most.
pub(crate) async fn prune(
    connection: &mut PgConnection,
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
