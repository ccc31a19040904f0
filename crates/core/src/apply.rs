//! The one door: a batch of facts takes effect in one transaction.
//!
//! Invariants: `Ok` means committed. A fact that makes a transaction fail does not hurt its neighbours. No
//! clock and no randomness; the time is an argument.

use crate::{
    decide::{Outcome, Policy, UnknownOrder},
    fact::{Claim, Fact},
    fault,
    fold::{Fold, Known},
    order::OrderKey,
    store::{DriverError, Receipt, Store, StoreError, Unavailability},
    time::UnixMillis,
};

/// How often a transaction is begun anew after a [`StoreError::Conflict`] before the batch is given up.
/// With sorted locks a conflict means that another node committed, so a few rounds suffice; the callback's
/// 4 s budget ends the wait in any case.
const ATTEMPTS_MAX: usize = 8;

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

/// Applies a batch in one transaction and tells, in the same order, what came of each fact.
///
/// If the transaction fails for a reason that may lie in one of the facts, they are applied one by one.
pub async fn apply(
    store: &dyn Store,
    batch: &[Submission],
    policy: &Policy,
    now: UnixMillis,
) -> Vec<Result<Outcome, StoreError>> {
    match apply_together(store, batch, policy, now).await {
        Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
        Err(error) if batch.len() == 1 => vec![Err(error)],
        // The database is the matter, not the facts: nothing in it has changed, and it would refuse each one.
        Err(StoreError::Unavailable { reason, source }) => {
            unavailable(reason, &source, batch.len()).collect()
        }
        Err(_) => {
            let mut outcomes = Vec::with_capacity(batch.len());
            for submission in batch {
                let one = apply_together(store, std::slice::from_ref(submission), policy, now).await;
                if let Err(StoreError::Unavailable { reason, source }) = one {
                    // It went away meanwhile: asking for each of the rest would only take the others' time.
                    let rest = batch.len() - outcomes.len();
                    outcomes.extend(unavailable(reason, &source, rest));
                    break;
                }
                outcomes.push(one.map(|outcomes| outcomes[0]));
            }
            outcomes
        }
    }
}

/// The same error for each of so many facts.
fn unavailable(
    reason: Unavailability,
    source: &DriverError,
    facts: usize,
) -> impl Iterator<Item = Result<Outcome, StoreError>> {
    let said = source.to_string();
    (0..facts).map(move |_| Err(StoreError::Unavailable { reason, source: said.clone().into() }))
}

async fn apply_together(
    store: &dyn Store,
    batch: &[Submission],
    policy: &Policy,
    now: UnixMillis,
) -> Result<Vec<Outcome>, StoreError> {
    let keys = Keys::of(batch, policy);
    let mut attempt = 1;
    loop {
        match apply_once(store, &keys, batch, policy, now).await {
            Err(StoreError::Conflict(_)) if attempt < ATTEMPTS_MAX => attempt += 1,
            result => return result,
        }
    }
}

async fn apply_once(
    store: &dyn Store,
    keys: &Keys,
    batch: &[Submission],
    policy: &Policy,
    now: UnixMillis,
) -> Result<Vec<Outcome>, StoreError> {
    let mut tx = store.begin().await?;
    fault!("apply: begun, nothing read");
    let mut claimed = tx.claim(&keys.claims).await?;
    let orders = tx.orders_for_update(&keys.orders).await?;
    let waiting = tx.unmatched_payments(&keys.registrations).await?;
    if !waiting.is_empty() {
        // What waited is decided in this transaction too, so its numbers are claimed like those of the batch:
        // WeChat may have named another order under one of them since.
        let numbers = sorted(waiting.iter().map(|kept| kept.content.claim()).collect());
        claimed.payments.extend(tx.claim(&numbers).await?.payments);
    }

    let mut fold = Fold::new(Known { claimed, orders }, policy, now);
    let outcomes: Vec<Outcome> = batch.iter().map(|submission| fold.add(&submission.fact)).collect();
    let mut changes = fold.into_changes();
    changes.receipts = receipts(batch, &outcomes);

    fault!("apply: decided, nothing saved");
    tx.save(&changes).await?;
    fault!("apply: saved, before commit");
    tx.commit().await?;
    fault!("apply: after commit");
    Ok(outcomes)
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
}

fn sorted<T: Ord>(mut keys: Vec<T>) -> Vec<T> {
    keys.sort_unstable();
    keys.dedup();
    keys
}
