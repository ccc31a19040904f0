//! Takes up again what was verified but did not open: our APIv3 key was wrong and has been mended.
//!
//! It is looked for again and again: a node may have died with callbacks in its hands, or one with the old key may
//! have had them.
//!
//! The signature is verified once more, as of the time at which the callback came, so that a row in the
//! database is believed no more than a callback is.

use std::time::Duration;

use axum::http::StatusCode;
use payonce_core::{
    StoreError,
    store::{Owner, Unopened, UnopenedRow},
};
use tokio::{sync::watch, time::sleep};

use super::{protocol::believe_v3, refusal::Refusal};
use crate::server::App;

/// Callbacks taken up in one round: with bodies of up to 1 MiB they take some memory.
const ROUND_MAX: usize = 64;

/// How long a round may take before another node may take up the same. At least one round of a node that died.
const TTL: Duration = Duration::from_secs(60);

/// How often they are looked for.
pub(crate) const REOPEN_EVERY: Duration = Duration::from_secs(60);

/// Applies every stored callback that opens now, `every` so often, until `stopping`. Nodes share them out.
pub(crate) async fn reopen(app: &App, owner: &Owner, every: Duration, mut stopping: watch::Receiver<bool>) {
    let mut said = 0;
    while !*stopping.borrow() {
        match reopen_all(app, owner, &stopping).await {
            Ok(staying) => {
                if staying > said {
                    let text = "verified callbacks do not open: check the merchants' APIv3 keys";
                    tracing::warn!(callbacks = staying, "{text}");
                }
                said = staying;
            }
            Err(error) => {
                tracing::warn!(error = error.with_causes(), "callbacks that did not open could not be read");
            }
        }
        give_back(app, owner).await;
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => {}
            () = sleep(every) => {}
        }
    }
}

/// What this node took and did not open is free for others.
async fn give_back(app: &App, owner: &Owner) {
    if let Err(error) = app.store.return_unopened(owner).await {
        let error = error.with_causes();
        tracing::warn!(error, "callbacks that did not open stay with this node for a minute");
    }
}

/// Returns how many stay.
async fn reopen_all(app: &App, owner: &Owner, stopping: &watch::Receiver<bool>) -> Result<usize, StoreError> {
    let (mut after, mut staying) = (UnopenedRow::default(), 0);
    loop {
        let taken = app.store.take_unopened(owner, TTL, after, ROUND_MAX).await?;
        let Some((last, _)) = taken.last() else { return Ok(staying) };
        after = *last;
        for (_, callback) in &taken {
            if *stopping.borrow() {
                return Ok(0);
            }
            match reopen_one(app, callback).await {
                Ok(()) => staying += usize::from(!cross_off(app, callback).await),
                Err(refusal) if refusal.status() == StatusCode::SERVICE_UNAVAILABLE => {
                    tracing::warn!(%refusal, "callbacks that open now wait for the next round");
                    return Ok(staying);
                }
                Err(_) => staying += 1,
            }
        }
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
        .load()
        .get(callback.merchant.as_str())
        .cloned()
        .ok_or_else(|| Refusal::UnknownMerchant { path_merchant: callback.merchant.to_string() })?;
    let headers = callback.headers.lines().filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        Some((name, value.as_bytes()))
    });
    believe_v3(&merchant, headers, &callback.body, callback.received_at)?.commit(app).await.map(drop)
}
