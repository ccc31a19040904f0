//! What becomes of messages, for the log and the metrics.

use std::{sync::Arc, time::Duration};

use payonce_core::delivery::{Answer, EndpointName};
use payonce_dispatch::{Event, Observer};

use crate::metrics::Metrics;

pub(super) struct Told {
    pub metrics: Arc<Metrics>,
}

impl Observer for Told {
    fn event(&self, endpoint: &EndpointName, event: Event) {
        let endpoint = endpoint.as_str();
        match event {
            Event::Failing => {
                tracing::warn!(endpoint, "an endpoint fails: it is given a rest, its messages wait")
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
