//! The one door: a batch of facts takes effect in one transaction.
//!
//! Invariants: `Ok` means committed. A fact that makes a transaction fail does not hurt its neighbours. No
//! clock and no randomness; the time is an argument.

use async_trait::async_trait;

use crate::{
    decide::{Outcome, Policy, UnknownOrder},
    fact::{Claim, Fact},
    fault,
    order::{OrderId, OrderKey},
    store::{DEFERRED, KnownOrder, Receipt, Store, StoreError},
    time::UnixMillis,
};

pub mod effect;
mod failure;
mod fold;

use effect::{
    EffectFailure, Effects,
    run::{Failed, Waits, refused_at_commit, run},
};
use failure::{Failure, late, repeated};
use fold::{Fold, Known};

/// How often a transaction is begun anew after a [`StoreError::Conflict`] or a [`StoreError::Constraint`] before its
/// facts are applied one by one. With sorted locks either means that another node committed, so a few rounds suffice.
const ATTEMPTS_MAX: u32 = 8;

/// Whether, and after which pause, a transaction is begun: `apply` has no clock. What is under way ends by itself, or is
/// dropped together with `apply`'s future.
#[async_trait]
pub trait Pace: Send + Sync {
    /// Waits a little after the `failed`th attempt (from 1). `false`: the time is over.
    async fn again(&self, failed: u32) -> bool;

    /// Whether the time is over, so that nothing further is begun.
    fn is_over(&self) -> bool;
}

/// So many attempts, without a pause.
#[derive(Clone, Copy, Debug)]
pub struct Attempts(pub u32);

#[async_trait]
impl Pace for Attempts {
    async fn again(&self, failed: u32) -> bool {
        failed < self.0
    }

    fn is_over(&self) -> bool {
        false
    }
}

/// A fact to be applied and, if a callback brought it, that callback's receipt.
#[derive(Clone, Debug)]
pub struct Submission {
    /// What is known.
    pub fact: Fact,
    /// The callback, to be stored with its outcome.
    pub receipt: Option<Receipt>,
}

impl From<Fact> for Submission {
    fn from(fact: Fact) -> Self {
        Self { fact, receipt: None }
    }
}

/// Why a fact was not applied.
#[derive(Debug, thiserror::Error)]
pub enum NotApplied {
    /// The database did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Effects of its messages failed; there is one at least. Nothing of it was committed.
    #[error("{}", .0.iter().map(EffectFailure::to_string).collect::<Vec<_>>().join("; "))]
    Effects(Vec<EffectFailure>),
}

/// Applies a batch in one transaction and tells, in the same order, what came of each fact.
///
/// What another transaction or a lost connection undid is begun anew, as long as `pace` allows. If the transaction
/// fails for a reason that may lie in one of the facts, they are applied one by one, as far as the time goes.
///
/// Dropped before it returns, it is like a connection that was lost: what was being committed may be.
pub async fn apply(
    store: &dyn Store,
    batch: &[Submission],
    policy: &Policy,
    now: UnixMillis,
    pace: &dyn Pace,
) -> Vec<Result<Outcome, StoreError>> {
    let applied = apply_with(store, batch, policy, &Effects::none(), now, pace).await;
    let without_effects = |not_applied| match not_applied {
        NotApplied::Store(error) => error,
        failed @ NotApplied::Effects(_) => StoreError::Unexpected(Box::new(failed)),
    };
    applied.into_iter().map(|outcome| outcome.map_err(without_effects)).collect()
}

/// [`apply()`] with effects: they run in the transaction, before its commit. If some fail, the batch is applied anew
/// without the facts that caused their messages, and so on, until what is left succeeds.
pub async fn apply_with(
    store: &dyn Store,
    batch: &[Submission],
    policy: &Policy,
    effects: &Effects,
    now: UnixMillis,
    pace: &dyn Pace,
) -> Vec<Result<Outcome, NotApplied>> {
    Door { store, policy, effects, now, pace, waits: Waits::default() }.apply(batch).await
}

struct Door<'a> {
    store: &'a dyn Store,
    policy: &'a Policy,
    effects: &'a Effects,
    now: UnixMillis,
    pace: &'a dyn Pace,
    waits: Waits,
}

