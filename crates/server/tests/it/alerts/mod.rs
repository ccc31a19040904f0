//! Alerts: from what happens to a robot's group.

mod api;
pub(crate) mod incidents;
pub(crate) mod robot;
mod seen;
mod tries;

use std::{sync::Arc, time::Duration};

use payonce_core::delivery::EndpointUrl;
use payonce_dispatch::{Networks, SealingKeys};
use payonce_server::{
    Patience,
    config::{AlertKind, ChannelSettings, Config, Language, Robot as Kind},
};

use self::robot::Robot;

const SEALING_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// A channel to a robot on the loopback that gets everything, in English.
pub(crate) fn channel(kind: Kind, robot: &Robot) -> ChannelSettings {
    ChannelSettings {
        name: "ops".to_owned(),
        robot: kind,
        url: EndpointUrl::parse(&robot.url()).unwrap(),
        language: Language::English,
        only: AlertKind::CHOSEN.into(),
        per_minute: 600,
        group: Duration::from_secs(3600),
    }
}

/// A configuration with these channels, by which what is on the loopback may be called.
pub(crate) fn alerting(channels: Vec<ChannelSettings>) -> impl FnOnce(&mut Config, &mut Patience) {
    move |config, patience| {
        config.alerts = channels;
        config.delivery.sealing_keys = Some(Arc::new(SealingKeys::parse(SEALING_KEY).unwrap()));
        config.delivery.networks = Networks::parse(["127.0.0.1"]).unwrap();
        config.delivery.unencrypted = true;
        patience.incidents = Duration::from_millis(20);
        patience.alert_answer = Duration::from_millis(300);
    }
}
