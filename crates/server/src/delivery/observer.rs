//! What becomes of messages, for the log, the metrics and the people who are alerted.

use std::{sync::Arc, time::Duration};

use payonce_core::delivery::{Answer, EndpointName};
use payonce_dispatch::{Event, Observer};

use crate::{
    alerts::{Alert, Alerts, Disabled},
    metrics::Metrics,
};

pub(super) struct Told {
    pub metrics: Arc<Metrics>,
    pub alerts: Arc<Alerts>,
}

impl Observer for Told {
    fn event(&self, endpoint: &EndpointName, event: Event) {
        self.alerts.raise(alert(endpoint, &event));
        let endpoint = endpoint.as_str();
        match event {
            Event::Failing => {
                tracing::warn!(
                    endpoint,
                    "an endpoint fails: no call of the last five succeeded, its messages wait"
                )
            }
            Event::Recovered => tracing::info!(endpoint, "an endpoint takes messages again"),
            Event::DisabledFailing => {
                tracing::error!(
                    endpoint,
                    "an endpoint failed for too long and is disabled: its messages are held"
                );
            }
            Event::DisabledGone => {
                tracing::error!(endpoint, "an endpoint answered 410 and is disabled: its messages are held");
            }
            Event::Exhausted { message, answer } => {
                self.metrics.exhausted(endpoint);
                tracing::error!(
                    endpoint,
                    message = message.0,
                    ?answer,
                    "the last attempt failed: replay the message"
                );
            }
            Event::Unusable { why } => {
                tracing::error!(endpoint, why, "there is no way to an endpoint: its messages wait");
            }
        }
    }

    fn attempted(&self, endpoint: &EndpointName, answer: Answer, took: Duration) {
        self.metrics.attempted(endpoint.as_str(), answer, took);
    }
}

/// What people are told of it.
fn alert(endpoint: &EndpointName, event: &Event) -> Alert {
    let endpoint = endpoint.clone();
    match event {
        Event::Failing => Alert::EndpointFailing { endpoint },
        Event::Recovered => Alert::EndpointRecovered { endpoint },
        Event::DisabledFailing => Alert::EndpointDisabled { endpoint, because: Disabled::Failing },
        Event::DisabledGone => Alert::EndpointDisabled { endpoint, because: Disabled::Gone },
        Event::Exhausted { message, answer } => {
            Alert::Exhausted { endpoint, message: message.clone(), answer: *answer }
        }
        Event::Unusable { why } => Alert::EndpointUnusable { endpoint, why: why.clone() },
    }
}
