//! Background roles: what one node at a time does for all. Every node runs the same program; a lease decides.
//!
//! Invariants: a role works only while its lease is held: it stops when the lease is lost, and when it could not be
//! prolonged for as long as it lasts. The node's presence outlasts them, so that the database sees it as long as it works.

mod alerter;
mod dispatcher;
mod keeper;
mod lead;
mod sequencer;

use std::time::Duration;

use tokio::sync::watch;

use crate::{ingest::reopen, presence::Presence, server::App};

/// What the roles are told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habits {
    /// Days that callbacks are kept.
    pub callback_days: u32,
    /// Refused callbacks that are kept.
    pub rejected_rows_max: u64,
    /// Days that attempts are kept.
    pub attempt_days: u32,
    /// How long calls get that are out when the node stops.
    pub stop_max: Duration,
    /// How often callbacks that did not open are looked for.
    pub reopen_every: Duration,
    /// How often payments that do not add up are looked for.
    pub incidents_every: Duration,
}

/// Everything that runs beside the requests, until `stopping`. Run it where a store may block.
pub(crate) async fn run(app: &App, presence: Presence, habits: Habits, stopping: watch::Receiver<bool>) {
    let owner = presence.owner().clone();
    // Boxed: they hold much between them.
    let work = Box::pin(async {
        tokio::join!(
            alerter::run(app, &owner, habits, stopping.clone()),
            dispatcher::run(app, &owner, habits, stopping.clone()),
            keeper::run(app, &owner, habits, stopping.clone()),
            sequencer::run(app, &owner, stopping.clone()),
            reopen(app, &owner, habits.reopen_every, stopping),
        );
    });
    presence.keep_during(&*app.store, work).await;
}
