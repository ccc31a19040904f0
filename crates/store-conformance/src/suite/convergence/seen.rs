//! What can be seen after a way through the facts, without what may show the way.
//!
//! Invariant: [`MAY_SHOW`] is the whole list. Each entry looks at the set of facts and changes only the
//! messages to which it applies.

use std::collections::BTreeMap;

use payonce_core::{
    OrderKey,
    decide::{IncidentKind, Standing},
    store::OrderView,
};
use serde_json::{Map, Value};

use super::{
    fate,
    scenario::{Fate, Money, Scenario},
};
use crate::{desk::Desk, facts::key};

/// What is compared between two ways.
#[derive(Debug, PartialEq)]
pub(super) struct Seen {
    orders: BTreeMap<OrderKey, SeenOrder>,
    /// Sorted: the order in which messages were written is the way itself.
    messages: Vec<String>,
}

#[derive(Debug, PartialEq)]
struct SeenOrder {
    money: Money,
    /// Number, standing (without which came first) and time of each payment; sorted.
    payments: Vec<String>,
    /// Sorted.
    incidents: Vec<String>,
}

impl Seen {
    pub(super) async fn of(desk: &Desk<'_>, scenario: &Scenario) -> Self {
        let mut orders = BTreeMap::new();
        for line in desk.ledger().await {
            let view = desk.order(line.key.out_trade_no.as_str()).await;
            orders.insert(line.key, SeenOrder::of(&view, scenario));
        }
        let messages = desk.messages().await;
        let told = messages.iter().map(|message| Told::parse(&message.body));
        let mut messages: Vec<String> =
            told.filter_map(|told| told.without_the_way(scenario)).map(|told| format!("{told:?}")).collect();
        messages.sort();
        Self { orders, messages }
    }

    pub(super) fn money(&self) -> BTreeMap<OrderKey, Money> {
        self.orders.iter().map(|(order, seen)| (order.clone(), seen.money.clone())).collect()
    }
}

impl SeenOrder {
    fn of(view: &OrderView, scenario: &Scenario) -> Self {
        let counts = |standing| matches!(standing, Standing::Settling | Standing::Second);
        let contents = |counting: bool| {
            let payments = view.payments.iter().filter(move |payment| counts(payment.standing) == counting);
            payments.map(|payment| payment.content.clone()).collect()
        };
        let money =
            Money { fate: fate(&view.order.state), counting: contents(true), disputed: contents(false) };
        let mut payments: Vec<String> = view
            .payments
            .iter()
            .map(|payment| {
                let number = &payment.content.payment;
                format!("{number} counts: {} at {:?}", counts(payment.standing), payment.paid_at)
            })
            .collect();
        payments.sort();
        let mut incidents: Vec<String> = view
            .incidents
            .iter()
            .filter_map(|incident| {
                let kind = incident_without_the_way(incident.kind, &view.order.key, scenario)?;
                Some(format!("{kind} {:?}", incident.remedy))
            })
            .collect();
        incidents.sort();
        Self { money, payments, incidents }
    }
}

/// The incidents follow their messages: a late payment's may be missing, and a dispute has one of two names.
fn incident_without_the_way(
    kind: IncidentKind,
    order: &OrderKey,
    scenario: &Scenario,
) -> Option<&'static str> {
    let contradicted =
        scenario.contents().any(|content| scenario.is_contradicted(order, content.payment.as_str()));
    match kind {
        IncidentKind::PaidAfterClose if may_be_late(scenario, order) => None,
        IncidentKind::AmountMismatch
        | IncidentKind::CurrencyMismatch
        | IncidentKind::AppidMismatch
        | IncidentKind::SubMerchantMismatch
        | IncidentKind::Contradiction
            if contradicted =>
        {
            Some("disputed")
        }
        other => Some(other.as_str()),
    }
}

/// A message: its type and its data.
#[derive(Debug)]
struct Told {
    kind: String,
    data: Map<String, Value>,
}

