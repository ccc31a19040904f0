//! Deletes what need not be kept any longer, a little at a time.
//!
//! The role does it for all nodes, once a minute. A node that itself writes refused callbacks by the thousand does not
//! wait for that: it looks for those that are too many whenever it has written another eighth of what is kept. To
//! delete twice is to delete once, so that this takes no lease.

use std::time::Duration;

use payonce_core::{
    Store, StoreError, UnixMillis,
    store::{Owner, RejectedRow, Role},
};
use tokio::{
    sync::watch,
    time::{interval, sleep},
};

use super::{Habits, lead::lead};
use crate::server::App;

/// Rows deleted in one go: some milliseconds of work.
const ROWS_MAX: usize = 2000;

/// The rest between two goes, which the path has to itself.
const REST: Duration = Duration::from_millis(50);

/// How often it is looked for.
const EVERY: Duration = Duration::from_secs(60);

/// Refused callbacks that are passed over in one look: some milliseconds of work.
const LOOK_ROWS_MAX: u64 = 10_000;

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

pub(super) async fn run(app: &App, owner: &Owner, habits: Habits, stopping: watch::Receiver<bool>) {
    let every_minute = lead(&*app.store, &Role::KEEPER, owner, stopping.clone(), async |_| {
        let mut every = interval(EVERY);
        loop {
            every.tick().await;
            prune(app, habits).await;
            trim(app, habits, &stopping).await;
        }
    });
    tokio::join!(every_minute, after_floods(app, habits, stopping.clone()));
}

/// Trims whenever this node has written many refused callbacks, also at the end.
async fn after_floods(app: &App, habits: Habits, mut stopping: watch::Receiver<bool>) {
    loop {
        // Order matters: what was written before the stop is looked at after it.
        let stop = *stopping.borrow();
        if app.flood.take() {
            trim(app, habits, &stopping).await;
        } else if stop {
            return;
        }
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => {}
            () = app.flood.due() => {}
        }
    }
}

/// Deletes what came long ago.
async fn prune(app: &App, habits: Habits) {
    let before = UnixMillis(app.clock.now().0 - i64::from(habits.callback_days) * DAY_MILLIS);
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

/// Deletes the refused callbacks that are too many: go after go, or one once it is `stopping`.
async fn trim(app: &App, habits: Habits, stopping: &watch::Receiver<bool>) {
    let trimmed = async {
        let Some(last) = surplus(&*app.store, habits.rejected_rows_max).await? else { return Ok(()) };
        while app.store.forget_rejected(last, ROWS_MAX).await? == ROWS_MAX && !*stopping.borrow() {
            sleep(REST).await;
        }
        Ok::<_, StoreError>(())
    };
    if let Err(error) = trimmed.await {
        tracing::warn!(error = error.with_causes(), "refused callbacks beyond the bound were not deleted");
    }
}

/// The newest of the refused callbacks that are more than `rows_max`. They are passed over in steps, so that none takes
/// longer than a statement may, however many are kept.
async fn surplus(store: &dyn Store, rows_max: u64) -> Result<Option<RejectedRow>, StoreError> {
    let (mut oldest_kept, mut left) = (RejectedRow::END, rows_max);
    while left > 0 {
        let back = left.min(LOOK_ROWS_MAX);
        match store.rejected_before(oldest_kept, back as usize).await? {
            Some(row) => oldest_kept = row,
            None => return Ok(None),
        }
        left -= back;
    }
    store.rejected_before(oldest_kept, 1).await
}
