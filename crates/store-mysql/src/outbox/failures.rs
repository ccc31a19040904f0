//! Effects that failed: kept, counted, and told apart from those whose facts were applied since.

use async_trait::async_trait;
use payonce_core::{
    Fen, MerchantId, NotificationId, OutTradeNo, StoreError, UnixMillis, WechatPaymentId,
    effect::{Argument, EffectFailure, FailureRow, FailureView, Statement},
    store::{EffectBook, StatementFailure},
};
use sqlx::{MySqlConnection, mysql::MySqlRow};

use super::effects::returns_rows;
use crate::{
    MySqlStore,
    errors::class,
    rows::{limit_of, read, value},
    store::{again_on_conflict, beside},
    tx::MySqlTx,
};

#[async_trait]
impl EffectBook for MySqlStore {
    async fn check(&self, statement: &Statement, _: &[Argument<'_>]) -> Result<(), StatementFailure> {
        let mut session = self.session(&self.beside).await.map_err(StatementFailure::Lost)?;
        let checked = session.run(async |connection| match returns_rows(connection, statement).await {
            Err(StatementFailure::Lost(error)) => Err(error),
            Err(refused) => Ok(Err(refused)),
            Ok(_) => only_innodb(connection, statement).await,
        });
        checked.await.map_err(StatementFailure::Lost)?
    }

    async fn keep_failures(&self, failures: &[EffectFailure]) -> Result<(), StoreError> {
        let mut rows: Vec<&EffectFailure> = failures.iter().collect();
        rows.sort_by(|one, other| (&one.effect, &one.subject).cmp(&(&other.effect, &other.subject)));
        again_on_conflict!({
            let mut tx = MySqlTx::begin(self.session(&self.beside).await?).await?;
            tx.run(async |c| keep(c, &rows).await).await?;
            tx.commit_now().await
        })
    }

    async fn failures_before(
        &self,
        row: Option<FailureRow>,
        open_only: bool,
        limit: usize,
    ) -> Result<Vec<FailureView>, StoreError> {
        let before = row.map_or(i64::MAX, |row| row.0);
        beside!(self, async |c| failures_before(c, before, open_only, limit).await)
    }
}

/// Whether no table is named of which a rollback would keep what was written. A view may hide one, and so may a trigger.
async fn only_innodb(
    connection: &mut MySqlConnection,
    statement: &Statement,
) -> Result<Result<(), StatementFailure>, StoreError> {
    const OTHERS: &str = "SELECT CAST(table_name AS CHAR), CAST(engine AS CHAR) FROM information_schema.tables \
         WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND engine NOT IN ('InnoDB', 'SEQUENCE')";
    let others = sqlx::query(OTHERS).fetch_all(connection).await.map_err(class)?;
    for row in &others {
        let (table, engine): (String, String) = (value(row, 0)?, value(row, 1)?);
        let words = statement.source().split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$')));
        if words.into_iter().any(|word| word.eq_ignore_ascii_case(&table)) {
            let said = format!(
                "table {table} is {engine}'s, which keeps what is rolled back: ALTER TABLE {table} ENGINE = InnoDB"
            );
            return Ok(Err(StatementFailure::Refused(said)));
        }
    }
    Ok(Ok(()))
}

/// In the order of their keys, so that two nodes do not wait for each other.
async fn keep(connection: &mut MySqlConnection, failures: &[&EffectFailure]) -> Result<(), StoreError> {
    const KEEP: &str = "INSERT INTO payonce_effect_failure (effect, subject, kind, mchid, out_trade_no, transaction_id, \
         amount, notification_id, reason, first_at, last_at, times) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) \
         ON DUPLICATE KEY UPDATE kind = VALUES(kind), out_trade_no = VALUES(out_trade_no), amount = VALUES(amount), \
           reason = VALUES(reason), last_at = VALUES(last_at), times = times + 1";
    for failure in failures {
        sqlx::query(KEEP)
            .bind(failure.effect.as_str())
            .bind(failure.subject.as_str())
            .bind(failure.kind.as_str())
            .bind(failure.merchant.as_str())
            .bind(failure.out_trade_no.as_ref().map(OutTradeNo::as_str))
            .bind(failure.transaction_id.as_ref().map(WechatPaymentId::as_str))
            .bind(failure.amount.map(Fen::get))
            .bind(failure.notification.as_ref().map(NotificationId::as_str))
            .bind(failure.reason.as_str())
            .bind(failure.at.0)
            .bind(failure.at.0)
            .execute(&mut *connection)
            .await
            .map_err(class)?;
    }
    Ok(())
}

async fn failures_before(
    connection: &mut MySqlConnection,
    before: i64,
    open_only: bool,
    limit: usize,
) -> Result<Vec<FailureView>, StoreError> {
    let found = sqlx::query(
        "SELECT id, effect, subject, kind, mchid, out_trade_no, transaction_id, amount, notification_id, reason, \
         first_at, last_at, times, resolved FROM (SELECT f.*, CASE \
           WHEN f.transaction_id IS NOT NULL THEN EXISTS (SELECT 1 FROM payonce_payment p WHERE p.mchid = f.mchid \
             AND p.transaction_id = f.transaction_id AND p.out_trade_no = f.out_trade_no AND p.amount = f.amount \
             AND (p.standing <> 3 OR f.kind = 'payment.unmatched')) \
           WHEN f.notification_id IS NOT NULL THEN EXISTS (SELECT 1 FROM payonce_notification_passed n \
             WHERE n.mchid = f.mchid AND n.notification_id = f.notification_id) \
           ELSE EXISTS (SELECT 1 FROM payonce_orders o WHERE o.mchid = f.mchid AND o.out_trade_no = f.out_trade_no \
             AND o.state NOT IN (0, 4)) END AS resolved FROM payonce_effect_failure f WHERE f.id < ?) v \
         WHERE NOT (? AND resolved) ORDER BY id DESC LIMIT ?",
    )
    .bind(before)
    .bind(open_only)
    .bind(limit_of(limit))
    .fetch_all(connection)
    .await
    .map_err(class)?;
    found.iter().map(failure).collect()
}

fn failure(row: &MySqlRow) -> Result<FailureView, StoreError> {
    let text = |column| value::<Option<&str>>(row, column);
    Ok(FailureView {
        row: FailureRow(value(row, 0)?),
        last: EffectFailure {
            effect: value(row, 1)?,
            subject: value(row, 2)?,
            kind: value(row, 3)?,
            merchant: read("effect_failure.mchid", MerchantId::parse(value(row, 4)?))?,
            out_trade_no: read("effect_failure.out_trade_no", text(5)?.map(OutTradeNo::parse).transpose())?,
            transaction_id: read(
                "effect_failure.transaction_id",
                text(6)?.map(WechatPaymentId::parse).transpose(),
            )?,
            amount: read("effect_failure.amount", value::<Option<i64>>(row, 7)?.map(Fen::new).transpose())?,
            notification: read(
                "effect_failure.notification_id",
                text(8)?.map(NotificationId::parse).transpose(),
            )?,
            reason: value(row, 9)?,
            at: UnixMillis(value(row, 11)?),
        },
        first_at: UnixMillis(value(row, 10)?),
        count: value::<i64>(row, 12)?.unsigned_abs(),
        resolved: value::<i64>(row, 13)? != 0,
    })
}

/// Forgets what failed last before a time, a few rows at a time; returns how many went.
pub(crate) async fn prune(
    connection: &mut MySqlConnection,
    before: UnixMillis,
    rows_max: usize,
) -> Result<usize, StoreError> {
    let forget = sqlx::query("DELETE FROM payonce_effect_failure WHERE last_at < ? ORDER BY id LIMIT ?");
    let forgotten =
        forget.bind(before.0).bind(limit_of(rows_max)).execute(connection).await.map_err(class)?;
    Ok(usize::try_from(forgotten.rows_affected()).unwrap_or(usize::MAX))
}
