//! Registration, closing, and notifications that concern no order of ours.

use payonce_core::{Fact, OrderState, Outcome, Terms, UnixMillis};

use crate::{
    Fixture,
    desk::Desk,
    facts::{NOW, app, closed, currency, fen, key, paid, passed, registered, terms},
};

/// The merchant's system may register as often as it likes.
pub async fn registering_again_changes_nothing(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    assert_eq!(desk.apply(registered("A")).await, Outcome::Applied);
    let before = desk.picture().await;

    let later = Desk { now: UnixMillis(NOW.0 + 1), ..Desk::at(&*store) };
    assert_eq!(later.apply(registered("A")).await, Outcome::Duplicate);
    assert_eq!(later.apply_all(&[registered("A"), registered("A")]).await, [Outcome::Duplicate; 2]);

    assert_eq!(desk.picture().await, before);
    let order = desk.order("A").await.order;
    assert_eq!((order.terms, order.state, order.registered_at), (terms(), OrderState::Pending, NOW));
    assert_eq!((order.flagged, order.messages), (false, 0));
}

/// What was agreed first stays, whichever of the terms differs.
pub async fn other_terms_are_refused(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    desk.apply(registered("A")).await;
    let before = desk.picture().await;
    for other in [
        Terms { amount: fen(101), ..terms() },
        Terms { currency: currency("USD"), ..terms() },
        Terms { appid: app("wx0000000000000000"), ..terms() },
        Terms { expires_at: Some(NOW), ..terms() },
    ] {
        assert_eq!(desk.apply(Fact::Registered { key: key("A"), terms: other }).await, Outcome::Refused);
    }
    assert_eq!(desk.picture().await, before);
}

/// Reading an order does not make it.
pub async fn an_order_that_nobody_registered_is_not_there(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    desk.apply(registered("A")).await;
    assert!(desk.find("B").await.is_none());
    assert_eq!(desk.counts().await.orders, 1);
    store.ping().await.expect("the store answers");
}

/// A closed order is announced, and closing it again is not.
pub async fn closing_a_pending_order_is_told_once(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let facts = [registered("A"), closed("A"), closed("A")];
    assert_eq!(desk.apply_each(&facts).await, [Outcome::Applied, Outcome::Applied, Outcome::Duplicate]);
    assert_eq!(desk.state("A").await, OrderState::Closed);
    assert_eq!(desk.told().await, ["order.closed"]);
    desk.audit().await;
}

/// Paid wins: a close may race with the payment at WeChat's.
pub async fn closing_a_paid_order_changes_nothing(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    desk.apply_each(&[registered("A"), Fact::Paid(paid("A", "P1"))]).await;
    let before = desk.picture().await;
    assert_eq!(desk.apply(closed("A")).await, Outcome::Duplicate);
    assert_eq!(desk.picture().await, before);
}

/// A close is learnt of registered orders only; of another it leaves nothing.
pub async fn closing_an_unknown_order_changes_nothing(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let before = desk.picture().await;
    assert_eq!(desk.apply(closed("A")).await, Outcome::Unmatched);
    assert_eq!(desk.picture().await, before);
}

/// What is not ours to judge reaches the merchant's system once, as it came.
pub async fn a_notification_of_another_kind_is_passed_on_once(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let fact = Fact::Other(passed("N1"));
    assert_eq!(desk.apply(fact.clone()).await, Outcome::Applied);
    assert_eq!(desk.apply(fact.clone()).await, Outcome::Duplicate);
    assert_eq!(
        desk.apply_all(&[fact, Fact::Other(passed("N2")), Fact::Other(passed("N2"))]).await,
        [Outcome::Duplicate, Outcome::Applied, Outcome::Duplicate]
    );
    assert_eq!(desk.told().await, ["wechat.REFUND.SUCCESS"; 2]);
    let messages = desk.messages().await;
    assert_eq!(messages[0].id.0, "event:1900000001:N1");
    assert!(messages[0].body.contains(r#""resource":{"out_refund_no":"R1"}"#), "{}", messages[0].body);
    desk.audit().await;
}
