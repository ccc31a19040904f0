//! Deletes what need not be kept any longer, a little at a time.
//!
//! The role does it for all nodes, once a minute. A node that itself writes refused callbacks by the thousand does not
//! wait for that: it looks for those that are too many whenever it has written another eighth of what is kept. To
//! delete twice is to delete once, so that this takes no lease.

use std::time::Duration;

use payonce_core::{
    StoreError, UnixMillis,
    store::{Owner, RejectedRow, Role, Unavailability},
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

/// The rest after each look.
const LOOK_REST: Duration = Duration::from_millis(5);

/// How often it is looked for.
const EVERY: Duration = Duration::from_secs(60);

/// Refused callbacks that are passed over in one look. They are wide: these may be 10 MB to read.
const LOOK_ROWS_MAX: u64 = 500;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

pub(super) async fn run(app: &App, owner: &Owner, habits: Habits, stopping: watch::Receiver<bool>) {
    let every_minute = lead(&*app.store, &Role::KEEPER, owner, stopping.clone(), async |_| {
        let mut every = interval(EVERY);
        loop {
            every.tick().await;
            prune(app, habits).await;
            prune_attempts(app, habits).await;
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

/// Deletes attempts that were made long ago, and what was due to endpoints that are removed.
async fn prune_attempts(app: &App, habits: Habits) {
    let age = DAY * habits.attempt_days;
    loop {
        match app.store.deliveries().prune_deliveries(age, ROWS_MAX).await {
            Ok(ROWS_MAX) => sleep(REST).await,
            Ok(_) => return,
            Err(error) => {
                return tracing::warn!(error = error.with_causes(), "old attempts were not deleted");
            }
        }
    }
}

/// Deletes the refused callbacks that are too many: go after go, or one once it is `stopping`.
async fn trim(app: &App, habits: Habits, stopping: &watch::Receiver<bool>) {
    let trimmed = async {
        // With rests: of ten million rows there are many looks, and others use the connection as well.
        let look = async |row, back| {
            let found = app.store.rejected_before(row, back).await;
            sleep(LOOK_REST).await;
            found
        };
        let Some(last) = surplus(look, habits.rejected_rows_max, LOOK_ROWS_MAX).await? else { return Ok(()) };
        while app.store.forget_rejected(last, ROWS_MAX).await? > 0 && !*stopping.borrow() {
            sleep(REST).await;
        }
        Ok::<_, StoreError>(())
    };
    if let Err(error) = trimmed.await {
        tracing::warn!(error = error.with_causes(), "refused callbacks beyond the bound were not deleted");
    }
}

/// The newest of the refused callbacks that are more than `rows_max`. They are passed over in steps, so that none takes
/// longer than a statement may, however many are kept; a step that took too long is made again in smaller ones.
async fn surplus(
    look: impl AsyncFn(RejectedRow, usize) -> Result<Option<RejectedRow>, StoreError>,
    rows_max: u64,
    mut step: u64,
) -> Result<Option<RejectedRow>, StoreError> {
    let (mut oldest_kept, mut left) = (RejectedRow::END, rows_max);
    while left > 0 {
        let back = left.min(step);
        match look(oldest_kept, back as usize).await {
            Ok(Some(row)) => oldest_kept = row,
            Ok(None) => return Ok(None),
            Err(StoreError::Unavailable { reason: Unavailability::TimedOut, .. }) if step > 1 => {
                step /= 2;
                continue;
            }
            Err(error) => return Err(error),
        }
        left -= back;
    }
    look(oldest_kept, 1).await
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// Rows 10, 20 … 1000, of which `slow_from` and more are not passed over in time.
    async fn found(rows_max: u64, step: u64, slow_from: usize) -> (Option<RejectedRow>, usize) {
        let looks = RefCell::new(Vec::new());
        let look = async |RejectedRow(row): RejectedRow, back: usize| {
            if back >= slow_from {
                let (reason, source) = (Unavailability::TimedOut, "slow".into());
                return Err(StoreError::Unavailable { reason, source });
            }
            looks.borrow_mut().push(back);
            Ok((1..=100).rev().map(|n| n * 10).filter(|n| *n < row).nth(back - 1).map(RejectedRow))
        };
        let found = surplus(look, rows_max, step).await.unwrap();
        (found, looks.into_inner().len())
    }

    #[tokio::test]
    async fn the_newest_that_is_too_many_is_found_in_steps_of_any_size() {
        for step in [1, 3, 10, 30, 99, 100, 500] {
            assert_eq!(found(30, step, 1000).await.0, Some(RejectedRow(700)), "{step}");
            assert_eq!(found(99, step, 1000).await.0, Some(RejectedRow(10)), "{step}");
            assert_eq!(found(100, step, 1000).await.0, None, "{step}");
            assert_eq!(found(5000, step, 1000).await.0, None, "{step}");
        }
        assert_eq!(found(0, 10, 1000).await.0, Some(RejectedRow(1000)));
        assert_eq!(found(30, 10, 1000).await.1, 4);
    }

    #[tokio::test]
    async fn a_step_that_takes_too_long_is_made_in_smaller_ones() {
        // In sevens: four and two, and one look for the newest.
        assert_eq!(found(30, 30, 10).await, (Some(RejectedRow(700)), 6));
    }
}
