//! Publishes messages to brokers, each by its own client.
//!
//! What each of them promises: a message counts as delivered once the broker has said that it keeps it; until then it is
//! published again, under the same id, which is what readers dedupe by (NATS does it itself for two minutes). All calls to
//! a broker share one connection, which is opened when it is needed and given up at the first sign of trouble; the broker's
//! addresses are looked up and judged each time. Every attempt ends within the endpoint's time-outs. Deliberately absent:
//! queues, streams and topics are the merchant's to make.

#![cfg_attr(
    not(any(feature = "kafka", feature = "nats", feature = "rabbitmq", feature = "redis")),
    allow(dead_code, reason = "without any broker nobody publishes")
)]

mod link;
mod url;

#[cfg(feature = "kafka")]
pub(crate) mod kafka;
#[cfg(feature = "nats")]
pub(crate) mod nats;
#[cfg(feature = "rabbitmq")]
pub(crate) mod rabbitmq;
#[cfg(feature = "redis")]
pub(crate) mod redis;

use std::time::Duration;

use async_trait::async_trait;
use payonce_core::{
    delivery::{Answer, Fault, Settings},
    store::MessageView,
};
use tokio::time::{Instant, timeout_at};

pub use url::BrokerUrlError;

use crate::{Report, Sender, failure::Failure};

use link::Link;

/// A kind of broker, and where messages go in it.
#[async_trait]
pub(crate) trait Broker: Send + Sync {
    type Connection: Send + Sync;

    /// Whether a client that was refused goes on to refuse by itself, from memory.
    const REMEMBERS_REFUSALS: bool = false;

    /// Opens a connection that is ready to publish.
    async fn connect(&self, until: Instant) -> Result<Self::Connection, Failure>;

    /// Whether it may still be published on.
    fn is_alive(connection: &Self::Connection) -> bool;

    /// Publishes a message, and returns when the broker has said that it keeps it.
    async fn publish(&self, connection: &Self::Connection, message: &MessageView) -> Result<(), Failure>;
}

/// A way to one broker.
pub(crate) struct BrokerSender<B: Broker> {
    broker: B,
    link: Link<B>,
    connect_max: Duration,
    total_max: Duration,
}

impl<B: Broker> BrokerSender<B> {
    pub(crate) fn new(broker: B, settings: &Settings) -> Self {
        let connect_max = Duration::from_millis(settings.connect_max_ms.into());
        let total_max = Duration::from_millis(settings.total_max_ms.into());
        Self { broker, link: Link::default(), connect_max, total_max }
    }

    async fn attempt(&self, message: &MessageView) -> Result<(), Failure> {
        let begun = Instant::now();
        let until = begun + self.total_max;
        let connection = self.link.connection(&self.broker, until.min(begun + self.connect_max)).await?;
        let published = timeout_at(until, self.broker.publish(&connection, message)).await;
        let outcome = published.unwrap_or_else(|_| Err(Failure::late(self.total_max)));
        // Who says no is well.
        let is_well = |fault| matches!(fault, Fault::Refused | Fault::Full) && !B::REMEMBERS_REFUSALS;
        if outcome.as_ref().is_err_and(|failure| !is_well(failure.fault)) {
            self.link.give_up(&connection).await;
        }
        outcome
    }
}

#[async_trait]
impl<B: Broker> Sender for BrokerSender<B> {
    async fn send(&self, message: &MessageView) -> Report {
        match self.attempt(message).await {
            Ok(()) => Report::of(Answer::Confirmed),
            Err(failure) => failure.report(),
        }
    }
}
