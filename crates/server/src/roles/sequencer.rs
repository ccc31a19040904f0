//! Gives positions to messages that were committed, whichever node wrote them.

use std::time::Duration;

use payonce_core::{
    StoreError,
    store::{Lease, Owner, Role},
};
use tokio::{sync::watch, time::timeout};

use super::lead::lead;
use crate::server::App;

/// Transactions numbered in one go. Each has up to 256 messages.
const TRANSACTIONS_MAX: usize = 512;

/// How long a message of another node may wait; one of this node is numbered at once.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// How long to wait while the database refuses.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) async fn run(app: &App, owner: &Owner, stopping: watch::Receiver<bool>) {
    if app.store.needs_sequencer() {
        lead(&*app.store, &Role::SEQUENCER, owner, stopping, async |lease| sequence(app, lease).await).await;
    }
}

async fn sequence(app: &App, lease: &Lease) {
    loop {
        match app.store.sequence(lease, TRANSACTIONS_MAX).await {
            // Woken by the applier, or by the time.
            Ok(0) => drop(timeout(LOOK_EVERY, app.committed.notified()).await),
            Ok(_) => {}
            Err(StoreError::LeaseLost) => return,
            Err(error) => {
                tracing::warn!(error = error.with_causes(), "messages wait for their positions");
                tokio::time::sleep(PATIENCE).await;
            }
        }
    }
}
