//! `GET /v1/keys`: how the keys by which WeChat Pay signs are, merchant by merchant.

use std::sync::Arc;

use axum::{Json, extract::State};
use payonce_core::{UnixMillis, message::rfc3339};
use serde::Serialize;
use wechatpay::UnixSeconds;
use wechatpay_client::{KeyHealth, KeyKind, KeySource};

use crate::{config::Merchant, server::App};

/// All merchants, by mchid.
#[derive(Debug, Serialize)]
pub(crate) struct KeysJson {
    merchants: Vec<MerchantJson>,
}

#[derive(Debug, Serialize)]
struct MerchantJson {
    mchid: String,
    keys: Vec<KeyJson>,
    /// `null` without a private key to ask with.
    refresh: Option<RefreshJson>,
}

#[derive(Debug, Serialize)]
struct KeyJson {
    serial: String,
    kind: &'static str,
    source: &'static str,
    since: Option<String>,
    starts: Option<String>,
    expires: Option<String>,
    /// Callbacks that it proved, since the start.
    callbacks: u64,
    /// Of all callbacks that were proved for this merchant.
    callbacks_percent: u64,
    /// Answers of WeChat Pay's API that it proved.
    answers: u64,
}

#[derive(Debug, Serialize)]
struct RefreshJson {
    succeeded_at: Option<String>,
    error: Option<String>,
    without_certificates: bool,
}

/// Shows them.
pub(crate) async fn show(State(app): State<Arc<App>>) -> Json<KeysJson> {
    let merchants = app.merchants.load();
    let mut merchants: Vec<_> = merchants.iter().map(|merchant| merchant_json(&app, merchant)).collect();
    merchants.sort_by(|one, other| one.mchid.cmp(&other.mchid));
    Json(KeysJson { merchants })
}

fn merchant_json(app: &App, merchant: &Merchant) -> MerchantJson {
    let health = merchant.keys.health();
    let all: u64 = health.iter().map(|key| key.callbacks).sum();
    let refresh = app.refreshing.status_of(merchant.mchid.as_str()).map(|status| RefreshJson {
        succeeded_at: status.succeeded_at.map(time),
        error: status.error,
        without_certificates: status.without_certificates,
    });
    let keys = health.into_iter().map(|key| key_json(key, all)).collect();
    MerchantJson { mchid: merchant.mchid.to_string(), keys, refresh }
}

fn key_json(key: KeyHealth, all: u64) -> KeyJson {
    KeyJson {
        serial: key.serial,
        kind: match key.kind {
            KeyKind::PublicKey => "public_key",
            KeyKind::Certificate => "certificate",
        },
        source: match key.source {
            KeySource::Configured => "configured",
            KeySource::Downloaded => "downloaded",
        },
        since: key.since.map(time),
        starts: key.starts.map(time),
        expires: key.expires.map(time),
        callbacks: key.callbacks,
        callbacks_percent: (key.callbacks * 100).checked_div(all).unwrap_or(0),
        answers: key.answers,
    }
}

fn time(at: UnixSeconds) -> String {
    rfc3339(UnixMillis(at.0.saturating_mul(1000)))
}
