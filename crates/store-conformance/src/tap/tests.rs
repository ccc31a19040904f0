//! `apply` on a store that has trouble.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use payonce_core::{
    Fact, NotApplied, Outcome, Pace, Policy, StoreError, Submission, apply,
    delivery::Filter,
    effect::Effects,
    store::{Changes, Unavailability},
};

use super::Tap;
use crate::{
    MemoryStore,
    desk::{Desk, PATIENT},
    facts::{NOW, paid, registered},
    run,
    shop::{self, Merchant, PAY},
};

#[derive(Debug, thiserror::Error)]
#[error("trouble")]
struct Trouble;

fn conflict() -> StoreError {
    StoreError::Conflict(Box::new(Trouble))
}

/// Applies in one batch, while `trouble` is asked before each save with how often it was asked before.
async fn apply_with(
    desk: &Desk<'_>,
    facts: &[Fact],
    trouble: impl Fn(usize, &Changes) -> Result<(), StoreError> + Sync,
) -> (Vec<Result<Outcome, StoreError>>, usize) {
    let saves = AtomicUsize::new(0);
    let before_save = |changes: &Changes| trouble(saves.fetch_add(1, Ordering::Relaxed), changes);
    let tap = Tap { store: desk.store, alone: false, before_save: &before_save };
    let batch: Vec<Submission> = facts.iter().cloned().map(Submission::from).collect();
    let outcomes = apply(&tap, &batch, &desk.policy, NOW, &PATIENT).await;
    (outcomes, saves.into_inner())
}

fn three_payments() -> [Fact; 4] {
    [registered("A"), Fact::Paid(paid("A", "P1")), Fact::Paid(paid("A", "P2")), Fact::Paid(paid("B", "P3"))]
}

#[test]
fn a_conflict_begins_again() {
    run(async {
        let store = MemoryStore::default();
        let desk = Desk::at(&store);
        let twice = |asked, _: &Changes| if asked < 2 { Err(conflict()) } else { Ok(()) };
        let (outcomes, saves) = apply_with(&desk, &three_payments(), twice).await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        assert_eq!(saves, 3);
        desk.audit().await;
    });
}

#[test]
fn a_conflict_without_end_is_given_up_and_nothing_is_changed() {
    run(async {
        let store = MemoryStore::default();
        let desk = Desk::at(&store);
        let (outcomes, saves) = apply_with(&desk, &[registered("A")], |_, _| Err(conflict())).await;
        assert!(matches!(outcomes[..], [Err(StoreError::Conflict(_))]), "{outcomes:?}");
        assert_eq!(saves, 8);
        assert!(desk.find("A").await.is_none());
    });
}

#[test]
fn a_fact_that_the_database_refuses_does_not_hurt_its_neighbours() {
    run(async {
        let store = MemoryStore::default();
        let desk = Desk::at(&store);
        let refuse_p1 = |_, changes: &Changes| {
            let has_p1 = changes.payments.iter().any(|payment| payment.content.payment.as_str() == "P1");
            let refusal =
                StoreError::Constraint { name: "payment_statement_once", source: Box::new(Trouble) };
            if has_p1 { Err(refusal) } else { Ok(()) }
        };
        let (outcomes, saves) = apply_with(&desk, &three_payments(), refuse_p1).await;
        let [Ok(Outcome::Applied), Err(StoreError::Constraint { .. }), Ok(second), Ok(third)] = outcomes[..]
        else {
            panic!("{outcomes:?}");
        };
        assert_eq!((second, third), (Outcome::Applied, Outcome::Unmatched));
        assert_eq!(saves, 8 + (1 + 8 + 1 + 1), "together, then one by one, each refusal eight times");
        desk.audit().await;
    });
}

/// The time is over when so many saves were asked for.
struct UntilSaves<'a>(&'a AtomicUsize, usize);

#[async_trait]
impl Pace for UntilSaves<'_> {
    async fn again(&self, _: u32) -> bool {
        !self.is_over()
    }

    fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= self.1
    }
}

/// A fact that is refused takes the time of a whole batch; those behind the batch must not wait for all of it.
#[test]
fn facts_whose_turn_comes_too_late_are_not_begun() {
    run(async {
        let store = MemoryStore::default();
        let desk = Desk::at(&store);
        let saves = AtomicUsize::new(0);
        let before_save = |changes: &Changes| {
            saves.fetch_add(1, Ordering::Relaxed);
            let has_p1 = changes.payments.iter().any(|payment| payment.content.payment.as_str() == "P1");
            if has_p1 { Err(StoreError::Unexpected(Box::new(Trouble))) } else { Ok(()) }
        };
        let tap = Tap { store: &store, alone: false, before_save: &before_save };
        let batch = three_payments().map(Submission::from);
        let outcomes = apply(&tap, &batch, &desk.policy, NOW, &UntilSaves(&saves, 3)).await;
        let [Ok(Outcome::Applied), Err(StoreError::Unexpected(_)), late @ ..] = &outcomes[..] else {
            panic!("{outcomes:?}");
        };
        assert_eq!(late.len(), 2);
        for outcome in late {
            let Err(StoreError::Unavailable { reason: Unavailability::TimedOut, source }) = outcome else {
                panic!("{outcome:?}");
            };
            assert_eq!(source.to_string(), "the time was over before its turn came");
        }
        assert_eq!(saves.load(Ordering::Relaxed), 3, "together, and one by one the first two");
        desk.audit().await;
    });
}

