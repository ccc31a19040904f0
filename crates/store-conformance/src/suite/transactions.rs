//! What a transaction is: all or nothing, unseen until it commits, and there for ever after.

use payonce_core::{
    Fact, Order, OrderKey, Outcome, Paid, Store, Tx,
    decide::{IncidentKind, Remedy},
    message::MessageKind,
    order::OrderId,
    store::{Changes, NewIncident, OrderChange},
};

use crate::{
    Fixture,
    desk::Desk,
    facts::{NOW, key, notification, paid, paid_amount, passed, receipt, registered},
    rows,
};

/// Rows for every table that a transaction writes.
fn some_of_everything() -> Changes {
    let odd: Paid = paid_amount("A", "P1", 7);
    let mut order: OrderChange = rows::new_order("A");
    order.order = order.order.map(|order| Order { messages: 1, flagged: true, ..order });
    Changes {
        orders: vec![order],
        payments: vec![rows::disputed(&odd, 0, 0)],
        notifications: vec![(passed("N1").merchant, notification("N1"))],
        messages: vec![rows::message(MessageKind::PaymentMismatched, "A", 0, 1)],
        incidents: vec![NewIncident {
            kind: IncidentKind::AmountMismatch,
            remedy: Remedy::Hold,
            payment: 0,
            opened_at: NOW,
        }],
        receipts: vec![receipt("N1", NOW)],
    }
}

/// How far a transaction gets before it is dropped.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
enum Stage {
    Begun,
    OrdersRead,
    Claimed,
    WaitingRead,
    Saved,
}

async fn until<'s>(store: &'s dyn Store, stage: Stage) -> Box<dyn Tx + 's> {
    let keys: [OrderKey; 1] = [key("A")];
    let mut tx = store.begin().await.expect("the store begins");
    if stage >= Stage::OrdersRead {
        tx.orders_for_update(&keys).await.expect("it reads");
    }
    if stage >= Stage::Claimed {
        tx.claim(&[paid("A", "P1").content.claim()]).await.expect("it claims");
    }
    if stage >= Stage::WaitingRead {
        tx.payments_under(&[OrderId(1)]).await.expect("it reads");
    }
    if stage >= Stage::Saved {
        tx.save(&some_of_everything()).await.expect("it saves");
    }
    tx
}

/// Wherever it ends, it leaves nothing, and the next transaction finds no lock.
pub async fn a_dropped_transaction_changes_nothing(fixture: &dyn Fixture) {
    for stage in [Stage::Begun, Stage::OrdersRead, Stage::Claimed, Stage::WaitingRead, Stage::Saved] {
        let store = fixture.open().await;
        let desk = Desk::at(&*store);
        desk.apply(registered("B")).await;
        let before = desk.picture().await;
        drop(until(&*store, stage).await);
        assert_eq!(desk.picture().await, before, "{stage:?}");
        let facts = [registered("A"), Fact::Paid(paid("A", "P1")), Fact::Other(passed("N1"))];
        assert_eq!(desk.apply_all(&facts).await, [Outcome::Applied; 3], "{stage:?}");
        desk.audit().await;
    }
}

/// Readers beside the writer see a transaction whole, once it has committed, and not before.
pub async fn what_is_saved_is_seen_once_it_is_committed(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let before = desk.picture().await;
    let tx = until(&*store, Stage::Saved).await;
    assert_eq!(desk.picture().await, before);
    tx.commit().await.expect("it commits");

    let counts = desk.counts().await;
    let rows = [counts.orders, counts.payments, counts.messages, counts.incidents, counts.receipts];
    assert_eq!(rows, [1; 5]);
    let view = desk.order("A").await;
    assert!(view.order.flagged);
    assert_eq!((view.payments.len(), view.incidents.len()), (1, 1));
    assert_eq!(desk.apply(Fact::Other(passed("N1"))).await, Outcome::Duplicate);
}

/// What was committed outlives every handle; what was not is gone.
pub async fn what_is_committed_outlives_the_handles(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let facts = [registered("B"), Fact::Paid(paid("B", "P2")), Fact::Paid(paid("C", "P3"))];
    desk.apply_all(&facts).await;
    let committed = desk.picture().await;
    drop(until(&*store, Stage::Saved).await);
    drop(store);

    let Some(store) = fixture.reopen().await else {
        eprintln!("not run: this store's data ends with its handle");
        return;
    };
    let desk = Desk::at(&*store);
    assert_eq!(desk.picture().await, committed);
    let again = [Outcome::Duplicate; 3];
    assert_eq!(desk.apply_all(&facts).await, again);
    assert_eq!(desk.apply_all(&[registered("C")]).await, [Outcome::Applied]);
    desk.audit().await;
}
