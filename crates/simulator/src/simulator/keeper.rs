//! The keeper of the state file: writes it anew when something has changed.
//!
//! Invariants: it never writes two at once, and rests between two, so that changes that come close together are in one
//! file; a change is in the file [`REST_MAX`] after the last writing at the latest, and at once where somebody waits for
//! it. A write that failed is tried again with the next change, and said to whoever asks.

use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

use super::{Shared, StateError, state};

/// Nobody misses less.
const REST_MIN: Duration = Duration::from_millis(200);

/// What a kill may take.
const REST_MAX: Duration = Duration::from_secs(2);

/// It rests so many times as long as it wrote: the larger the books, the less often they are copied.
const REST_TIMES: u32 = 10;

/// Keeps the file until it is dropped.
pub(super) async fn run(shared: Arc<Shared>) {
    let Some(path) = shared.state.clone() else { return };
    let (mut changes, mut wanted) = (shared.changes(), shared.save_wanted.subscribe());
    loop {
        // What changes after this line is in the next file.
        let seen = *changes.borrow_and_update();
        let began = Instant::now();
        write(&shared, &path).await;
        shared.saved.send_replace(seen);
        let rested = Instant::now() + rest_after(began.elapsed());
        if changes.changed().await.is_err() {
            return;
        }
        tokio::select! {
            () = sleep_until(rested) => {}
            _ = wanted.wait_for(|wanted| *wanted > seen) => {}
        }
    }
}

fn rest_after(writing: Duration) -> Duration {
    writing.saturating_mul(REST_TIMES).clamp(REST_MIN, REST_MAX)
}

/// Writes the file, and remembers how that went.
pub(super) async fn write(shared: &Arc<Shared>, path: &Path) {
    let (writing, path) = (Arc::clone(shared), path.to_owned());
    // The disk takes its time, in which calls are answered.
    let written = spawn_blocking(move || state::write(&writing, &path)).await;
    let failure = match written {
        Ok(written) => written.err(),
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    };
    *shared.unsaved.lock().unwrap_or_else(PoisonError::into_inner) = failure.map(Arc::new);
}

impl Shared {
    /// Waits until all that has happened so far is in the file, where there is one.
    pub(crate) async fn saved(&self) -> Result<(), Arc<StateError>> {
        if self.state.is_some() {
            let happened = *self.changes().borrow();
            self.save_wanted.send_modify(|wanted| *wanted = happened.max(*wanted));
            // An error means that the simulation is gone.
            let _ = self.saved.subscribe().wait_for(|saved| *saved >= happened).await;
        }
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner).clone().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Setup, Simulator};
    use wechatpay::UnixSeconds;

    /// A simulation that is kept in a file of this folder, all of it written.
    async fn kept(folder: &Path) -> Simulator {
        let wall = Arc::new(|| UnixSeconds(1_750_000_000));
        let state = Some(folder.join("state.json"));
        let simulator = Simulator::start(Setup { state, ..Setup::new(wall) }).await.unwrap();
        simulator.saved().await.unwrap();
        simulator
    }

    #[tokio::test(start_paused = true)]
    async fn changes_that_come_close_together_are_written_together() {
        let folder = tempfile::tempdir().unwrap();
        let simulator = kept(folder.path()).await;
        let mut saved = simulator.shared().saved.subscribe();
        let before = *saved.borrow_and_update();
        for _ in 0..50 {
            simulator.set_short_of_funds("1900000001", true);
            tokio::task::yield_now().await;
        }
        assert!(!saved.has_changed().unwrap(), "it rests");
        let asked = Instant::now();
        saved.changed().await.unwrap();
        assert_eq!(*saved.borrow(), before + 50);
        assert!(asked.elapsed() <= REST_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_the_file_disturbs_its_rest() {
        let folder = tempfile::tempdir().unwrap();
        let simulator = kept(folder.path()).await;
        for _ in 0..3 {
            let asked = Instant::now();
            simulator.set_short_of_funds("1900000001", true);
            simulator.saved().await.unwrap();
            assert_eq!(asked.elapsed(), Duration::ZERO);
        }
    }

    #[test]
    fn the_longer_it_writes_the_longer_it_rests() {
        let millis = Duration::from_millis;
        for (writing, rest) in [(1, REST_MIN), (50, millis(500)), (10_000, REST_MAX)] {
            assert_eq!(rest_after(millis(writing)), rest);
        }
    }
}
