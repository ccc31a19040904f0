//! Whether there is anything new: all who wait share one look at the database.
//!
//! Invariant: what is remembered was true when it was looked for, so that nobody waits longer than [`SHARED_FOR`] for
//! what another's look missed.

use std::time::Duration;

use payonce_core::{StoreError, store::Position};
use tokio::{sync::Mutex, time::Instant};

/// How long a look counts for others.
const SHARED_FOR: Duration = Duration::from_millis(250);

/// After which position nothing was found, and when.
#[derive(Debug, Default)]
pub(crate) struct Newest(Mutex<Option<(Position, Instant)>>);

impl Newest {
    /// Whether something stands after a position; `look` asks the database, if nobody has just done so.
    pub(crate) async fn is_after(
        &self,
        after: Position,
        look: impl AsyncFnOnce(Position) -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        // Who comes meanwhile waits for the answer, and shares it.
        let mut nothing = self.0.lock().await;
        if nothing.is_some_and(|(from, at)| after >= from && at.elapsed() < SHARED_FOR) {
            return Ok(false);
        }
        let asked = Instant::now();
        let is_there = look(after).await?;
        if !is_there {
            *nothing = Some((after, asked));
        }
        Ok(is_there)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

    use super::*;

    /// A database whose last message stands at a position.
    #[derive(Default)]
    struct Database {
        last: AtomicI64,
        looks: AtomicUsize,
    }

    impl Database {
        async fn ask(&self, newest: &Newest, after: i64) -> bool {
            let look = async |after: Position| {
                self.looks.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Ok(self.last.load(Ordering::SeqCst) > after.0)
            };
            newest.is_after(Position(after), look).await.expect("it answers")
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_readers_ask_once() {
        let (newest, database) = (Newest::default(), Database::default());
        database.last.store(7, Ordering::SeqCst);
        // Somebody waits for what is far away: that says nothing to the others.
        for (after, is_there) in [(900, false), (7, false), (6, true)] {
            assert_eq!(database.ask(&newest, after).await, is_there);
        }
        for _ in 0..1000 {
            assert!(!database.ask(&newest, 7).await);
        }
        assert_eq!(database.looks.load(Ordering::SeqCst), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_new_is_found_a_moment_later() {
        let (newest, database) = (Newest::default(), Database::default());
        assert!(!database.ask(&newest, 0).await);
        database.last.store(1, Ordering::SeqCst);
        assert!(!database.ask(&newest, 0).await, "another has just looked");
        tokio::time::advance(SHARED_FOR).await;
        assert!(database.ask(&newest, 0).await && database.ask(&newest, 0).await);
    }
}
