//! Hands messages over to endpoints: every node calls, one at a time finds out who wants what.

use std::sync::Arc;

use payonce_core::store::{Owner, Role};
use payonce_dispatch::{Dispatcher, fan_out};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use tokio::sync::watch;

use super::{Habits, lead::lead};
use crate::server::App;

pub(super) async fn run(app: &App, owner: &Owner, habits: Habits, stopping: watch::Receiver<bool>) {
    let mut random = SmallRng::from_os_rng();
    let dispatcher = Dispatcher {
        store: Arc::clone(&app.store),
        owner: owner.clone(),
        opener: app.delivery.opener(),
        observer: app.delivery.observer(),
        random: Box::new(move || random.random()),
        wake: Arc::clone(&app.delivery.wake),
        stop_max: habits.stop_max,
    };
    let fan_out = lead(&*app.store, &Role::FAN_OUT, owner, stopping.clone(), async |_| {
        fan_out(&*app.store, app.positioned.subscribe(), &app.delivery.wake).await;
    });
    tokio::join!(dispatcher.run(stopping), fan_out);
}
