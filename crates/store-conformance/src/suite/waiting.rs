//! Payments that came before their order's registration: kept, and decided in its transaction.

use std::collections::BTreeSet;

use payonce_core::{
    Fact, OrderState, Outcome, Paid, Policy, UnixMillis,
    decide::{IncidentKind, Standing, UnknownOrder},
    fact::{Claim, Source},
    store::KnownOrder,
};

use crate::{
    Fixture,
    desk::Desk,
    facts::{NOW, closed, key, merchant, number, paid, paid_amount, registered},
};

/// Its registration decides it, and hands on what WeChat said with it.
pub async fn a_registration_takes_up_the_payment_that_waits(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    desk.apply(Fact::Paid(Paid { source: Source::Bill, ..paid("A", "P1") })).await;
    let later = Desk { now: UnixMillis(NOW.0 + 9), ..Desk::at(&*store) };
    assert_eq!(later.apply(registered("A")).await, Outcome::Applied);
    assert_eq!(later.apply(Fact::Paid(paid("A", "P1"))).await, Outcome::Duplicate);

    let view = desk.order("A").await;
    assert_eq!(view.order.state, OrderState::Paid { by: number("P1"), late: false });
    assert!(!view.order.flagged && view.incidents.is_empty(), "the unknown order is known now: {view:?}");
    let kept = &view.payments[0];
    assert_eq!(kept.content, paid("A", "P1").content);
    assert_eq!((kept.standing, kept.source, kept.learnt_at), (Standing::Settling, Source::Bill, NOW));
    assert_eq!(kept.paid_at, paid("A", "P1").paid_at);
    assert_eq!(desk.told().await, ["payment.unmatched", "payment.succeeded"]);
    for message in desk.messages().await {
        assert!(message.body.contains(r#""detail":{"attach":"A by P1"}"#), "{}", message.body);
        assert!(message.body.contains(r#""source":"bill""#), "{}", message.body);
    }
    desk.audit().await;
}

/// What waits has its detail; what found its order has it in its message alone.
pub async fn the_detail_is_kept_while_it_waits(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let claim = Claim::Payment(merchant(), number("P1"));
    desk.apply(Fact::Paid(paid("A", "P1"))).await;

    let mut tx = store.begin().await.expect("the store begins");
    let kept = tx.claim(std::slice::from_ref(&claim)).await.expect("it claims").payments;
    let known = tx.orders_for_update(&[key("A"), key("B")]).await.expect("it reads");
    let [KnownOrder::Awaited(awaited, number)] = &known[..] else { panic!("{known:?}") };
    assert_eq!(*number, key("A"));
    let waiting = tx.payments_under(&[*awaited]).await.expect("it reads");
    drop(tx);
    assert_eq!(kept, waiting);
    assert_eq!(kept[0].detail, Some(paid("A", "P1").detail));
    assert_eq!((kept[0].standing, kept[0].rival), (Standing::Unmatched, 0));

    desk.apply(registered("A")).await;
    let mut tx = store.begin().await.expect("the store begins");
    let kept = tx.claim(&[claim]).await.expect("it claims").payments;
    assert_eq!((kept[0].standing, &kept[0].detail), (Standing::Settling, &None));
}

/// The first that agrees settles the order, in the order of their arrival, whatever else is in the batch.
pub async fn payments_that_wait_are_decided_in_the_order_of_their_arrival(fixture: &dyn Fixture) {
    for batch in [
        vec![registered("A")],
        vec![Fact::Paid(paid("A", "P1")), registered("A")],
        vec![registered("B"), registered("A"), closed("A"), Fact::Paid(paid("A", "P1"))],
    ] {
        let store = fixture.open().await;
        let desk = Desk::at(&*store);
        let waiting =
            [paid_amount("A", "P3", 3), paid("A", "P2"), paid("A", "P1"), paid("B", "P4")].map(Fact::Paid);
        assert_eq!(desk.apply_each(&waiting).await, [Outcome::Unmatched; 4]);
        desk.apply_all(&batch).await;

        let view = desk.order("A").await;
        assert_eq!(view.order.state, OrderState::Paid { by: number("P2"), late: false }, "{batch:?}");
        let standings: Vec<_> =
            view.payments.iter().map(|kept| (kept.content.payment.as_str(), kept.standing)).collect();
        let expected = [("P2", Standing::Settling), ("P1", Standing::Second), ("P3", Standing::Disputed)];
        assert_eq!(standings, expected);
        // Opened at one time, so that none is the earlier.
        let incidents: BTreeSet<_> = view.incidents.iter().map(|incident| incident.kind).collect();
        assert_eq!(incidents, [IncidentKind::AmountMismatch, IncidentKind::PaidTwice].into());
        desk.audit().await;
    }
}

/// Two contents under one number wait: the one that agrees counts, the other is told.
pub async fn contradictions_wait_as_well(fixture: &dyn Fixture) {
    for agreeing_first in [true, false] {
        let store = fixture.open().await;
        let desk = Desk::at(&*store);
        let mut waiting = [paid("A", "P1"), paid_amount("A", "P1", 2)];
        if !agreeing_first {
            waiting.reverse();
        }
        assert_eq!(desk.apply_each(&waiting.map(Fact::Paid)).await, [Outcome::Unmatched; 2]);
        desk.apply(registered("A")).await;

        let view = desk.order("A").await;
        let payments: Vec<_> =
            view.payments.iter().map(|kept| (kept.content.amount.get(), kept.standing)).collect();
        assert_eq!(payments, [(100, Standing::Settling), (2, Standing::Disputed)]);
        assert_eq!(view.incidents.len(), 1);
        assert_eq!(view.incidents[0].kind, IncidentKind::Contradiction);
        desk.audit().await;
    }
}

/// WeChat names two orders under one number: whichever is known first has the payment, the other does not.
pub async fn one_payment_never_pays_two_orders(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let facts = [Fact::Paid(paid("A", "P1")), registered("B"), Fact::Paid(paid("B", "P1")), registered("A")];
    assert_eq!(
        desk.apply_each(&facts).await,
        [Outcome::Unmatched, Outcome::Applied, Outcome::Applied, Outcome::Applied]
    );
    assert_eq!(desk.state("B").await, OrderState::Paid { by: number("P1"), late: false });
    let other = desk.order("A").await;
    assert_eq!(other.order.state, OrderState::Pending);
    assert_eq!(other.payments[0].standing, Standing::Disputed);
    assert_eq!(other.incidents[0].kind, IncidentKind::Contradiction);
    assert_eq!(desk.told().await, ["payment.unmatched", "payment.succeeded", "payment.conflicted"]);
    desk.audit().await;
}

/// WeChat names an order under a payment that another one has: no message tells of it when the order is registered, but
/// an operator is to look at it. Whether the statement waits in the database or in the registration's own batch.
pub async fn a_contradiction_flags_the_order_that_is_registered_after_it(fixture: &dyn Fixture) {
    for in_one_batch in [false, true] {
        let store = fixture.open().await;
        let desk = Desk::at(&*store);
        desk.apply_each(&[registered("B"), Fact::Paid(paid("B", "P1"))]).await;
        let facts = [Fact::Paid(paid("A", "P1")), registered("A")];
        let outcomes =
            if in_one_batch { desk.apply_all(&facts).await } else { desk.apply_each(&facts).await };
        assert_eq!(outcomes, [Outcome::Incident, Outcome::Applied]);

        let view = desk.order("A").await;
        assert_eq!((view.order.state, view.order.messages), (OrderState::Pending, 0));
        assert!(view.order.flagged, "in one batch: {in_one_batch}");
        assert_eq!(view.payments[0].standing, Standing::Disputed);
        assert_eq!(view.incidents[0].kind, IncidentKind::Contradiction);
        desk.audit().await;
    }
}

/// The policy changed from hold to adopt: what waited is decided when its order is adopted.
pub async fn an_adoption_takes_up_the_payments_that_wait(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    desk.apply(Fact::Paid(paid("A", "P1"))).await;
    let policy = Policy { unknown_order: UnknownOrder::Adopt, ..Policy::default() };
    let adopting = Desk { policy, ..Desk::at(&*store) };
    assert_eq!(adopting.apply(Fact::Paid(paid("A", "P2"))).await, Outcome::Applied);
    let view = desk.order("A").await;
    let standings: Vec<_> =
        view.payments.iter().map(|kept| (kept.content.payment.as_str(), kept.standing)).collect();
    assert_eq!(standings, [("P2", Standing::Settling), ("P1", Standing::Second)]);
    assert_eq!(desk.told().await, ["payment.unmatched", "payment.succeeded", "payment.duplicated"]);
    desk.audit().await;
}
