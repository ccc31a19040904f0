//! A batch is one transaction and means what its facts mean one after the other.

use payonce_core::{Fact, OrderState, Outcome, Submission, UnixMillis, apply, decide::Standing};

use crate::{
    Fixture,
    desk::{Desk, PATIENT},
    facts::{NOW, closed, number, paid, paid_amount, passed, receipt, registered},
};

/// The line of a picture that counts rows. An incident that its own batch resolves is never written, so that the
/// rows (but nothing else) show how the facts were cut.
const COUNTS: usize = 1;

/// One of everything, duplicates included.
fn everything() -> Vec<Fact> {
    let mut facts = vec![
        Fact::Paid(paid("B", "P4")),
        registered("A"),
        Fact::Paid(paid("A", "P1")),
        Fact::Paid(paid("A", "P1")),
        Fact::Paid(paid("A", "P2")),
        Fact::Paid(paid_amount("A", "P1", 3)),
        Fact::Paid(paid_amount("A", "P3", 4)),
        closed("A"),
        registered("B"),
        registered("C"),
        closed("C"),
        Fact::Paid(paid("C", "P5")),
        Fact::Other(passed("N1")),
        Fact::Other(passed("N1")),
        registered("A"),
        registered("D"),
        Fact::Paid(paid("E", "P6")),
    ];
    facts.extend_from_within(..5);
    facts
}

/// However the facts are cut into batches, the same is decided and the same can be seen.
pub async fn a_batch_ends_like_its_facts_one_by_one(fixture: &dyn Fixture) {
    let facts = everything();
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let outcomes = desk.apply_each(&facts).await;
    let one_by_one = desk.picture().await.split_off(COUNTS);
    desk.audit().await;
    for size in [2, 3, 5, 8, facts.len()] {
        let store = fixture.open().await;
        let desk = Desk::at(&*store);
        let mut together = Vec::new();
        for batch in facts.chunks(size) {
            together.extend(desk.apply_all(batch).await);
        }
        assert_eq!(together, outcomes, "batches of {size}");
        assert_eq!(desk.picture().await.split_off(COUNTS), one_by_one, "batches of {size}");
        desk.audit().await;
    }
}

/// Registered, paid, paid again, paid by another: one transaction, each answer as if alone.
pub async fn later_facts_of_a_batch_see_the_earlier_ones(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let (first, second) = (Fact::Paid(paid("A", "P1")), Fact::Paid(paid("A", "P2")));
    let outcomes = desk.apply_all(&[first.clone(), registered("A"), first, second]).await;
    assert_eq!(outcomes, [Outcome::Unmatched, Outcome::Applied, Outcome::Duplicate, Outcome::Incident]);
    let view = desk.order("A").await;
    assert_eq!(view.order.state, OrderState::Paid { by: number("P1"), late: false });
    let standings: Vec<_> = view.payments.iter().map(|kept| kept.standing).collect();
    assert_eq!(standings, [Standing::Settling, Standing::Second]);
    assert_eq!(desk.told().await, ["payment.unmatched", "payment.succeeded", "payment.duplicated"]);
    desk.audit().await;
}

/// A batch far larger than a server makes.
pub async fn a_thousand_facts_fit_into_one_batch(fixture: &dyn Fixture) {
    const ORDERS: usize = 400;
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let order = |i: usize| format!("ORDER{i}");
    let payment = |i: usize| Fact::Paid(paid(&order(i), &format!("P{i}")));
    let mut facts: Vec<Fact> = (0..ORDERS).map(|i| registered(&order(i))).collect();
    facts.extend((0..ORDERS).rev().map(payment));
    facts.extend((0..ORDERS / 2).map(payment));
    assert_eq!(facts.len(), 1_000);

    let outcomes = desk.apply_all(&facts).await;
    assert_eq!(outcomes[..2 * ORDERS], [Outcome::Applied; 2 * ORDERS]);
    assert_eq!(outcomes[2 * ORDERS..], [Outcome::Duplicate; ORDERS / 2]);
    assert_eq!(desk.apply_all(&facts).await, [Outcome::Duplicate; 1_000]);
    let ledger = desk.ledger().await;
    assert_eq!(ledger.len(), ORDERS);
    assert!(ledger.iter().all(|line| line.paid && line.adds_up()));
    assert_eq!(desk.messages().await.len(), ORDERS);
}

/// Nothing to do is done.
pub async fn an_empty_batch_changes_nothing(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let before = desk.picture().await;
    assert_eq!(desk.apply_all(&[]).await, []);
    assert_eq!(desk.picture().await, before);
}

/// Each callback leaves its receipt, also the one that brought nothing new.
pub async fn each_callback_leaves_its_receipt(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let callback = |id: &str| Submission {
        fact: Fact::Paid(paid("A", "P1")),
        receipt: Some(receipt(id, UnixMillis(NOW.0 - 1))),
    };
    let batch = [callback("N1"), callback("N1"), callback("N2"), registered("A").into()];
    let outcomes = apply(&*store, &batch, &desk.policy, NOW, &PATIENT).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(desk.counts().await.receipts, 3);
    assert_eq!(desk.counts().await.payments, 1);
}
