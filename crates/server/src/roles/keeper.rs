//! Deletes what need not be kept any longer, a little at a time.

use std::time::Duration;

use payonce_core::{
    UnixMillis,
    store::{Owner, Role},
};
use tokio::{
    sync::watch,
    time::{interval, sleep},
};

use super::lead::lead;
use crate::server::App;

/// Rows deleted in one go: some milliseconds of work.
const ROWS_MAX: usize = 2000;

/// The rest between two goes, which the path has to itself.
const REST: Duration = Duration::from_millis(50);

/// How often it is looked for.
const EVERY: Duration = Duration::from_secs(60);

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

pub(super) async fn run(app: &App, owner: &Owner, callback_days: u32, stopping: watch::Receiver<bool>) {
    lead(&*app.store, &Role::KEEPER, owner, stopping, async |_| {
        let mut every = interval(EVERY);
        loop {
            every.tick().await;
            let before = UnixMillis(app.clock.now().0 - i64::from(callback_days) * DAY_MILLIS);
            prune(app, before).await;
        }
    })
    .await;
}

async fn prune(app: &App, before: UnixMillis) {
    loop {
        match app.store.prune(before, ROWS_MAX).await {
            Ok(ROWS_MAX) => sleep(REST).await,
            Ok(_) => return,
            Err(error) => {
                return tracing::warn!(error = error.with_causes(), "old callbacks were not deleted");
            }
        }
    }
}