#[test]
fn a_database_that_is_away_is_asked_once_a_batch() {
    run(async {
        let store = MemoryStore::default();
        let desk = Desk::at(&store);
        let away = |_, _: &Changes| {
            Err(StoreError::Unavailable { reason: Unavailability::DiskFull, source: Box::new(Trouble) })
        };
        let (outcomes, saves) = apply_with(&desk, &three_payments(), away).await;
        assert_eq!((outcomes.len(), saves), (4, 1));
        for outcome in outcomes {
            let Err(StoreError::Unavailable { reason: Unavailability::DiskFull, source }) = outcome else {
                panic!("{outcome:?}");
            };
            assert_eq!(source.to_string(), "trouble");
        }
        assert!(desk.find("A").await.is_none());
    });
}

#[test]
fn a_database_that_goes_away_meanwhile_is_not_asked_for_each_of_the_rest() {
    run(async {
        let store = MemoryStore::default();
        let desk = Desk::at(&store);
        // The batch is refused, the first fact goes through alone, then the database is away.
        let going = |asked, _: &Changes| match asked {
            0 => Err(StoreError::Unexpected(Box::new(Trouble))),
            1 => Ok(()),
            _ => Err(StoreError::Unavailable { reason: Unavailability::Locked, source: Box::new(Trouble) }),
        };
        let (outcomes, saves) = apply_with(&desk, &three_payments(), going).await;
        assert!(matches!(outcomes[0], Ok(Outcome::Applied)), "{outcomes:?}");
        let away = |outcome: &Result<_, _>| matches!(outcome, Err(StoreError::Unavailable { .. }));
        assert!(outcomes.len() == 4 && outcomes[1..].iter().all(away), "{outcomes:?}");
        assert_eq!(saves, 3);
        desk.audit().await;
    });
}

/// Four paid orders, of which the shop has all but the first.
async fn shop_without_a(store: &MemoryStore) -> (Effects, [Fact; 4]) {
    let orders = ["A", "B", "C", "D"];
    Merchant(store).add(&orders[1..]).await;
    Desk::at(store).apply_each(&orders.map(registered)).await;
    let effect = Arc::new(shop::sql("pay", &[(PAY, "1")]));
    let facts = orders.map(|order| Fact::Paid(paid(order, &format!("P{order}"))));
    (Effects::none().with(Filter::all(), effect), facts)
}

/// What is left is a batch like any other: begun again after a conflict, and one by one where a row is refused.
#[test]
fn what_a_failed_effect_leaves_of_a_batch_meets_trouble_like_any() {
    run(async {
        let store = MemoryStore::default();
        let (effects, facts) = shop_without_a(&store).await;
        let saves = AtomicUsize::new(0);
        let before_save = |changes: &Changes| {
            let asked = saves.fetch_add(1, Ordering::Relaxed);
            let pays = |number: &str| {
                changes.payments.iter().any(|change| change.content.payment.as_str() == number)
            };
            match asked {
                1 => Err(conflict()),
                _ if pays("PC") && !pays("PA") => Err(StoreError::Unexpected(Box::new(Trouble))),
                _ => Ok(()),
            }
        };
        let tap = Tap { store: &store, alone: false, before_save: &before_save };
        let batch = facts.map(Submission::from);
        let outcomes =
            payonce_core::apply_with(&tap, &batch, &Policy::default(), &effects, NOW, &PATIENT).await;
        let [
            Err(NotApplied::Effects(_)),
            Ok(Outcome::Applied),
            Err(NotApplied::Store(StoreError::Unexpected(_))),
            Ok(Outcome::Applied),
        ] = &outcomes[..]
        else {
            panic!("{outcomes:?}")
        };
        assert_eq!(saves.into_inner(), 3 + 3, "all, the rest twice, and one by one");
        for (order, times) in [("B", 1), ("C", 0), ("D", 1)] {
            assert_eq!(Merchant(&store).order(order).await, (times, 0), "{order}");
        }
        Desk::at(&store).audit().await;
    });
}

/// An effect that fails takes its own fact's time, and not that of those behind the batch.
#[test]
fn what_a_failed_effect_leaves_of_a_batch_is_not_begun_when_the_time_is_over() {
    run(async {
        let store = MemoryStore::default();
        let (effects, facts) = shop_without_a(&store).await;
        let saves = AtomicUsize::new(0);
        let before_save = |_: &Changes| {
            saves.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        let tap = Tap { store: &store, alone: false, before_save: &before_save };
        let batch = facts.map(Submission::from);
        let pace = UntilSaves(&saves, 1);
        let outcomes = payonce_core::apply_with(&tap, &batch, &Policy::default(), &effects, NOW, &pace).await;
        assert!(matches!(outcomes[0], Err(NotApplied::Effects(_))), "{outcomes:?}");
        let late = |outcome: &Result<_, _>| {
            let timed_out = Unavailability::TimedOut;
            matches!(outcome, Err(NotApplied::Store(StoreError::Unavailable { reason, .. })) if *reason == timed_out)
        };
        assert!(outcomes.len() == 4 && outcomes[1..].iter().all(late), "{outcomes:?}");
        assert_eq!(Merchant(&store).order("B").await, (0, 0));
    });
}
