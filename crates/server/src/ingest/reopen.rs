//! Takes up again what was verified but did not open: our APIv3 key was wrong and has been mended.
//!
//! The signature is verified once more, as of the time at which the callback came, so that a row in the
//! database is believed no more than a callback is.

use payonce_core::store::Unopened;
use wechatpay::{Callback, UnixSeconds};

use super::{refusal::Refusal, translate::translate};
use crate::server::App;

/// Callbacks taken up in one round.
const ROUND_MAX: usize = 256;

/// Applies every stored callback that opens now.
pub(crate) async fn reopen(app: &App) {
    // The earliest that stay; those behind them are read past them, so that they have their turn as well.
    let mut staying = 0;
    loop {
        let stored = match app.store.unopened_earliest(staying + ROUND_MAX).await {
            Ok(stored) => stored,
            Err(error) => return tracing::warn!(%error, "callbacks that did not open could not be read"),
        };
        if stored.len() <= staying {
            return;
        }
        for callback in stored.into_iter().skip(staying) {
            staying += usize::from(!reopen_and_cross_off(app, &callback).await);
        }
    }
}

/// Whether it is gone from the table.
async fn reopen_and_cross_off(app: &App, callback: &Unopened) -> bool {
    let (merchant, notification) = (&callback.merchant, &callback.notification);
    if let Err(refusal) = reopen_one(app, callback).await {
        let text = "a verified callback still does not open: check the merchant's APIv3 key";
        tracing::warn!(%merchant, %notification, %refusal, "{text}");
        return false;
    }
    // If it stays, it opens again at the next start, and is a duplicate then.
    match app.store.forget_unopened(merchant, notification).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%merchant, %notification, %error, "an opened callback could not be crossed off");
            false
        }
    }
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