/// Takes what may show the way out of a message, or the message altogether.
type Normalisation = fn(Told, &Scenario) -> Option<Told>;

/// Everything that may show the order of arrival, and nothing else may.
const MAY_SHOW: [Normalisation; 6] = [
    its_place_among_the_orders_messages,
    who_told_it_first,
    that_the_order_was_closed_before_a_late_payment,
    which_of_two_payments_came_first,
    that_a_payment_came_before_its_registration,
    which_of_two_contradictory_contents_came_first,
];

impl Told {
    fn parse(body: &str) -> Self {
        let mut body: Map<String, Value> = serde_json::from_str(body).expect("a body is a JSON object");
        let Some(Value::Object(data)) = body.remove("data") else { panic!("no data in {body:?}") };
        let Some(Value::String(kind)) = body.remove("type") else { panic!("no type in {body:?}") };
        Self { kind, data }
    }

    fn without_the_way(self, scenario: &Scenario) -> Option<Self> {
        MAY_SHOW.iter().try_fold(self, |told, normalisation| normalisation(told, scenario))
    }

    fn text(&self, field: &str) -> &str {
        self.data.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// The order that it names. A notification that is passed on names none of the scenario's.
    fn order(&self) -> OrderKey {
        key(Some(self.text("out_trade_no")).filter(|order| !order.is_empty()).unwrap_or("NONE"))
    }

    fn is(&self, kinds: &[&str]) -> bool {
        kinds.contains(&self.kind.as_str())
    }

    fn without(mut self, fields: &[&str]) -> Self {
        self.data.retain(|field, _| !fields.contains(&field.as_str()));
        self
    }

    fn renamed(self, kind: &str) -> Self {
        Self { kind: kind.to_owned(), ..self }
    }
}

fn may_be_late(scenario: &Scenario, order: &OrderKey) -> bool {
    scenario.is_closed(order) && scenario.money().get(order).is_some_and(|money| money.fate == Fate::Paid)
}

fn its_place_among_the_orders_messages(told: Told, _: &Scenario) -> Option<Told> {
    Some(told.without(&["sequence"]))
}

fn who_told_it_first(told: Told, _: &Scenario) -> Option<Told> {
    Some(told.without(&["source"]))
}

fn that_the_order_was_closed_before_a_late_payment(told: Told, scenario: &Scenario) -> Option<Told> {
    if !may_be_late(scenario, &told.order()) {
        return Some(told);
    }
    match told.kind.as_str() {
        "order.closed" => None,
        "payment.succeeded" => Some(told.without(&["late", "incident"])),
        _ => Some(told),
    }
}

/// Which payment settled and which is the second; and of a disagreeing one, whether the order was paid by then.
fn which_of_two_payments_came_first(told: Told, scenario: &Scenario) -> Option<Told> {
    let agreeing = scenario.agreeing(&told.order());
    if agreeing >= 2 && told.is(&["payment.succeeded", "payment.duplicated"]) {
        let told = told.without(&["late", "incident", "paid_by"]);
        return Some(told.renamed("payment.succeeded or payment.duplicated"));
    }
    if agreeing >= 1 && told.is(&["payment.mismatched", "payment.conflicted"]) {
        return Some(told.without(&["paid_by"]));
    }
    Some(told)
}

fn that_a_payment_came_before_its_registration(told: Told, scenario: &Scenario) -> Option<Told> {
    let registered = scenario.is_registered(&told.order());
    if registered && told.is(&["payment.unmatched"]) { None } else { Some(told) }
}

fn which_of_two_contradictory_contents_came_first(told: Told, scenario: &Scenario) -> Option<Told> {
    let contradicted = scenario.is_contradicted(&told.order(), told.text("transaction_id"));
    if contradicted && told.is(&["payment.mismatched", "payment.conflicted"]) {
        let told = told.without(&["expected", "incident"]);
        return Some(told.renamed("payment.mismatched or payment.conflicted"));
    }
    Some(told)
}
