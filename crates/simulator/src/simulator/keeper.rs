//! The keeper of the state file: writes it anew whenever something has changed.
//!
//! Invariant: changes that come while it writes are in the next file; it never writes two at once. A write that failed is
//! tried again with the next change, and said to whoever asks.

use std::path::Path;
use std::sync::{Arc, PoisonError};

use tokio::task::spawn_blocking;

use super::{Shared, StateError, state};

/// Keeps the file until it is dropped.
pub(super) async fn run(shared: Arc<Shared>) {
    let Some(path) = shared.state.clone() else { return };
    let mut changes = shared.changes();
    loop {
        // What changes after this line is in the next file.
        let seen = *changes.borrow_and_update();
        write(&shared, &path).await;
        shared.saved.send_replace(seen);
        if changes.changed().await.is_err() {
            return;
        }
    }
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
            // An error means that the simulation is gone.
            let _ = self.saved.subscribe().wait_for(|saved| *saved >= happened).await;
        }
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner).clone().map_or(Ok(()), Err)
    }
}
