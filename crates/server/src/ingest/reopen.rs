//! Takes up again what was verified but did not open: our APIv3 key was wrong and has been mended.
//!
//! The signature is verified once more, as of the time at which the callback came, so that a row in the
//! database is believed no more than a callback is.

use axum::http::StatusCode;
use payonce_core::store::Unopened;
use tokio::sync::watch;
use wechatpay::{Callback, UnixSeconds};

use super::{refusal::Refusal, translate::translate};
use crate::server::App;

/// Callbacks taken up in one round.
const ROUND_MAX: usize = 256;

/// Callbacks that may stay before the rest waits for the next start: reading past them takes memory.
const STAYING_MAX: usize = 4096;

/// Applies every stored callback that opens now, until `stopping`.
pub(crate) async fn reopen(app: &App, stopping: &watch::Receiver<bool>) {
    // The earliest that stay; those behind them are read past them, so that they have their turn as well.
    let mut staying = 0;
    while staying < STAYING_MAX {
        let stored = match app.store.unopened_earliest(staying + ROUND_MAX).await {
            Ok(stored) => stored,
            Err(error) => {
                let error = error.with_causes();
                return tracing::warn!(error, "callbacks that did not open could not be read");
            }
        };
        if stored.len() <= staying {
            break;
        }
        for callback in stored.into_iter().skip(staying) {
            if *stopping.borrow() {
                return;
            }
            match reopen_one(app, &callback).await {
                Ok(()) => staying += usize::from(!cross_off(app, &callback).await),
                Err(refusal) if refusal.status() == StatusCode::SERVICE_UNAVAILABLE => {
                    return tracing::warn!(%refusal, "callbacks that open now wait for the next start");
                }
                Err(_) => staying += 1,
            }
        }
    }
    if staying > 0 {
        let text = "verified callbacks do not open: check the merchants' APIv3 keys, then start again";
        tracing::warn!(callbacks = staying, "{text}");
    }
}

/// Whether it is gone from the table. If it stays, it opens again at the next start, and is a duplicate then.
async fn cross_off(app: &App, callback: &Unopened) -> bool {
    let gone = app.store.forget_unopened(&callback.merchant, &callback.notification).await;
    if let Err(error) = &gone {
        tracing::warn!(error = error.with_causes(), "an opened callback could not be crossed off");
    }
    gone.is_ok()
}

async fn reopen_one(app: &App, callback: &Unopened) -> Result<(), Refusal> {
    let merchant = app
        .merchants
        .get(callback.merchant.as_str())
        .ok_or_else(|| Refusal::UnknownMerchant { path_merchant: callback.merchant.to_string() })?;
    let headers = callback.headers.lines().filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        Some((name, value.as_bytes()))
    });
    let notification = Callback::parse(headers, &callback.body)?
        .verify(&merchant.keys, UnixSeconds(callback.received_at.seconds()))?
        .open(&merchant.apiv3_key)?;
    let submission = translate(notification, &merchant.mchid, callback.received_at)?;
    let verdict =
        app.intake().and_then(|intake| intake.submit(submission)).map_err(|_| Refusal::Overloaded)?;
    verdict.await.map_err(|_| Refusal::ShuttingDown)?.map_err(Refusal::NotStored)?;
    Ok(())
}
