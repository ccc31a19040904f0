//! What is counted, in Prometheus' words. Counters of the hot path are looked up once, at the start.

use std::sync::atomic::AtomicU64;

use payonce_core::Outcome;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
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

/// Everything that is counted.
pub(crate) struct Metrics {
    registry: Registry,
    accepted: [Counter; 4],
    refused: Family<VerdictLabel, Counter>,
    key_uses: Family<KeyUseLabel, Gauge>,
    key_expires: Family<KeyLabel, Gauge>,
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

        let key_uses = Family::<KeyUseLabel, Gauge>::default();
        let key_expires = Family::<KeyLabel, Gauge>::default();

        let mut registry = Registry::with_prefix("payonce");
        registry.register(
            "platform_key_uses",
            "Callbacks and answers that a key of WeChat Pay's proved, since the start",
            key_uses.clone(),
        );
        registry.register(
            "platform_key_expires_timestamp_seconds",
            "When a platform certificate ends, Unix time",
            key_expires.clone(),
        );
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
        let counter =
            |outcome: Outcome| accepted.get_or_create_owned(&OutcomeLabel { outcome: outcome.as_str() });
        Self {
            accepted: [Outcome::Applied, Outcome::Duplicate, Outcome::Unmatched, Outcome::Incident]
                .map(counter),
            registry,
            refused,
            key_uses,
            key_expires,
            callback_seconds,
            batch_facts,
            notes_dropped,
            process_hits: hits("process"),
            shared_hits: hits("shared"),
            shared_failures,
            shared_foreign,
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

    pub(crate) fn refused(&self, verdict: &'static str) {
        self.refused.get_or_create(&VerdictLabel { verdict }).inc();
    }

    /// The exposition text, with how these keys are now.
    pub(crate) fn render<'k>(&self, keys: impl Iterator<Item = (&'k str, Vec<KeyHealth>)>) -> String {
        self.key_uses.clear();
        self.key_expires.clear();
        for (merchant, health) in keys {
            for key in health {
                for (of, uses) in [("callback", key.callbacks), ("answer", key.answers)] {
                    let (merchant, serial) = (merchant.to_owned(), key.serial.clone());
                    let label = KeyUseLabel { merchant, serial, of };
                    self.key_uses.get_or_create(&label).set(uses.cast_signed());
                }
                let label = KeyLabel { merchant: merchant.to_owned(), serial: key.serial };
                if let Some(expires) = key.expires {
                    self.key_expires.get_or_create(&label).set(expires.0);
                }
            }
        }
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("BUG: writing to a String does not fail");
        text
    }
}
