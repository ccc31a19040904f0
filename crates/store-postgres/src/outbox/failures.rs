//! Effects that failed: kept, counted, and told apart from those whose facts were applied since.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use payonce_core::{
    Fen, MerchantId, NotificationId, OutTradeNo, StoreError, UnixMillis, WechatPaymentId,
    effect::{Argument, EffectFailure, FailureRow, FailureView, Statement},
    store::{EffectBook, StatementFailure},
};
use sqlx::{AssertSqlSafe, Executor, PgConnection, SqlSafeStr as _, postgres::PgRow};

use super::effects::types_of;
use crate::{
    PostgresStore,
    errors::{class, class_of_merchants},
    rows::{column, limit_of, read, storable, value},
    store::beside,
};

#[async_trait]
impl EffectBook for PostgresStore {
    async fn check(&self, statement: &Statement, arguments: &[Argument<'_>]) -> Result<(), StatementFailure> {
        let mut session = self.session(&self.beside).await.map_err(StatementFailure::Lost)?;
        let prepared = session.run(async |connection| {
            let sql = AssertSqlSafe(Arc::clone(statement.numbered())).into_sql_str();
            match connection.prepare_with(sql, &types_of(arguments)).await.map_err(class_of_merchants) {
                Err(StatementFailure::Lost(error)) => Err(error),
                prepared => Ok(prepared.map(drop)),
            }
        });
        prepared.await.map_err(StatementFailure::Lost)?
    }

    async fn keep_failures(&self, failures: &[EffectFailure]) -> Result<(), StoreError> {
        beside!(self, async |c| keep(c, failures).await)
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

async fn keep(connection: &mut PgConnection, failures: &[EffectFailure]) -> Result<(), StoreError> {
    // One statement takes a row once, and rows are written in the order of their keys. The last word on each counts.
    let mut summed: BTreeMap<_, (UnixMillis, &EffectFailure, i64)> = BTreeMap::new();
    for failure in failures {
        let key = (failure.effect.as_str(), failure.subject.as_str());
        let kept = summed.entry(key).or_insert((failure.at, failure, 0));
        (kept.1, kept.2) = (failure, kept.2 + 1);
    }
    let first: Vec<i64> = summed.values().map(|(first, ..)| first.0).collect();
    let times: Vec<i64> = summed.values().map(|(.., times)| *times).collect();
    let rows: Vec<&EffectFailure> = summed.values().map(|(_, last, _)| *last).collect();
    sqlx::query(
        "INSERT INTO payonce.effect_failure AS f (effect, subject, kind, mchid, out_trade_no, transaction_id, amount, \
         notification_id, reason, first_at, last_at, times) SELECT effect, subject, kind, mchid, out_trade_no, \
         transaction_id, amount, notification_id, reason, first_at, last_at, times FROM unnest($1::text[], $2::text[], $3::text[], \
         $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::text[], $10::bigint[], \
         $11::bigint[], $12::bigint[]) AS k (effect, subject, kind, mchid, out_trade_no, transaction_id, amount, \
         notification_id, reason, first_at, last_at, times) \
         ON CONFLICT (effect, subject) DO UPDATE SET kind = excluded.kind, out_trade_no = excluded.out_trade_no, \
           amount = excluded.amount, reason = excluded.reason, last_at = excluded.last_at, times = f.times + excluded.times",
    )
    .bind(column(&rows, |failure| failure.effect.as_str()))
    .bind(column(&rows, |failure| failure.subject.as_str()))
    .bind(column(&rows, |failure| failure.kind.as_str()))
    .bind(column(&rows, |failure| failure.merchant.as_str()))
    .bind(column(&rows, |failure| failure.out_trade_no.as_ref().map(OutTradeNo::as_str)))
    .bind(column(&rows, |failure| failure.transaction_id.as_ref().map(WechatPaymentId::as_str)))
    .bind(column(&rows, |failure| failure.amount.map(Fen::get)))
    .bind(column(&rows, |failure| failure.notification.as_ref().map(NotificationId::as_str)))
    .bind(column(&rows, |failure| storable(&failure.reason)))
    .bind(first)
    .bind(column(&rows, |failure| failure.at.0))
    .bind(times)
    .execute(connection)
    .await
    .map(drop)
    .map_err(class)
}

async fn failures_before(
    connection: &mut PgConnection,
    before: i64,
    open_only: bool,
    limit: usize,
) -> Result<Vec<FailureView>, StoreError> {
    let found = sqlx::query(
        "SELECT id, effect, subject, kind, mchid, out_trade_no, transaction_id, amount, notification_id, reason, \
         first_at, last_at, times, resolved FROM (SELECT f.*, CASE \
           WHEN f.transaction_id IS NOT NULL THEN EXISTS (SELECT 1 FROM payonce.payment p WHERE p.mchid = f.mchid \
             AND p.transaction_id = f.transaction_id AND p.out_trade_no = f.out_trade_no AND p.amount = f.amount \
             AND (p.standing <> 3 OR f.kind = 'payment.unmatched')) \
           WHEN f.notification_id IS NOT NULL THEN EXISTS (SELECT 1 FROM payonce.notification_passed n \
             WHERE n.mchid = f.mchid AND n.notification_id = f.notification_id) \
           ELSE EXISTS (SELECT 1 FROM payonce.orders o WHERE o.mchid = f.mchid AND o.out_trade_no = f.out_trade_no \
             AND o.state NOT IN (0, 4)) END AS resolved FROM payonce.effect_failure f WHERE f.id < $1) v \
         WHERE NOT ($2 AND resolved) ORDER BY id DESC LIMIT $3",
    )
    .bind(before)
    .bind(open_only)
    .bind(limit_of(limit))
    .fetch_all(connection)
    .await
    .map_err(class)?;
    found.iter().map(failure).collect()
}

fn failure(row: &PgRow) -> Result<FailureView, StoreError> {
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
        resolved: value(row, 13)?,
    })
}

/// Forgets what failed last before a time, a few rows at a time; returns how many went.
pub(crate) async fn prune(
    connection: &mut PgConnection,
    before: UnixMillis,
    rows_max: usize,
) -> Result<usize, StoreError> {
    let forget = sqlx::query(
        "DELETE FROM payonce.effect_failure WHERE id IN \
         (SELECT id FROM payonce.effect_failure WHERE last_at < $1 ORDER BY id LIMIT $2)",
    );
    let forgotten =
        forget.bind(before.0).bind(limit_of(rows_max)).execute(connection).await.map_err(class)?;
    Ok(usize::try_from(forgotten.rows_affected()).unwrap_or(usize::MAX))
}
