//! Effects that failed: kept, counted, and told apart from those whose facts were applied since.

use async_trait::async_trait;
use payonce_core::{
    Fen, MerchantId, NotificationId, OutTradeNo, StoreError, UnixMillis, WechatPaymentId,
    effect::{Argument, EffectFailure, FailureRow, FailureView, Statement},
    store::{EffectBook, StatementFailure},
};
use rusqlite::{Connection, Row, params};

use super::{effects::class_of_merchants, limit_of};
use crate::{
    SqliteStore,
    rows::{RowError, read},
    tx::SqliteTx,
};

#[async_trait]
impl EffectBook for SqliteStore {
    async fn check(&self, statement: &Statement, _: &[Argument<'_>]) -> Result<(), StatementFailure> {
        let sql = std::sync::Arc::clone(statement.marked());
        // To a connection that only reads a statement may be what it is; SQLite knows no types of parameters.
        let prepared = self.read(move |connection| Ok(connection.prepare(&sql).map(drop))).await;
        prepared.map_err(StatementFailure::Lost)?.map_err(class_of_merchants)
    }

    async fn keep_failures(&self, failures: &[EffectFailure]) -> Result<(), StoreError> {
        let tx = SqliteTx::begin(self.writer.lock().await)?;
        keep(tx.connection(), failures)?;
        tx.commit_now()
    }

    async fn failures_before(
        &self,
        row: Option<FailureRow>,
        open_only: bool,
        limit: usize,
    ) -> Result<Vec<FailureView>, StoreError> {
        let before = row.map_or(i64::MAX, |row| row.0);
        self.read(move |connection| failures_before(connection, before, open_only, limit)).await
    }
}

fn keep(connection: &Connection, failures: &[EffectFailure]) -> Result<(), RowError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO effect_failure (effect, subject, kind, mchid, out_trade_no, transaction_id, amount, \
         notification_id, reason, first_at, last_at, times) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, 1) \
         ON CONFLICT (effect, subject) DO UPDATE SET kind = excluded.kind, out_trade_no = excluded.out_trade_no, \
           amount = excluded.amount, reason = excluded.reason, last_at = excluded.last_at, times = times + 1",
    )?;
    for failure in failures {
        insert.execute(params![
            failure.effect,
            failure.subject,
            failure.kind,
            failure.merchant.as_str(),
            failure.out_trade_no.as_ref().map(OutTradeNo::as_str),
            failure.transaction_id.as_ref().map(WechatPaymentId::as_str),
            failure.amount.map(Fen::get),
            failure.notification.as_ref().map(NotificationId::as_str),
            failure.reason,
            failure.at.0,
        ])?;
    }
    Ok(())
}

fn failures_before(
    connection: &Connection,
    before: i64,
    open_only: bool,
    limit: usize,
) -> Result<Vec<FailureView>, RowError> {
    let mut select = connection.prepare_cached(
        "SELECT id, effect, subject, kind, mchid, out_trade_no, transaction_id, amount, notification_id, reason, \
         first_at, last_at, times, resolved FROM (SELECT f.*, CASE \
           WHEN f.transaction_id IS NOT NULL THEN EXISTS (SELECT 1 FROM payment p WHERE p.mchid = f.mchid \
             AND p.transaction_id = f.transaction_id AND p.out_trade_no = f.out_trade_no AND p.amount = f.amount \
             AND (p.standing <> 3 OR f.kind = 'payment.unmatched')) \
           WHEN f.notification_id IS NOT NULL THEN EXISTS (SELECT 1 FROM notification_passed n \
             WHERE n.mchid = f.mchid AND n.notification_id = f.notification_id) \
           ELSE EXISTS (SELECT 1 FROM orders o WHERE o.mchid = f.mchid AND o.out_trade_no = f.out_trade_no \
             AND o.state NOT IN (0, 4)) END AS resolved FROM effect_failure f WHERE f.id < ?1) \
         WHERE NOT (?2 AND resolved) ORDER BY id DESC LIMIT ?3",
    )?;
    let mut found = select.query(params![before, open_only, limit_of(limit)])?;
    let mut failures = Vec::new();
    while let Some(row) = found.next()? {
        failures.push(failure(row)?);
    }
    Ok(failures)
}

fn failure(row: &Row<'_>) -> Result<FailureView, RowError> {
    let text = |column| row.get::<_, Option<String>>(column);
    let merchant: String = row.get(4)?;
    let amount = row.get::<_, Option<i64>>(7)?.map(Fen::new).transpose();
    Ok(FailureView {
        row: FailureRow(row.get(0)?),
        last: EffectFailure {
            effect: row.get(1)?,
            subject: row.get(2)?,
            kind: row.get(3)?,
            merchant: read("effect_failure.mchid", MerchantId::parse(&merchant))?,
            out_trade_no: read(
                "effect_failure.out_trade_no",
                text(5)?.as_deref().map(OutTradeNo::parse).transpose(),
            )?,
            transaction_id: read(
                "effect_failure.transaction_id",
                text(6)?.as_deref().map(WechatPaymentId::parse).transpose(),
            )?,
            amount: read("effect_failure.amount", amount)?,
            notification: read(
                "effect_failure.notification_id",
                text(8)?.as_deref().map(NotificationId::parse).transpose(),
            )?,
            reason: row.get(9)?,
            at: UnixMillis(row.get(11)?),
        },
        first_at: UnixMillis(row.get(10)?),
        count: row.get::<_, i64>(12)?.unsigned_abs(),
        resolved: row.get(13)?,
    })
}

/// Forgets what failed last before a time, a few rows at a time; returns how many went.
pub(crate) fn prune(connection: &Connection, before: UnixMillis, rows_max: usize) -> Result<usize, RowError> {
    let mut forget = connection.prepare_cached(
        "DELETE FROM effect_failure WHERE id IN \
         (SELECT id FROM effect_failure WHERE last_at < ?1 ORDER BY id LIMIT ?2)",
    )?;
    Ok(forget.execute(params![before.0, limit_of(rows_max)])?)
}
