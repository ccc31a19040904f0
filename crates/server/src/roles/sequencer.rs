//! Gives positions to messages that were committed, whichever node wrote them.

use std::time::Duration;

use payonce_core::{
    StoreError,
    store::{Lease, Owner, Role},
};
use tokio::{sync::watch, time::timeout};

use super::lead::{TTL, lead};
use crate::server::App;

/// Transactions numbered in one go. Each has up to 256 messages.
const TRANSACTIONS_MAX: usize = 512;

/// How long a message of another node may wait; one of this node wakes the sequencer.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// From one round to the next. Each is a transaction of its own with a wait for the disk: one for each batch of
/// callbacks would take a sixth of a busy database.
const REST: Duration = Duration::from_millis(20);

/// Rounds at the end. In a fleet the others go on committing, and one of them takes over.
const LAST_ROUNDS_MAX: usize = 32;

/// How long to wait while the database refuses.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) async fn run(app: &App, owner: &Owner, mut stopping: watch::Receiver<bool>) {
    if !app.store.needs_sequencer() {
        // What is committed has its position.
        let tell = async {
            loop {
                app.committed.notified().await;
                app.positioned.send_replace(());
            }
        };
        tokio::select! {
            () = tell => {}
            _ = stopping.wait_for(|stop| *stop) => {}
        }
    } else {
        lead(&*app.store, &Role::SEQUENCER, owner, stopping, async |lease| sequence(app, lease).await).await;
        if let Err(error) = sequence_the_last(app, owner).await {
            tracing::debug!(error = error.with_causes(), "another node numbers the last messages");
        }
    }
}

/// What this node committed last is numbered before it goes, if no other node is there to do it.
async fn sequence_the_last(app: &App, owner: &Owner) -> Result<(), StoreError> {
    if let Some(lease) = app.store.lease(&Role::SEQUENCER, owner, TTL).await? {
        let mut last = Ok(1);
        for _ in 0..LAST_ROUNDS_MAX {
            last = app.store.sequence(&lease, TRANSACTIONS_MAX).await;
            if !matches!(last, Ok(1..)) {
                break;
            }
        }
        app.store.release(&lease).await?;
        last?;
    }
    Ok(())
}

async fn sequence(app: &App, lease: &Lease) {
    loop {
        match app.store.sequence(lease, TRANSACTIONS_MAX).await {
            // Woken by the applier, or by the time.
            Ok(0) => drop(timeout(LOOK_EVERY, app.committed.notified()).await),
            Ok(_) => {
                app.positioned.send_replace(());
                tokio::time::sleep(REST).await;
            }
            Err(StoreError::LeaseLost) => return,
            Err(error) => {
                tracing::warn!(error = error.with_causes(), "messages wait for their positions");
                tokio::time::sleep(PATIENCE).await;
            }
        }
    }
}
