//! Alerts people to what stands in the database, for all nodes: payments that do not add up, certificates that end.

use payonce_core::store::{Owner, Role};
use tokio::sync::watch;

use super::{Habits, lead::lead};
use crate::{
    alerts::{expiry, incidents},
    server::App,
};

pub(super) async fn run(app: &App, owner: &Owner, habits: Habits, stopping: watch::Receiver<bool>) {
    if !app.alerts.is_on() {
        return;
    }
    lead(&*app.store, &Role::ALERTS, owner, stopping, async |_| {
        tokio::join!(incidents::follow(app, habits.incidents_every), expiry::watch(app));
    })
    .await;
}
