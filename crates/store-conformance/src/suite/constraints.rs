//! The promises that the schema keeps by itself, whatever a writer tries. Each is known by its name.

use payonce_core::{
    Fact, Outcome, StoreError,
    decide::{IncidentKind, Remedy, Standing},
    message::MessageKind,
    order::OrderId,
    store::{Changes, NewIncident, PaymentChange},
};

use crate::{
    Fixture,
    desk::Desk,
    facts::{NOW, merchant, notification, paid, paid_amount, passed, registered},
    rows,
};

/// Registered, paid by P1 and announced; the notification N1 passed on.
async fn prepare(desk: &Desk<'_>) -> OrderId {
    let facts = [registered("A"), Fact::Paid(paid("A", "P1")), Fact::Other(passed("N1"))];
    assert_eq!(desk.apply_all(&facts).await, [Outcome::Applied; 3]);
    desk.ledger().await[0].id
}

/// A change that nothing is wrong with, so that a rollback has something to undo.
fn innocent() -> Changes {
    Changes { orders: vec![rows::new_order("INNOCENT")], ..Changes::default() }
}

/// The next message of order A, in the slot after [`innocent`]'s.
async fn innocent_and_a(desk: &Desk<'_>, id: OrderId) -> Changes {
    let order = desk.order("A").await.order;
    let mut changes = innocent();
    changes.orders.push(rows::next_message(id, &order));
    changes
}

async fn save(desk: &Desk<'_>, changes: &Changes) -> Result<(), StoreError> {
    let mut tx = desk.store.begin().await?;
    tx.save(changes).await?;
    tx.commit().await
}

/// The constraint refuses the change by its name, all of the change is undone, and the store goes on.
async fn check_refused(desk: &Desk<'_>, changes: &Changes, constraint: &str) {
    let before = desk.picture().await;
    match save(desk, changes).await {
        Err(StoreError::Constraint { name, .. }) => assert_eq!(name, constraint),
        other => panic!("{constraint} lets it pass: {other:?}"),
    }
    assert_eq!(desk.picture().await, before, "{constraint}");
    assert_eq!(desk.apply(registered("INNOCENT")).await, Outcome::Applied);
    desk.audit().await;
}

/// One order a number within a merchant.
pub async fn order_number_once(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    prepare(&desk).await;
    let mut changes = innocent();
    changes.orders.push(rows::new_order("A"));
    check_refused(&desk, &changes, "order_number_once").await;
}

/// One statement a rank under a payment's number.
pub async fn payment_statement_once(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    prepare(&desk).await;
    let mut changes = innocent();
    changes.payments.push(rows::disputed(&paid("INNOCENT", "P2"), 0, 0));
    changes.payments.push(rows::disputed(&paid_amount("A", "P1", 3), 0, 0));
    check_refused(&desk, &changes, "payment_statement_once").await;
}

/// One settling payment an order.
pub async fn payment_settles_once(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let id = prepare(&desk).await;
    let mut changes = innocent_and_a(&desk, id).await;
    changes.payments.push(rows::settling(&paid("A", "P2"), 1));
    check_refused(&desk, &changes, "payment_settles_once").await;
}

/// One statement that counts a number, though it waited or is a later one: neither shows in the other's row.
pub async fn a_number_counts_once(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let id = prepare(&desk).await;
    desk.apply_each(&[Fact::Paid(paid("W1", "P9")), Fact::Paid(paid("W2", "P9"))]).await;
    let mut tx = store.begin().await.expect("the store begins");
    let kept = tx.claim(&[paid("W1", "P9").content.claim()]).await.expect("it reads").payments;
    drop(tx);
    assert_eq!(
        kept.iter().map(|kept| (kept.rival, kept.standing)).collect::<Vec<_>>(),
        [(0, Standing::Unmatched), (1, Standing::Unmatched)]
    );
    let moved = |place: usize| PaymentChange {
        row: Some(kept[place].row),
        rival: kept[place].rival,
        ..rows::second(&paid(["W1", "W2"][place], "P9"), 1)
    };
    let mut first = innocent_and_a(&desk, id).await;
    first.orders[0] = rows::new_order("C");
    first.payments.push(moved(0));
    save(&desk, &first).await.expect("the first that counts");
    for another in [moved(1), PaymentChange { rival: 2, ..rows::second(&paid("A", "P9"), 1) }] {
        let mut changes = innocent_and_a(&desk, id).await;
        changes.payments.push(another);
        let before = desk.picture().await;
        let refused = save(&desk, &changes).await;
        let name = "payment_statement_once";
        assert!(
            matches!(refused, Err(StoreError::Constraint { name: found, .. }) if found == name),
            "{refused:?}"
        );
        assert_eq!(desk.picture().await, before);
    }
}

