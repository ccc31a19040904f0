//! The table of `decide`, from end to end: what a store shows after each of its rows.

use payonce_core::{
    Fact, OrderState, Outcome, Paid, Policy, UnixMillis,
    decide::{IncidentKind, LatePayment, Remedy, Standing, UnknownOrder},
    fact::Source,
    store::Counts,
};

use crate::{
    Fixture,
    desk::Desk,
    facts::{NOW, app, closed, currency, json, merchant, number, paid, paid_amount, registered, terms},
};

/// An order as it shall be seen.
struct Shown<'a> {
    state: OrderState,
    /// Each with its amount, in the order of the view.
    payments: &'a [(&'a str, i64, Standing)],
    incidents: &'a [(IncidentKind, Remedy)],
    /// The types of all messages.
    told: &'a [&'a str],
}

async fn check(desk: &Desk<'_>, order: &str, shown: Shown<'_>) {
    let view = desk.order(order).await;
    assert_eq!(view.order.state, shown.state);
    let payments: Vec<_> = view
        .payments
        .iter()
        .map(|payment| (payment.content.payment.as_str(), payment.content.amount.get(), payment.standing))
        .collect();
    assert_eq!(payments, shown.payments);
    let incidents: Vec<_> = view.incidents.iter().map(|incident| (incident.kind, incident.remedy)).collect();
    assert_eq!(incidents, shown.incidents);
    assert_eq!(desk.told().await, shown.told);
    desk.audit().await;
}

fn paid_by(payment: &str, late: bool) -> OrderState {
    OrderState::Paid { by: number(payment), late }
}

/// Pending, and every field agrees.
pub async fn an_agreeing_payment_pays_its_order(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    desk.apply(registered("A")).await;
    let later = Desk { now: UnixMillis(NOW.0 + 40), ..Desk::at(&*store) };
    let payment = Paid { source: Source::Query, ..paid("A", "P1") };
    assert_eq!(later.apply(Fact::Paid(payment.clone())).await, Outcome::Applied);

    let told = ["payment.succeeded"];
    let payments = [("P1", 100, Standing::Settling)];
    check(
        &desk,
        "A",
        Shown { state: paid_by("P1", false), payments: &payments, incidents: &[], told: &told },
    )
    .await;
    let kept = &desk.order("A").await.payments[0];
    assert_eq!(kept.content, payment.content);
    assert_eq!((kept.paid_at, kept.source, kept.learnt_at), (payment.paid_at, Source::Query, later.now));
    let message = &desk.messages().await[0];
    assert_eq!((message.id.0.as_str(), message.created_at), ("order:1900000001:A:1", later.now));
}

/// Pending, and a field disagrees: the order stays unpaid and an operator is told in which field.
pub async fn a_disagreeing_payment_pays_nothing(fixture: &dyn Fixture) {
    let mut other_currency = paid("A", "P1");
    other_currency.content.currency = currency("USD");
    let mut other_app = paid("A", "P1");
    other_app.content.appid = app("wx0000000000000000");
    let mut sub_merchant = paid("A", "P1");
    sub_merchant.content.sub_merchant = Some(merchant());
    for (payment, kind) in [
        (sub_merchant, IncidentKind::SubMerchantMismatch),
        (paid_amount("A", "P1", 99), IncidentKind::AmountMismatch),
        (paid_amount("A", "P1", 101), IncidentKind::AmountMismatch),
        (other_currency, IncidentKind::CurrencyMismatch),
        (other_app, IncidentKind::AppidMismatch),
    ] {
        let store = fixture.open().await;
        let desk = Desk::at(&*store);
        desk.apply(registered("A")).await;
        let amount = payment.content.amount.get();
        let fact = Fact::Paid(payment);
        assert_eq!(desk.apply(fact.clone()).await, Outcome::Incident);
        assert_eq!(desk.apply(fact).await, Outcome::Duplicate);
        let payments = [("P1", amount, Standing::Disputed)];
        let incidents = [(kind, Remedy::Hold)];
        let told = ["payment.mismatched"];
        let shown =
            Shown { state: OrderState::Pending, payments: &payments, incidents: &incidents, told: &told };
        check(&desk, "A", shown).await;
    }
}

/// The order can still be paid after a payment that disagreed with it.
pub async fn an_order_is_paid_after_a_disagreeing_payment(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let facts = [registered("A"), Fact::Paid(paid_amount("A", "P1", 1)), Fact::Paid(paid("A", "P2"))];
    assert_eq!(desk.apply_each(&facts).await, [Outcome::Applied, Outcome::Incident, Outcome::Applied]);
    let shown = Shown {
        state: paid_by("P2", false),
        payments: &[("P2", 100, Standing::Settling), ("P1", 1, Standing::Disputed)],
        incidents: &[(IncidentKind::AmountMismatch, Remedy::Hold)],
        told: &["payment.mismatched", "payment.succeeded"],
    };
    check(&desk, "A", shown).await;
}

/// Paid by T, and T again with the same content, whoever tells it.
pub async fn the_same_statement_again_changes_nothing(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    desk.apply_each(&[registered("A"), Fact::Paid(paid("A", "P1"))]).await;
    let before = desk.picture().await;
    let later = Desk { now: UnixMillis(NOW.0 + 1), ..Desk::at(&*store) };
    for source in [Source::Callback, Source::Query, Source::Bill, Source::Operator] {
        let again = Paid { source, paid_at: None, detail: json("{}"), ..paid("A", "P1") };
        assert_eq!(later.apply(Fact::Paid(again)).await, Outcome::Duplicate);
    }
    assert_eq!(desk.picture().await, before);
}

