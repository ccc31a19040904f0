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

/// Applies every stored callback that opens now. Returns how many did.
pub(crate) async fn reopen(app: &App) -> usize {
    let stored = match app.store.unopened_earliest(ROUND_MAX).await {
        Ok(stored) => stored,
        Err(error) => {
            tracing::warn!(%error, "callbacks that did not open could not be read");
            return 0;
        }
    };
    let mut opened = 0;
    for callback in stored {
        match reopen_one(app, &callback).await {
            Ok(()) => opened += 1,
            Err(refusal) => tracing::warn!(
                merchant = %callback.merchant, notification = %callback.notification, %refusal,
                "a verified callback still does not open: check the merchant's APIv3 key"
            ),
        }
    }
    opened
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
    if let Err(error) = app.store.forget_unopened(&callback.merchant, &callback.notification).await {
        // It opens again at the next start, and is a duplicate then.
        tracing::warn!(%error, "an opened callback could not be crossed off");
    }
    Ok(())
}
