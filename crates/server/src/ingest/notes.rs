//! Notes on their way to the database: refused callbacks, callbacks that did not open, receipts of cached answers.
//!
//! Nobody waits for them, so they are written along with others. Invariants: at most [`NOTES_MAX`] wait, beyond that
//! they are counted and dropped; what the database could not take stays in front and is tried again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use payonce_core::{Store, StoreError, store::Note};
use tokio::{
    sync::{Notify, mpsc},
    time::{Interval, MissedTickBehavior, interval},
};

use crate::metrics::Metrics;

/// Notes that wait to be written. A refused callback is cut to some 20 KiB ([`super::handler`]), so that these and
/// the batch in hand take 50 MiB at the most.
pub(super) const NOTES_MAX: usize = 2048;

/// How long a note may wait to be written along with others. Nobody waits for it.
pub(super) const NOTES_LINGER: Duration = Duration::from_millis(50);

/// Notes written in one transaction.
const BATCH_NOTES_MAX: usize = 512;

/// Ticks at which notes are written that have waited long enough.
pub(super) fn lingering() -> Interval {
    let mut linger = interval(NOTES_LINGER);
    linger.set_missed_tick_behavior(MissedTickBehavior::Delay);
    linger
}

/// Refused callbacks that this node has written since those that are too many were last looked for. Whoever writes many
/// looks before the keeper's next round: a flood of forgeries could fill the disk until then.
#[derive(Debug)]
pub(crate) struct Flood {
    written: AtomicU64,
    /// As many as make it worth while: to look is to pass over all that are kept.
    share: u64,
    due: Notify,
}

impl Flood {
    /// Where so many rows are kept.
    pub(crate) fn new(rejected_rows_max: u64) -> Self {
        Self { written: AtomicU64::new(0), share: (rejected_rows_max / 8).max(1), due: Notify::new() }
    }

    fn wrote(&self, notes: &[Note]) {
        let rejected = notes.iter().filter(|note| matches!(note, Note::Rejected(_))).count() as u64;
        if rejected > 0 && self.written.fetch_add(rejected, Ordering::Relaxed) + rejected >= self.share {
            self.due.notify_one();
        }
    }

    /// Returns once there may be enough.
    pub(crate) async fn due(&self) {
        self.due.notified().await;
    }

    /// Whether there are enough; if so, it counts from the beginning.
    pub(crate) fn take(&self) -> bool {
        let enough = |written: u64| (written >= self.share).then_some(0);
        self.written.fetch_update(Ordering::Relaxed, Ordering::Relaxed, enough).is_ok()
    }
}

/// Where notes go, and what is told of it.
#[derive(Clone)]
pub(super) struct Book {
    pub store: Arc<dyn Store>,
    pub metrics: Arc<Metrics>,
    pub flood: Arc<Flood>,
}

/// The notes that wait.
pub(super) struct Notes {
    incoming: mpsc::Receiver<Note>,
    book: Book,
    /// The next to be written.
    batch: Vec<Note>,
    /// Whether the database refused the batch before: said once, not every time.
    refused: bool,
}

impl Notes {
    pub(super) fn new(incoming: mpsc::Receiver<Note>, book: Book) -> Self {
        Self { incoming, book, batch: Vec::new(), refused: false }
    }

    /// Writes what comes, beside the facts, until nobody is left who could hand anything in.
    pub(super) async fn run(mut self) {
        let mut linger = lingering();
        while !self.incoming.is_closed() {
            tokio::select! {
                note = self.incoming.recv(), if self.batch.len() < BATCH_NOTES_MAX => match note {
                    Some(note) => {
                        self.batch.push(note);
                        if self.batch.len() < BATCH_NOTES_MAX {
                            continue;
                        }
                    }
                    None => break,
                },
                _ = linger.tick(), if !self.batch.is_empty() => {}
            }
            self.write().await;
        }
        self.write_all().await;
    }

    /// Whether so many wait that facts should let them pass.
    pub(super) fn pile_up(&self) -> bool {
        !self.refused && self.incoming.len() >= BATCH_NOTES_MAX
    }

    /// Writes a batch. Returns whether one went out, so that there may be another.
    pub(super) async fn write(&mut self) -> bool {
        while self.batch.len() < BATCH_NOTES_MAX
            && let Ok(note) = self.incoming.try_recv()
        {
            self.batch.push(note);
        }
        if self.batch.is_empty() {
            return false;
        }
        match self.book.store.note(&self.batch).await {
            Ok(()) => self.refused = false,
            Err(error) if is_for_now(&error) => return self.put_off(&error),
            // The same would be refused again, and those behind would wait for ever.
            Err(_) => return self.write_one_by_one().await,
        }
        self.book.flood.wrote(&self.batch);
        self.batch.clear();
        true
    }

    /// Writes a batch of which a note is refused for good: that one is dropped, its neighbours are not.
    async fn write_one_by_one(&mut self) -> bool {
        for done in 0..self.batch.len() {
            let alone = &self.batch[done..=done];
            match self.book.store.note(alone).await {
                Ok(()) => self.book.flood.wrote(alone),
                Err(error) if is_for_now(&error) => {
                    self.batch.drain(..done);
                    return self.put_off(&error);
                }
                Err(error) => {
                    tracing::error!(error = error.with_causes(), "a note was not written");
                    self.book.metrics.notes_dropped.inc();
                }
            }
        }
        self.batch.clear();
        self.refused = false;
        true
    }

    /// The batch stays in front.
    fn put_off(&mut self, error: &StoreError) -> bool {
        if !self.refused {
            let notes = self.batch.len();
            tracing::warn!(error = error.with_causes(), notes, "notes wait for the database");
        }
        self.refused = true;
        false
    }

    /// Writes what waits, as far as the database takes it.
    pub(super) async fn write_all(mut self) {
        while self.write().await {}
        let left = self.batch.len() + self.incoming.len();
        if left > 0 {
            tracing::error!(notes = left, "the database did not take the last notes");
            self.book.metrics.notes_dropped.inc_by(left as u64);
        }
    }
}

/// Whether the same notes may be taken later. Of a commit of which nobody knows, a receipt may then stand twice.
fn is_for_now(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Unavailable { .. }
            | StoreError::Conflict(_)
            | StoreError::Disconnected(_)
            | StoreError::CommitUnknown(_)
    )
}
