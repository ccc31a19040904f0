//! What one callback states: a fact, or of a combine order one for each of its orders.
//!
//! Invariants: it is acknowledged when all of them are committed, each in whatever transaction; what was committed
//! before is a duplicate when the callback comes again. A receipt says that all of it is committed: that of one fact is
//! written with it, that of several after the last.

use payonce_core::{
    Fact, Outcome, Submission,
    store::{Note, Receipt},
};

use tokio::sync::oneshot;

use super::{Shed, applier::Verdict, refusal::Refusal};
use crate::server::App;

/// A callback, translated.
#[derive(Debug)]
pub(crate) struct Statement {
    /// Almost always the only one.
    pub first: Fact,
    pub further: Vec<Fact>,
    /// That it was accepted.
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
        if self.further.is_empty() {
            let alone = Submission { fact: self.first, receipt: Some(self.receipt) };
            return committed(intake.submit(alone)?).await;
        }
        let first = intake.submit(self.first.into())?;
        // All are handed in before the first is waited for: what goes through one lane may share a transaction.
        let further = self.further.into_iter().map(|fact| intake.submit(fact.into()));
        let further: Vec<_> = further.collect::<Result<_, Shed>>()?;
        let mut outcome = committed(first).await?;
        for verdict in further {
            outcome = telling(outcome, committed(verdict).await?);
        }
        intake.note(Note::Answered(Receipt { outcome, ..self.receipt }));
        Ok(outcome)
    }
}

async fn committed(verdict: oneshot::Receiver<Verdict>) -> Result<Outcome, Refusal> {
    verdict.await.map_err(|_| Refusal::ShuttingDown)?.map_err(Refusal::from)
}

/// Of two outcomes the one that an operator would rather know.
fn telling(one: Outcome, other: Outcome) -> Outcome {
    const BY_WEIGHT: [Outcome; 5] =
        [Outcome::Incident, Outcome::Unmatched, Outcome::Applied, Outcome::Duplicate, Outcome::Refused];
    BY_WEIGHT.into_iter().find(|outcome| [one, other].contains(outcome)).unwrap_or(one)
}