impl Door<'_> {
    async fn apply(&self, batch: &[Submission]) -> Vec<Result<Outcome, NotApplied>> {
        let mut perhaps_committed = None;
        match self.apply_together(batch, &mut perhaps_committed).await {
            Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
            Err(Failure::OfEffects(failed)) => self.apply_without(batch, failed, perhaps_committed).await,
            Err(failure) => self.apply_apart(batch, failure, perhaps_committed).await,
        }
    }

    /// Applies a batch without the facts whose effects failed.
    async fn apply_without(
        &self,
        batch: &[Submission],
        mut failed: Vec<Failed>,
        mut perhaps_committed: Option<Vec<Outcome>>,
    ) -> Vec<Result<Outcome, NotApplied>> {
        let mut failures: Vec<Vec<EffectFailure>> = vec![Vec::new(); batch.len()];
        let mut places: Vec<usize> = (0..batch.len()).collect();
        let rest = loop {
            for (place, failure) in failed {
                failures[places[place]].push(failure);
            }
            if let Some(outcomes) = &mut perhaps_committed {
                // Order matters: the places that it had are those before some go.
                let mut had = places.iter();
                outcomes.retain(|_| had.next().is_some_and(|&place| failures[place].is_empty()));
            }
            places.retain(|&place| failures[place].is_empty());
            let rest: Vec<Submission> = places.iter().map(|&place| batch[place].clone()).collect();
            if rest.is_empty() {
                break Vec::new();
            }
            if self.pace.is_over() {
                break repeated(&late(perhaps_committed.is_some()), rest.len());
            }
            failed = match self.apply_together(&rest, &mut perhaps_committed).await {
                Ok(outcomes) => break outcomes.into_iter().map(Ok).collect(),
                Err(Failure::OfEffects(failed)) => failed,
                Err(failure) => break self.apply_apart(&rest, failure, perhaps_committed).await,
            };
        };
        let mut rest = rest.into_iter();
        let each = |failures: Vec<EffectFailure>| match failures.is_empty() {
            true => rest.next().expect("BUG: each fact without a failure was applied with the rest"),
            false => Err(NotApplied::Effects(failures)),
        };
        failures.into_iter().map(each).collect()
    }

    /// What becomes of facts that were not applied together.
    async fn apply_apart(
        &self,
        batch: &[Submission],
        failure: Failure,
        perhaps_committed: Option<Vec<Outcome>>,
    ) -> Vec<Result<Outcome, NotApplied>> {
        match failure {
            failure if batch.len() == 1 => vec![Err(failure.into_error())],
            Failure::OfAll(away) => repeated(&away, batch.len()),
            Failure::PerhapsOfOne(_) | Failure::OfEffects(_) => {
                self.apply_one_by_one(batch, perhaps_committed).await
            }
        }
    }

    /// `perhaps_committed` is what came of the facts together, if nobody knows whether that was committed.
    async fn apply_one_by_one(
        &self,
        batch: &[Submission],
        perhaps_committed: Option<Vec<Outcome>>,
    ) -> Vec<Result<Outcome, NotApplied>> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for (place, submission) in batch.iter().enumerate() {
            if self.pace.is_over() {
                outcomes.extend(repeated(&late(perhaps_committed.is_some()), batch.len() - place));
                break;
            }
            let mut earlier = perhaps_committed.as_ref().map(|outcomes| vec![outcomes[place]]);
            match self.apply_together(std::slice::from_ref(submission), &mut earlier).await {
                Ok(one) => outcomes.push(Ok(one[0])),
                Err(Failure::OfAll(away)) => {
                    // It went away meanwhile, or the time is over: asking for each of the rest would only take the
                    // others' time.
                    outcomes.extend(repeated(&away, batch.len() - place));
                    break;
                }
                Err(failure) => outcomes.push(Err(failure.into_error())),
            }
        }
        outcomes
    }

    /// `perhaps_committed` is what an earlier attempt decided whose commit nobody knows of.
    async fn apply_together(
        &self,
        batch: &[Submission],
        perhaps_committed: &mut Option<Vec<Outcome>>,
    ) -> Result<Vec<Outcome>, Failure> {
        let keys = Keys::of(batch, self.policy);
        let mut failed = 0;
        loop {
            let error = match self.apply_once(&keys, batch, perhaps_committed).await {
                Ok(Ok(outcomes)) => return Ok(outcomes),
                Ok(Err(failed)) => return Err(Failure::OfEffects(failed)),
                Err(error) => error,
            };
            failed += 1;
            let again = match error {
                // Of one of the facts, as it will be again.
                StoreError::Constraint { name: DEFERRED, .. } => false,
                StoreError::Conflict(_) | StoreError::Constraint { .. } => failed < ATTEMPTS_MAX,
                StoreError::Disconnected(_) | StoreError::CommitUnknown(_) => true,
                StoreError::Unavailable { reason, .. } => reason.may_pass_soon(),
                _ => false,
            };
            let over = again && !self.pace.again(failed).await;
            if !again || over {
                return Err(Failure::of(error, over, perhaps_committed.is_some()));
            }
        }
    }

    /// The inner error: effects that failed, so that nothing was committed.
    async fn apply_once(
        &self,
        keys: &Keys,
        batch: &[Submission],
        perhaps_committed: &mut Option<Vec<Outcome>>,
    ) -> Result<Result<Vec<Outcome>, Vec<Failed>>, StoreError> {
        let mut tx = self.store.begin().await?;
        fault!("apply: begun, nothing read");
        // Order matters: what another transaction wrote for an order is seen once the order is locked.
        let orders = tx.orders_for_update(&keys.orders).await?;
        let mut claimed = tx.claim(&keys.claims).await?;
        let waiting = match keys.to_be_registered(&orders) {
            awaited if awaited.is_empty() => Vec::new(),
            awaited => tx.payments_under(&awaited).await?,
        };
        if !waiting.is_empty() {
            // What waited is decided in this transaction too, so its numbers are claimed like those of the batch:
            // WeChat may have named another order under one of them since.
            let numbers = sorted(waiting.iter().map(|kept| kept.content.claim()).collect());
            claimed.payments.extend(tx.claim(&numbers).await?.payments);
        }

        let mut fold = Fold::new(Known { claimed, orders }, self.policy, self.now);
        let mut outcomes: Vec<Outcome> = batch.iter().map(|submission| fold.add(&submission.fact)).collect();
        if let Some(earlier) = perhaps_committed {
            outcomes = outcomes.into_iter().zip(earlier.iter().copied()).map(resolved).collect();
        }
        let mut changes = fold.into_changes();
        changes.receipts = receipts(batch, &outcomes);

        fault!("apply: decided, nothing saved");
        tx.save(&changes).await?;
        if !self.effects.is_empty() {
            let failed = run(self.effects, &mut *tx, &changes, self.now, &self.waits).await?;
            if !failed.is_empty() {
                return Ok(Err(failed));
            }
        }
        fault!("apply: saved, before commit");
        let committed = tx.commit().await;
        fault!("apply: after commit");
        if let Err(StoreError::CommitUnknown(_)) = &committed {
            *perhaps_committed = Some(outcomes.clone());
        }
        if let (Err(StoreError::Constraint { name: DEFERRED, source }), 1) = (&committed, batch.len()) {
            let failed = refused_at_commit(self.effects, &changes, self.now, &source.to_string());
            if !failed.is_empty() {
                return Ok(Err(failed));
            }
        }
        committed.map(|()| Ok(outcomes))
    }
}

