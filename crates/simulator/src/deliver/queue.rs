//! What is still to be sent, in the order in which it falls due.
//!
//! Invariants: a job is waiting, or in one worker's hands; the queue has ended when neither holds of any. A job that a
//! worker drops (because it panicked) counts as done, so that the other workers come to an end.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::Delivery;

/// Jobs by the time when they fall due; equal times keep the order in which they came.
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    waiting: BTreeMap<(Instant, u64), Waiting>,
    in_hand: usize,
    arrivals: u64,
}

struct Waiting {
    delivery: Delivery,
    attempt: u32,
}

impl State {
    fn add(&mut self, due: Instant, job: Waiting) {
        self.arrivals += 1;
        self.waiting.insert((due, self.arrivals), job);
    }
}

/// One attempt in a worker's hands; the first attempt is 1.
pub(super) struct Job<'a> {
    pub(super) delivery: Delivery,
    pub(super) attempt: u32,
    queue: &'a Queue,
}

impl Queue {
    /// Every delivery, due its delay after now.
    pub(super) fn of(deliveries: impl IntoIterator<Item = Delivery>) -> Self {
        let start = Instant::now();
        let mut state = State::default();
        for delivery in deliveries {
            state.add(start + delivery.delay, Waiting { delivery, attempt: 1 });
        }
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// The next job, once it is due; none when all are done.
    pub(super) async fn next(&self) -> Option<Job<'_>> {
        loop {
            // Order matters: listen before looking, or a change in between is slept through.
            let changed = self.changed.notified();
            match self.look() {
                Look::Due(Waiting { delivery, attempt }) => {
                    return Some(Job { delivery, attempt, queue: self });
                }
                Look::Ended => return None,
                Look::NothingWaits => changed.await,
                Look::DueAt(due) => tokio::select! {
                    () = changed => {}
                    () = sleep_until(due) => {}
                },
            }
        }
    }

    fn look(&self) -> Look {
        let mut state = self.state();
        let State { waiting, in_hand, .. } = &mut *state;
        match waiting.first_entry() {
            None if *in_hand == 0 => Look::Ended,
            None => Look::NothingWaits,
            Some(first) if first.key().0 > Instant::now() => Look::DueAt(first.key().0),
            Some(first) => {
                *in_hand += 1;
                Look::Due(first.remove())
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock, and the state is whole between any two lines that change it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Look {
    Due(Waiting),
    DueAt(Instant),
    NothingWaits,
    Ended,
}

impl Job<'_> {
    /// The delivery is finished, well or badly.
    pub(super) fn done(self) {
        drop(self);
    }

    /// The delivery is to be tried once more.
    pub(super) fn again_at(self, due: Instant) {
        let job = Waiting { delivery: self.delivery, attempt: self.attempt + 1 };
        self.queue.state().add(due, job);
    }
}

impl Drop for Job<'_> {
    fn drop(&mut self) {
        self.queue.state().in_hand -= 1;
        self.queue.changed.notify_waiters();
    }
}
