//! How this server reaches endpoints, and who is told what becomes of messages.

mod configured;
pub(crate) mod limits;
mod observer;

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;

use payonce_core::{
    Clock,
    delivery::{Endpoint, EndpointName},
};
use payonce_dispatch::{Observer, Open, Sender, Senders, SystemResolver, Trust, Wake};

use crate::{
    alerts::Alerts,
    config::{DeliverySettings, Place},
    metrics::Metrics,
};
pub use configured::EndpointsError;
use observer::Told;

/// What is said where no key seals secrets.
pub(crate) const NO_SEALING_KEY: &str = "no key seals the secrets of endpoints: set delivery.sealing_key_file, a file that \
     `openssl rand -base64 32` fills";

/// The ways to endpoints.
pub(crate) struct Delivery {
    /// `None`: there can be no endpoints.
    pub senders: Option<Arc<Senders>>,
    /// Told when endpoints change, or messages are to be replayed.
    pub wake: Arc<Wake>,
    /// Held while an endpoint is read, changed and written: neither of two changes at a time is lost.
    pub defining: tokio::sync::Mutex<()>,
    /// Where the configuration of this node defines endpoints.
    places: ArcSwap<BTreeMap<EndpointName, Place>>,
    metrics: Arc<Metrics>,
    alerts: Arc<Alerts>,
}

impl Delivery {
    pub(crate) fn new(
        settings: &DeliverySettings,
        clock: &Arc<dyn Clock>,
        metrics: &Arc<Metrics>,
        alerts: &Arc<Alerts>,
    ) -> Self {
        let senders = settings.sealing_keys.as_ref().map(|keys| {
            Arc::new(Senders {
                clock: Arc::clone(clock),
                keys: Arc::clone(keys),
                networks: settings.networks.clone(),
                plain: settings.unencrypted,
                resolver: Arc::new(SystemResolver),
                trust: Trust::system(),
            })
        });
        Self {
            senders,
            wake: Arc::default(),
            defining: tokio::sync::Mutex::new(()),
            places: ArcSwap::default(),
            metrics: Arc::clone(metrics),
            alerts: Arc::clone(alerts),
        }
    }

    pub(crate) fn opener(&self) -> Arc<dyn Open> {
        match &self.senders {
            Some(senders) => Arc::clone(senders) as Arc<dyn Open>,
            None => Arc::new(Closed),
        }
    }

    pub(crate) fn observer(&self) -> Arc<dyn Observer> {
        Arc::new(Told { metrics: Arc::clone(&self.metrics), alerts: Arc::clone(&self.alerts) })
    }
}

/// Endpoints of a database whose secrets this node cannot open.
struct Closed;

impl Open for Closed {
    fn open(&self, _: &EndpointName, _: &Endpoint) -> Result<Arc<dyn Sender>, String> {
        Err(NO_SEALING_KEY.to_owned())
    }
}