/// What is known already, of a fact that was in a commit of ours nobody knew of, is our own doing. (Or another node's
/// that was faster: then it is told as if it were ours, and took effect once all the same.)
fn resolved((now, earlier): (Outcome, Outcome)) -> Outcome {
    if now == Outcome::Duplicate { earlier } else { now }
}

fn receipts(batch: &[Submission], outcomes: &[Outcome]) -> Vec<Receipt> {
    batch
        .iter()
        .zip(outcomes)
        .filter_map(|(submission, &outcome)| {
            submission.receipt.clone().map(|receipt| Receipt { outcome, ..receipt })
        })
        .collect()
}

/// What a batch has to read and lock, each list sorted (so that two nodes lock in one order) and without doubles.
struct Keys {
    claims: Vec<Claim>,
    orders: Vec<OrderKey>,
    /// Orders that the batch may bring into being, for which payments may wait.
    registrations: Vec<OrderKey>,
}

impl Keys {
    fn of(batch: &[Submission], policy: &Policy) -> Self {
        let facts = || batch.iter().map(|submission| &submission.fact);
        Self {
            claims: sorted(facts().filter_map(Fact::claim).collect()),
            orders: sorted(facts().filter_map(|fact| fact.order_key().cloned()).collect()),
            registrations: sorted(
                facts()
                    .filter_map(|fact| match fact {
                        Fact::Registered { key, .. } => Some(key.clone()),
                        Fact::Paid(paid) if policy.unknown_order == UnknownOrder::Adopt => {
                            Some(paid.content.key.clone())
                        }
                        _ => None,
                    })
                    .collect(),
            ),
        }
    }

    /// Those that the batch may register among the numbers that payments wait under.
    fn to_be_registered(&self, orders: &[KnownOrder]) -> Vec<OrderId> {
        let awaited = orders.iter().filter_map(|order| match order {
            KnownOrder::Awaited(id, key) if self.registrations.binary_search(key).is_ok() => Some(*id),
            _ => None,
        });
        awaited.collect()
    }
}

fn sorted<T: Ord>(mut keys: Vec<T>) -> Vec<T> {
    keys.sort_unstable();
    keys.dedup();
    keys
}
