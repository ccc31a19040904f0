//! `GET /v1/effects/failures`: what the merchant's own part of a transaction failed with, and whether it still does.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use payonce_core::{
    Fen, NotificationId, OutTradeNo, WechatPaymentId,
    effect::{FailureRow, FailureView},
    message::rfc3339,
};
use serde::{Deserialize, Serialize};

use super::ApiError;
use crate::server::App;

/// Failures in one answer at the most.
const LIMIT_MAX: usize = 1000;
const LIMIT_DEFAULT: usize = 100;

/// Which failures.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Range {
    /// The id before which to read: `next` of the last answer; left out at first.
    before: Option<i64>,
    /// How many at the most.
    limit: Option<usize>,
    /// Also those whose facts were applied since.
    #[serde(default)]
    resolved: bool,
}

/// Some failures, the latest first.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    failures: Vec<FailureJson>,
    /// Pass this as `before` to read on; `null` at the end.
    next: Option<i64>,
}

#[derive(Debug, Serialize)]
struct FailureJson {
    id: i64,
    effect: String,
    /// The message's type.
    kind: String,
    mchid: String,
    out_trade_no: Option<String>,
    transaction_id: Option<String>,
    /// In fen.
    amount: Option<i64>,
    notification_id: Option<String>,
    reason: String,
    first_at: String,
    last_at: String,
    /// How often it failed.
    times: u64,
    resolved: bool,
}

/// Lists failures.
pub(crate) async fn failures(
    State(app): State<Arc<App>>,
    range: Result<Query<Range>, QueryRejection>,
) -> Result<Json<Page>, ApiError> {
    let Query(range) = range.map_err(|rejection| ApiError::Query(rejection.body_text()))?;
    let limit = range.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let before = range.before.map(FailureRow);
    let found = app.store.effects().failures_before(before, !range.resolved, limit).await?;
    let next = found.last().filter(|_| found.len() == limit).map(|view| view.row.0);
    Ok(Json(Page { failures: found.into_iter().map(FailureJson::from).collect(), next }))
}

impl From<FailureView> for FailureJson {
    fn from(view: FailureView) -> Self {
        let last = view.last;
        Self {
            id: view.row.0,
            effect: last.effect,
            kind: last.kind,
            mchid: last.merchant.to_string(),
            out_trade_no: last.out_trade_no.as_ref().map(OutTradeNo::to_string),
            transaction_id: last.transaction_id.as_ref().map(WechatPaymentId::to_string),
            amount: last.amount.map(Fen::get),
            notification_id: last.notification.as_ref().map(NotificationId::to_string),
            reason: last.reason,
            first_at: rfc3339(view.first_at),
            last_at: rfc3339(last.at),
            times: view.count,
            resolved: view.resolved,
        }
    }
}
