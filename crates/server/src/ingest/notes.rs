//! Notes on their way to the database: refused callbacks, callbacks that did not open, receipts of cached answers.
//!
//! Nobody waits for them, so they are written along with others. Invariants: at most [`NOTES_MAX`] wait, beyond that
//! they are counted and dropped; what the database could not take stays in front and is tried again.

use payonce_core::{
    Store, StoreError,
    store::{Note, Retention},
};
use tokio::sync::mpsc;

use crate::metrics::Metrics;

/// Notes that wait to be written. A refused callback is cut to some 20 KiB ([`super::handler`]), so that these and
/// the batch in hand take 50 MiB at the most.
pub(super) const NOTES_MAX: usize = 2048;

/// Notes written in one transaction.
const BATCH_NOTES_MAX: usize = 512;

/// The notes that wait.
pub(super) struct Notes {
    incoming: mpsc::Receiver<Note>,
    /// The next to be written.
    batch: Vec<Note>,
    /// Whether the database refused the batch before: said once, not every time.
    refused: bool,
}

impl Notes {
    pub(super) fn new(incoming: mpsc::Receiver<Note>) -> Self {
        Self { incoming, batch: Vec::new(), refused: false }
    }

    /// Whether so many wait that facts should let them pass.
    pub(super) fn pile_up(&self) -> bool {
        !self.refused && self.incoming.len() >= BATCH_NOTES_MAX
    }

    /// Writes a batch. Returns whether one went out, so that there may be another.
    pub(super) async fn write(
        &mut self,
        store: &dyn Store,
        retention: &Retention,
        metrics: &Metrics,
    ) -> bool {
        while self.batch.len() < BATCH_NOTES_MAX
            && let Ok(note) = self.incoming.try_recv()
        {
            self.batch.push(note);
        }
        if self.batch.is_empty() {
            return false;
        }
        match store.note(&self.batch, retention).await {
            Ok(()) => self.refused = false,
            Err(error) if is_for_now(&error) => {
                if !self.refused {
                    tracing::warn!(
                        error = error.with_causes(),
                        notes = self.batch.len(),
                        "notes wait for the database"
                    );
                }
                self.refused = true;
                return false;
            }
            // The same would be refused again, and those behind would wait for ever.
            Err(_) => return self.write_one_by_one(store, retention, metrics).await,
        }
        self.batch.clear();
        true
    }

    /// Writes a batch of which a note is refused for good: that one is dropped, its neighbours are not.
    async fn write_one_by_one(
        &mut self,
        store: &dyn Store,
        retention: &Retention,
        metrics: &Metrics,
    ) -> bool {
        while let Some(note) = self.batch.pop() {
            match store.note(std::slice::from_ref(&note), retention).await {
                Ok(()) => {}
                Err(error) if is_for_now(&error) => {
                    self.batch.push(note);
                    return false;
                }
                Err(error) => {
                    tracing::error!(error = error.with_causes(), "a note was not written");
                    metrics.notes_dropped.inc();
                }
            }
        }
        true
    }

    /// Writes what waits, as far as the database takes it.
    pub(super) async fn write_all(mut self, store: &dyn Store, retention: &Retention, metrics: &Metrics) {
        while self.write(store, retention, metrics).await {}
        let left = self.batch.len() + self.incoming.len();
        if left > 0 {
            tracing::error!(notes = left, "the database did not take the last notes");
            metrics.notes_dropped.inc_by(left as u64);
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
