//! What is known to be committed: in this process, and perhaps in a cache that the nodes share.

use std::sync::Arc;

use payonce_core::{Fact, store::Epoch};

use super::{answered::Answered, shared::Shared};
use crate::metrics::Metrics;

/// The two caches as one.
pub(crate) struct Committed {
    here: Answered,
    shared: Option<Arc<Shared>>,
    metrics: Arc<Metrics>,
}

impl Committed {
    pub(crate) fn new(bytes_max: u64, shared: Option<Arc<Shared>>, metrics: Arc<Metrics>) -> Self {
        Self { here: Answered::new(bytes_max), shared, metrics }
    }

    /// Whether this very fact is known to be committed. While the database's epoch is not known, nothing is.
    pub(crate) async fn holds(&self, fact: &Fact, epoch: Option<Epoch>) -> bool {
        let Some(epoch) = epoch else { return false };
        if self.here.holds(fact, &epoch) {
            self.metrics.process_hits.inc();
            return true;
        }
        let Some(shared) = &self.shared else { return false };
        let held = shared.holds(fact, &epoch).await;
        if held {
            self.metrics.shared_hits.inc();
            self.here.remember(std::iter::once(fact), &epoch);
        }
        held
    }

    /// Remembers facts. The caller has seen their commit return; `epoch` is that of before their transaction began.
    pub(crate) async fn remember(&self, facts: &[Fact], epoch: &Epoch) {
        self.here.remember(facts.iter(), epoch);
        if let Some(shared) = &self.shared {
            shared.remember(facts, epoch).await;
        }
    }
}
