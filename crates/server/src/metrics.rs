//! What is counted, in Prometheus' words. Counters of the hot path are looked up once, at the start.

use std::{sync::atomic::AtomicU64, time::Duration};

use payonce_core::{Outcome, delivery::Answer};
use prometheus_client::{
    encoding::{
        EncodeLabelSet,
        text::{encode_eof, encode_registry},
    },
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use wechatpay_client::KeyHealth;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerdictLabel {
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheLabel {
    cache: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KeyLabel {
    merchant: String,
    serial: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KeyUseLabel {
    merchant: String,
    serial: String,
    /// `callback` or `answer`.
    of: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabel {
    endpoint: String,
    /// `delivered`, `failed`.
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndpointLabel {
    endpoint: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AlertLabel {
    channel: String,
    /// `sent`, `failed` (and is tried again), `given_up`, `dropped`.
    result: &'static str,
}

/// What every name begins with.
const PREFIX: &str = "payonce";

/// Everything that is counted.
pub(crate) struct Metrics {
    registry: Registry,
    accepted: [Counter; 4],
    refused: Family<VerdictLabel, Counter>,
    /// From the request's head to its answer.
    pub callback_seconds: Histogram,
    /// Facts in one transaction.
    pub batch_facts: Histogram,
    /// Notes that were not written because too many waited or the database refused.
    pub notes_dropped: Counter,
    /// Copies that this process answered from its own memory.
    pub process_hits: Counter,
    /// Copies that were answered from the cache that nodes share.
    pub shared_hits: Counter,
    /// Times that the shared cache did not answer.
    pub shared_failures: Counter,
    /// Entries of the shared cache that were not sealed by this database: forged, foreign or stale.
    pub shared_foreign: Counter,
    attempts: Family<AttemptLabel, Counter>,
    exhausted: Family<EndpointLabel, Counter>,
    /// From an attempt's begin to its end.
    attempt_seconds: Histogram,
    alerts: Family<AlertLabel, Counter>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let accepted = Family::<OutcomeLabel, Counter>::default();
        let refused = Family::<VerdictLabel, Counter>::default();
        let callback_seconds = Histogram::new(exponential_buckets(0.000_25, 2.0, 15));
        let batch_facts = Histogram::new(exponential_buckets(1.0, 2.0, 9));
        let notes_dropped = Counter::<u64, AtomicU64>::default();
        let cache_hits = Family::<CacheLabel, Counter>::default();
        let hits = |cache| cache_hits.get_or_create_owned(&CacheLabel { cache });
        let shared_failures = Counter::<u64, AtomicU64>::default();
        let shared_foreign = Counter::<u64, AtomicU64>::default();

        let mut registry = Registry::with_prefix(PREFIX);
        registry.register("callbacks_accepted", "Callbacks committed and acknowledged", accepted.clone());
        registry.register("callbacks_refused", "Callbacks answered 4xx or 5xx, by reason", refused.clone());
        registry.register(
            "callback_seconds",
            "Seconds from a callback's head to its answer",
            callback_seconds.clone(),
        );
        registry.register("batch_facts", "Facts applied in one transaction", batch_facts.clone());
        registry.register(
            "notes_dropped",
            "Rejected callbacks and receipts that were not stored",
            notes_dropped.clone(),
        );
        registry.register("cache_hits", "Copies answered without the database, by cache", cache_hits.clone());
        registry.register(
            "shared_cache_failures",
            "Times that the shared cache did not answer in time",
            shared_failures.clone(),
        );
        registry.register(
            "shared_cache_foreign",
            "Entries of the shared cache that this database did not seal, and that were ignored",
            shared_foreign.clone(),
        );
        let attempts = Family::<AttemptLabel, Counter>::default();
        let exhausted = Family::<EndpointLabel, Counter>::default();
        let attempt_seconds = Histogram::new(exponential_buckets(0.001, 2.0, 15));
        registry.register("delivery_attempts", "Attempts to hand messages over", attempts.clone());
        registry.register(
            "deliveries_exhausted",
            "Messages whose last attempt failed: they can be replayed",
            exhausted.clone(),
        );
        registry.register(
            "delivery_attempt_seconds",
            "Seconds that an attempt took",
            attempt_seconds.clone(),
        );
        let counter =
            |outcome: Outcome| accepted.get_or_create_owned(&OutcomeLabel { outcome: outcome.as_str() });
        Self {
            accepted: [Outcome::Applied, Outcome::Duplicate, Outcome::Unmatched, Outcome::Incident]
                .map(counter),
            alerts: alerts_in(&mut registry),
            registry,
            refused,
            callback_seconds,
            batch_facts,
            notes_dropped,
            process_hits: hits("process"),
            shared_hits: hits("shared"),
            shared_failures,
            shared_foreign,
            attempts,
            exhausted,
            attempt_seconds,
        }
    }

    pub(crate) fn accepted(&self, outcome: Outcome) {
        let place = match outcome {
            Outcome::Applied => 0,
            Outcome::Duplicate => 1,
            Outcome::Unmatched => 2,
            Outcome::Incident => 3,
            // Registrations only, which are no callbacks.
            Outcome::Refused => return,
        };
        self.accepted[place].inc();
    }

    pub(crate) fn attempted(&self, endpoint: &str, answer: Answer, took: Duration) {
        let result = if answer.is_success() { "delivered" } else { "failed" };
        self.attempts.get_or_create(&AttemptLabel { endpoint: endpoint.to_owned(), result }).inc();
        self.attempt_seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn exhausted(&self, endpoint: &str) {
        self.exhausted.get_or_create(&EndpointLabel { endpoint: endpoint.to_owned() }).inc();
    }

    pub(crate) fn alerted(&self, channel: &str, result: &'static str) {
        self.alerts.get_or_create(&AlertLabel { channel: channel.to_owned(), result }).inc();
    }

    pub(crate) fn refused(&self, verdict: &'static str) {
        self.refused.get_or_create(&VerdictLabel { verdict }).inc();
    }

    /// The exposition text, with how these keys are now.
    pub(crate) fn render<'k>(&self, keys: impl Iterator<Item = (&'k str, Vec<KeyHealth>)>) -> String {
        let mut text = String::new();
        encode_registry(&mut text, &registry_of_keys(keys))
            .and_then(|()| encode_registry(&mut text, &self.registry))
            .and_then(|()| encode_eof(&mut text))
            .expect("BUG: writing to a String does not fail");
        text
    }
}

fn alerts_in(registry: &mut Registry) -> Family<AlertLabel, Counter> {
    let alerts = Family::default();
    registry.register("alerts", "Alerts, by channel and what came of them", alerts.clone());
    alerts
}

/// Keys come and go. Each text has gauges of its own, so that two that are written at the same time are both whole.
fn registry_of_keys<'k>(keys: impl Iterator<Item = (&'k str, Vec<KeyHealth>)>) -> Registry {
    let uses = Family::<KeyUseLabel, Gauge>::default();
    let expires = Family::<KeyLabel, Gauge>::default();
    for (merchant, health) in keys {
        for key in health {
            for (of, count) in [("callback", key.callbacks), ("answer", key.answers)] {
                let (merchant, serial) = (merchant.to_owned(), key.serial.clone());
                uses.get_or_create(&KeyUseLabel { merchant, serial, of }).set(count.cast_signed());
            }
            let label = KeyLabel { merchant: merchant.to_owned(), serial: key.serial };
            if let Some(ends) = key.expires {
                expires.get_or_create(&label).set(ends.0);
            }
        }
    }
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register(
        "platform_key_uses",
        "Callbacks and answers that a key of WeChat Pay's proved, since the start",
        uses,
    );
    registry.register(
        "platform_key_expires_timestamp_seconds",
        "When a platform certificate ends, Unix time",
        expires,
    );
    registry
}

#[cfg(test)]
mod tests {
    use std::thread;

    use wechatpay_client::{KeyKind, KeySource};

    use super::*;

    /// Two that scrape, such as Prometheus twice, must not take series from each other.
    #[test]
    fn scrapes_at_the_same_time_each_show_every_key() {
        const KEYS: usize = 50;
        let key = |number: usize| KeyHealth {
            serial: format!("PUB_KEY_ID_{number}"),
            kind: KeyKind::PublicKey,
            source: KeySource::Configured,
            since: None,
            starts: None,
            expires: None,
            callbacks: 7,
            answers: 0,
        };
        let metrics = Metrics::new();
        let scrape = || {
            for _ in 0..100 {
                let text = metrics.render(std::iter::once(("1900000001", (0..KEYS).map(key).collect())));
                let shown = text.lines().filter(|line| line.starts_with("payonce_platform_key_uses{"));
                assert_eq!(shown.count(), 2 * KEYS, "of callbacks and of answers");
            }
        };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(scrape);
            }
        });
    }
}