/// Two statements under one number may have the same rank, when two transactions knew nothing of each other. An incident
/// is about the one that it was opened for.
pub async fn an_incident_belongs_to_one_statement(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    desk.apply(Fact::Paid(paid("W", "P9"))).await;
    let disputed = rows::disputed(&paid_amount("C", "P9", 3), 1, 0);
    let counts = PaymentChange { rival: 1, ..rows::second(&paid("D", "P9"), 0) };
    for (order, payment, kind) in
        [("C", disputed, IncidentKind::Contradiction), ("D", counts, IncidentKind::PaidTwice)]
    {
        let incident = NewIncident { kind, remedy: Remedy::Hold, payment: 0, opened_at: NOW };
        let changes = Changes {
            orders: vec![rows::new_order(order)],
            payments: vec![payment],
            incidents: vec![incident],
            ..Changes::default()
        };
        save(&desk, &changes).await.expect("another rank among those that count");
    }
    for (order, expected) in [("C", IncidentKind::Contradiction), ("D", IncidentKind::PaidTwice)] {
        let incidents = desk.order(order).await.incidents;
        assert_eq!(incidents.iter().map(|incident| incident.kind).collect::<Vec<_>>(), [expected], "{order}");
    }
}

/// One message a sequence number within an order.
pub async fn message_sequence_once(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let id = prepare(&desk).await;
    let mut changes = innocent_and_a(&desk, id).await;
    changes.messages.push(rows::message(MessageKind::PaymentDuplicated, "A", 1, 1));
    check_refused(&desk, &changes, "message_sequence_once").await;
}

/// One `payment.succeeded` an order, whatever its sequence number. Other kinds may repeat.
pub async fn payment_succeeded_once(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let id = prepare(&desk).await;
    let mut changes = innocent_and_a(&desk, id).await;
    changes.messages.push(rows::message(MessageKind::PaymentSucceeded, "A", 1, 2));
    check_refused(&desk, &changes, "payment_succeeded_once").await;

    for sequence in [2, 3] {
        let order = desk.order("A").await.order;
        let changes = Changes {
            orders: vec![rows::next_message(id, &order)],
            messages: vec![rows::message(MessageKind::PaymentDuplicated, "A", 0, sequence)],
            ..Changes::default()
        };
        save(&desk, &changes).await.expect("a kind that may repeat");
    }
    desk.audit().await;
}

/// One passing-on a notification.
pub async fn notification_once(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    prepare(&desk).await;
    let mut changes = innocent();
    changes.notifications.push((merchant(), notification("N2")));
    changes.notifications.push((merchant(), notification("N1")));
    check_refused(&desk, &changes, "notification_once").await;
    assert_eq!(desk.apply(Fact::Other(passed("N2"))).await, Outcome::Applied);
}

/// An order that another transaction wrote since it was read is not overwritten: begin again.
pub async fn an_order_that_moved_is_a_conflict(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let id = prepare(&desk).await;
    let read = desk.order("A").await.order;
    desk.apply(Fact::Paid(paid("A", "P2"))).await;
    let before = desk.picture().await;

    let mut changes = innocent();
    changes.orders.push(rows::next_message(id, &read));
    changes.messages.push(rows::message(MessageKind::PaymentDuplicated, "A", 1, 3));
    let refused = save(&desk, &changes).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    assert_eq!(desk.picture().await, before);
    assert_eq!(desk.apply(Fact::Paid(paid("A", "P3"))).await, Outcome::Incident);
    desk.audit().await;
}
