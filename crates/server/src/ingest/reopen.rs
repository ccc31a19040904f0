//! Takes up again what was verified but could not be read: our APIv3 key was wrong and has been mended, or a payment
//! was not as documented and this payonce knows it.
//!
//! It is looked for again and again: a node may have died with callbacks in its hands, or one with the old key may
//! have had them.
//!
//! The signature is verified once more, as of the time at which the callback came, so that a row in the
//! database is believed no more than a callback is.

use std::{collections::BTreeMap, time::Duration};

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
    let mut said = Staying::default();
    while !*stopping.borrow() {
        match reopen_all(app, owner, &stopping).await {
            Ok(staying) => {
                staying.warn_beyond(&said);
                said = staying;
                give_back(app, owner).await;
            }
            // That is said once, and the rows are nobody's by themselves.
            Err(StoreError::Unavailable { reason, .. }) if reason.is_absence() => {}
            Err(error) => {
                tracing::warn!(error = error.with_causes(), "callbacks that did not open could not be read");
                give_back(app, owner).await;
            }
        }
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => {}
            () = sleep(every) => {}
        }
    }
}

/// Callbacks that stay, by what keeps them: how many, and why the first of them does.
#[derive(Debug, Default)]
struct Staying(BTreeMap<&'static str, (usize, String)>);

impl Staying {
    fn add(&mut self, refusal: &Refusal) {
        let (callbacks, _) = self.0.entry(refusal.verdict()).or_insert_with(|| (0, refusal.to_string()));
        *callbacks += 1;
    }

    /// Says what keeps more than was said before.
    fn warn_beyond(&self, said: &Self) {
        for (verdict, (callbacks, reason)) in &self.0 {
            if said.0.get(verdict).is_none_or(|(before, _)| callbacks > before) {
                tracing::warn!(verdict, callbacks, %reason, "verified callbacks wait until they can be applied");
            }
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

/// Returns those that stay.
async fn reopen_all(
    app: &App,
    owner: &Owner,
    stopping: &watch::Receiver<bool>,
) -> Result<Staying, StoreError> {
    let (mut after, mut staying) = (UnopenedRow::default(), Staying::default());
    loop {
        let taken = app.store.take_unopened(owner, TTL, after, ROUND_MAX).await?;
        let Some((last, _)) = taken.last() else { return Ok(staying) };
        after = *last;
        for (_, callback) in &taken {
            if *stopping.borrow() {
                return Ok(staying);
            }
            match reopen_one(app, callback).await {
                Ok(()) => cross_off(app, callback).await,
                // It is this one's own trouble: those behind it need not wait.
                Err(refusal @ Refusal::EffectFailed) => staying.add(&refusal),
                Err(refusal) if refusal.status() == StatusCode::SERVICE_UNAVAILABLE => {
                    tracing::warn!(%refusal, "callbacks that open now wait for the next round");
                    return Ok(staying);
                }
                Err(refusal) => staying.add(&refusal),
            }
        }
    }
}

/// Takes it from the table. If it stays, it opens again in the next round, and is a duplicate then.
async fn cross_off(app: &App, callback: &Unopened) {
    if let Err(error) = app.store.forget_unopened(&callback.merchant, &callback.notification).await {
        tracing::warn!(error = error.with_causes(), "an opened callback could not be crossed off");
    }
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