/// Paid by T, and T again with another amount.
pub async fn another_content_under_one_number_is_told(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    desk.apply_each(&[registered("A"), Fact::Paid(paid("A", "P1"))]).await;
    let other = Fact::Paid(paid_amount("A", "P1", 5));
    assert_eq!(desk.apply(other.clone()).await, Outcome::Incident);
    assert_eq!(desk.apply(other).await, Outcome::Duplicate);
    let shown = Shown {
        state: paid_by("P1", false),
        payments: &[("P1", 100, Standing::Settling), ("P1", 5, Standing::Disputed)],
        incidents: &[(IncidentKind::Contradiction, Remedy::Hold)],
        told: &["payment.succeeded", "payment.conflicted"],
    };
    check(&desk, "A", shown).await;
}

/// Paid by T, and by U as well.
pub async fn a_second_payment_is_kept_and_told(fixture: &dyn Fixture) {
    for remedy in [Remedy::Hold, Remedy::Refund] {
        let store = fixture.open().await;
        let policy = Policy { second_payment: remedy, ..Policy::default() };
        let desk = Desk { policy, ..Desk::at(&*store) };
        desk.apply_each(&[registered("A"), Fact::Paid(paid("A", "P1"))]).await;
        let second = Fact::Paid(paid("A", "P2"));
        assert_eq!(desk.apply(second.clone()).await, Outcome::Incident);
        assert_eq!(desk.apply(second).await, Outcome::Duplicate);
        let shown = Shown {
            state: paid_by("P1", false),
            payments: &[("P1", 100, Standing::Settling), ("P2", 100, Standing::Second)],
            incidents: &[(IncidentKind::PaidTwice, remedy)],
            told: &["payment.succeeded", "payment.duplicated"],
        };
        check(&desk, "A", shown).await;
    }
}

/// Paid by T, and U disagrees with the order.
pub async fn a_disagreeing_second_payment_is_mismatched(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    desk.apply_each(&[registered("A"), Fact::Paid(paid("A", "P1"))]).await;
    assert_eq!(desk.apply(Fact::Paid(paid_amount("A", "P2", 7))).await, Outcome::Incident);
    let shown = Shown {
        state: paid_by("P1", false),
        payments: &[("P1", 100, Standing::Settling), ("P2", 7, Standing::Disputed)],
        incidents: &[(IncidentKind::AmountMismatch, Remedy::Hold)],
        told: &["payment.succeeded", "payment.mismatched"],
    };
    check(&desk, "A", shown).await;
}

/// Closed, and then paid: the money is there, so the order is paid, `late`.
pub async fn a_payment_after_the_close_is_late(fixture: &dyn Fixture) {
    for (late_payment, outcome, incidents) in [
        (LatePayment::Accept, Outcome::Applied, &[][..]),
        (
            LatePayment::Report(Remedy::Hold),
            Outcome::Incident,
            &[(IncidentKind::PaidAfterClose, Remedy::Hold)],
        ),
        (
            LatePayment::Report(Remedy::Refund),
            Outcome::Incident,
            &[(IncidentKind::PaidAfterClose, Remedy::Refund)],
        ),
    ] {
        let store = fixture.open().await;
        let desk = Desk { policy: Policy { late_payment, ..Policy::default() }, ..Desk::at(&*store) };
        desk.apply_each(&[registered("A"), closed("A")]).await;
        assert_eq!(desk.apply(Fact::Paid(paid("A", "P1"))).await, outcome);
        let payments = [("P1", 100, Standing::Settling)];
        let told = ["order.closed", "payment.succeeded"];
        let shown = Shown { state: paid_by("P1", true), payments: &payments, incidents, told: &told };
        check(&desk, "A", shown).await;
        let body = &desk.messages().await[1].body;
        assert!(body.contains(r#""late":true"#), "{body}");
    }
}

/// Absent, and paid: the payment is kept and told; nothing is registered.
pub async fn a_payment_without_an_order_is_kept(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let desk = Desk::at(&*store);
    let fact = Fact::Paid(paid("A", "P1"));
    assert_eq!(desk.apply(fact.clone()).await, Outcome::Unmatched);
    assert_eq!(desk.apply(fact).await, Outcome::Duplicate);
    assert!(desk.find("A").await.is_none());
    assert_eq!(desk.told().await, ["payment.unmatched"]);
    assert_eq!(desk.messages().await[0].id.0, "payment:1900000001:P1:0");
    let counts = desk.counts().await;
    assert_eq!(counts, Counts { payments: 1, messages: 1, incidents: 1, ..Counts::default() });
}

/// Absent, and paid, where the policy is to adopt: the payment is the order.
pub async fn an_unknown_order_is_adopted_where_wished(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let policy = Policy { unknown_order: UnknownOrder::Adopt, ..Policy::default() };
    let desk = Desk { policy, ..Desk::at(&*store) };
    let fact = Fact::Paid(paid("A", "P1"));
    let facts = [fact.clone(), fact, registered("A")];
    assert_eq!(desk.apply_each(&facts).await, [Outcome::Applied, Outcome::Duplicate, Outcome::Duplicate]);
    let payments = [("P1", 100, Standing::Settling)];
    let told = ["payment.succeeded"];
    check(
        &desk,
        "A",
        Shown { state: paid_by("P1", false), payments: &payments, incidents: &[], told: &told },
    )
    .await;
    assert_eq!(desk.order("A").await.order.terms, terms());
}
