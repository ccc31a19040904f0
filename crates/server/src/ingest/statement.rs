//! What one callback states: a fact, or of a combine order one for each of its orders.
//!
//! Invariants: it is acknowledged when all of them are committed, each in whatever transaction; what was committed
//! before is a duplicate when the callback comes again.

use payonce_core::{Fact, Outcome, Submission, store::Receipt};

use tokio::sync::oneshot;

use super::{Shed, applier::Verdict, refusal::Refusal};
use crate::server::App;

/// A callback, translated.
#[derive(Debug)]
pub(crate) struct Statement {
    /// Almost always the only one.
    pub first: Fact,
    pub further: Vec<Fact>,
    /// Stored with the first.
    pub receipt: Receipt,
}

impl Statement {
    /// Whether the caches know that every fact of it is committed.
    pub(crate) async fn is_committed(&self, app: &App) -> bool {
        if !app.is_committed(&self.first).await {
            return false;
        }
        for fact in &self.further {
            if !app.is_committed(fact).await {
                return false;
            }
        }
        true
    }

    /// Commits every fact. Returns the outcome that says most.
    pub(crate) async fn commit(self, app: &App) -> Result<Outcome, Refusal> {
        let intake = app.intake()?;
        let first = intake.submit(Submission { fact: self.first, receipt: Some(self.receipt) })?;
        // All are handed in before the first is waited for, so that they share a transaction.
        let further = self.further.into_iter().map(|fact| intake.submit(fact.into()));
        let further: Vec<_> = further.collect::<Result<_, Shed>>()?;
        let committed = async |verdict: oneshot::Receiver<Verdict>| {
            verdict.await.map_err(|_| Refusal::ShuttingDown)?.map_err(Refusal::NotStored)
        };
        let mut outcome = committed(first).await?;
        for verdict in further {
            outcome = telling(outcome, committed(verdict).await?);
        }
        Ok(outcome)
    }
}

/// Of two outcomes the one that an operator would rather know.
fn telling(one: Outcome, other: Outcome) -> Outcome {
    const BY_WEIGHT: [Outcome; 5] =
        [Outcome::Incident, Outcome::Unmatched, Outcome::Applied, Outcome::Duplicate, Outcome::Refused];
    BY_WEIGHT.into_iter().find(|outcome| [one, other].contains(outcome)).unwrap_or(one)
}
