//! Background roles: what one node at a time does for all. Every node runs the same program; a lease decides.
//!
//! Invariants: a role works only while its lease is held: it stops when the lease is lost, and when it could not be
//! prolonged for as long as it lasts. Each node holds a lease of its own as well, its presence.

mod keeper;
mod lead;
mod presence;
mod sequencer;

use tokio::sync::watch;

use crate::{ingest::reopen, server::App};

pub use presence::CopyRuns;
pub(crate) use presence::Presence;

/// Everything that runs beside the requests, until `stopping`. Run it where a store may block.
pub(crate) async fn run(app: &App, presence: Presence, callback_days: u32, stopping: watch::Receiver<bool>) {
    let owner = presence.owner().clone();
    let keeper = async {
        reopen(app, &owner, &stopping).await;
        keeper::run(app, &owner, callback_days, stopping.clone()).await;
    };
    tokio::join!(presence.keep(app, stopping.clone()), keeper, sequencer::run(app, &owner, stopping.clone()),);
}
