//! Random sets of facts, random ways through them, and the money that a set gives by itself.
//!
//! Two limits, because nobody promises otherwise: an order has one set of terms (another is refused, see
//! `orders`), and a close comes after the registration (it is learnt by asking about a registered order).

use std::collections::{BTreeMap, BTreeSet};

use payonce_core::{
    Fact, OrderKey, Paid, Policy,
    decide::{LatePayment, Remedy, UnknownOrder},
    fact::{Content, Source},
};
use proptest::{collection, prelude::*, sample::select};

use crate::facts::{app, closed, currency, fen, json, key, merchant, paid, passed, registered, terms};

/// How many ways each set of facts is applied in.
const WAYS: usize = 4;

/// The orders that there may be.
const ORDERS: [&str; 3] = ["A", "B", "C"];

/// A set of facts under one policy.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    pub policy: Policy,
    pub facts: Vec<Fact>,
}

/// Where an order ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Pending,
    Paid,
    Closed,
}

/// An order's money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Money {
    pub fate: Fate,
    /// What agrees with the order: the settling payment and the second ones.
    pub counting: BTreeSet<Content>,
    /// What disagrees with it.
    pub disputed: BTreeSet<Content>,
}

impl Scenario {
    pub(super) fn contents(&self) -> impl Iterator<Item = &Content> {
        self.facts.iter().filter_map(|fact| match fact {
            Fact::Paid(paid) => Some(&paid.content),
            _ => None,
        })
    }

    pub(super) fn statements(&self) -> usize {
        self.contents().count()
    }

    pub(super) fn is_registered(&self, order: &OrderKey) -> bool {
        self.facts.iter().any(|fact| matches!(fact, Fact::Registered { key, .. } if key == order))
    }

    pub(super) fn is_closed(&self, order: &OrderKey) -> bool {
        self.facts.iter().any(|fact| matches!(fact, Fact::Closed { key } if key == order))
    }

    /// How many payments agree with an order.
    pub(super) fn agreeing(&self, order: &OrderKey) -> usize {
        self.contents().filter(|content| content.key == *order && agrees(content)).count()
    }

    /// Whether several contents are stated under one number of an order.
    pub(super) fn is_contradicted(&self, order: &OrderKey, payment: &str) -> bool {
        let of_payment = |content: &&Content| content.key == *order && content.payment.as_str() == payment;
        self.contents().filter(of_payment).count() > 1
    }

    /// What the set of facts says of each registered order, whatever the way.
    pub(super) fn money(&self) -> BTreeMap<OrderKey, Money> {
        let orders = ORDERS.map(key).into_iter().filter(|order| self.is_registered(order));
        orders.map(|order| (order.clone(), self.money_of(&order))).collect()
    }

    fn money_of(&self, order: &OrderKey) -> Money {
        let stated = self.contents().filter(|content| content.key == *order).cloned();
        let (counting, disputed): (BTreeSet<_>, BTreeSet<_>) = stated.partition(agrees);
        let fate = match (counting.is_empty(), self.is_closed(order)) {
            (false, _) => Fate::Paid,
            (true, true) => Fate::Closed,
            (true, false) => Fate::Pending,
        };
        Money { fate, counting, disputed }
    }
}

/// Every order here has the same terms.
fn agrees(content: &Content) -> bool {
    let terms = terms();
    content.amount == terms.amount
        && content.currency == terms.currency
        && content.appid == terms.appid
        && content.sub_merchant == terms.sub_merchant
}

/// A way through the facts: which copy of which fact comes when, from whom, in which batches.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// Places in the list of facts; each at least once.
    arrivals: Vec<usize>,
    /// Who tells a payment, arrival by arrival; repeated as needed.
    sources: Vec<Source>,
    /// How many arrivals make a batch; repeated as needed.
    batch_sizes: Vec<usize>,
}

impl Way {
    pub(super) fn batches(&self, facts: &[Fact]) -> Vec<Vec<Fact>> {
        let told = self.arrivals.iter().zip(self.sources.iter().cycle());
        let mut told = told.map(|(&place, &source)| match &facts[place] {
            Fact::Paid(paid) => Fact::Paid(Paid { source, ..paid.clone() }),
            other => other.clone(),
        });
        let mut sizes = self.batch_sizes.iter().cycle();
        let mut batches = Vec::new();
        loop {
            let size = *sizes.next().expect("sizes are never empty, and repeat");
            let batch: Vec<Fact> = told.by_ref().take(size).collect();
            if batch.is_empty() {
                return batches;
            }
            batches.push(batch);
        }
    }

    /// Lets each close change places with the registration that it came before.
    fn closing_after_registration(mut self, facts: &[Fact]) -> Self {
        for order in ORDERS.map(key) {
            let registers =
                |&place: &usize| matches!(&facts[place], Fact::Registered { key, .. } if *key == order);
            let closes = |&place: &usize| matches!(&facts[place], Fact::Closed { key } if *key == order);
            let registration = self.arrivals.iter().position(registers);
            let close = self.arrivals.iter().position(closes);
            if let (Some(registration), Some(close)) = (registration, close)
                && close < registration
            {
                self.arrivals.swap(registration, close);
            }
        }
        self
    }
}

fn ways(facts: &[Fact]) -> impl Strategy<Value = Vec<Way>> + use<> {
    let facts = facts.to_vec();
    let all = facts.len();
    let copies =
        collection::vec(0..all, 0..=all).prop_map(move |extra| (0..all).chain(extra).collect::<Vec<_>>());
    let source = select(vec![Source::Callback, Source::Query, Source::Bill, Source::Operator]);
    let way = (
        copies.prop_shuffle(),
        collection::vec(source, 1..=5),
        // Some batches of one, and some that hold everything.
        collection::vec(prop_oneof![Just(1_usize), 2..=5_usize, Just(100_usize)], 1..=4),
    );
    let way = way.prop_map(move |(arrivals, sources, batch_sizes)| {
        Way { arrivals, sources, batch_sizes }.closing_after_registration(&facts)
    });
    collection::vec(way, WAYS)
}

fn with_ways(scenario: impl Strategy<Value = Scenario>) -> impl Strategy<Value = (Scenario, Vec<Way>)> {
    scenario.prop_flat_map(|scenario| {
        let ways = ways(&scenario.facts);
        (Just(scenario), ways)
    })
}

fn remedy() -> impl Strategy<Value = Remedy> {
    select(vec![Remedy::Hold, Remedy::Refund])
}

fn policy(unknown_order: impl Strategy<Value = UnknownOrder>) -> impl Strategy<Value = Policy> {
    let late_payment = prop_oneof![Just(LatePayment::Accept), remedy().prop_map(LatePayment::Report)];
    (late_payment, unknown_order, remedy()).prop_map(|(late_payment, unknown_order, second_payment)| Policy {
        late_payment,
        unknown_order,
        second_payment,
    })
}

/// In what a payment agrees with its order, or not.
fn content(order: &str, payment: &str, variant: usize) -> Fact {
    let mut paid = paid(order, payment);
    match variant {
        0 => {}
        1 => paid.content.amount = fen(99),
        2 => paid.content.amount = fen(101),
        3 => paid.content.currency = currency("USD"),
        4 => paid.content.appid = app("wx0000000000000000"),
        _ => paid.content.sub_merchant = Some(merchant()),
    }
    paid.detail = json(format!(r#"{{"variant":{variant}}}"#));
    Fact::Paid(paid)
}

/// An agreeing content, or a few of any kind, under one number.
fn variants() -> impl Strategy<Value = BTreeSet<usize>> {
    prop_oneof![Just(BTreeSet::from([0])), collection::btree_set(0..6_usize, 1..=3)]
}

/// Facts about one order; each payment number belongs to this order alone.
fn order_facts(order: &'static str, registered_weight: u32) -> impl Strategy<Value = Vec<Fact>> {
    let registration = prop_oneof![1 => Just(false), registered_weight => Just(true)];
    let payments = collection::vec(variants(), 0..=3);
    (registration, proptest::bool::weighted(0.3), payments).prop_map(
        move |(is_registered, is_closed, payments)| {
            let mut facts = Vec::new();
            facts.extend(is_registered.then(|| registered(order)));
            facts.extend(is_closed.then(|| closed(order)));
            for (number, variants) in payments.into_iter().enumerate() {
                let number = format!("P{order}{number}");
                facts.extend(variants.into_iter().map(|variant| content(order, &number, variant)));
            }
            facts
        },
    )
}

fn notifications() -> impl Strategy<Value = Vec<Fact>> {
    (0..=2_usize).prop_map(|count| (0..count).map(|i| Fact::Other(passed(&format!("N{i}")))).collect())
}

/// Facts for which the way must not matter, and ways.
pub(super) fn agreed() -> impl Strategy<Value = (Scenario, Vec<Way>)> {
    let facts = (ORDERS.map(|order| order_facts(order, 4)), notifications());
    // Adopting takes the order from whichever payment comes first, so that the way matters: see `wild`.
    let scenario = (policy(Just(UnknownOrder::Hold)), facts).prop_map(|(policy, (orders, notifications))| {
        Scenario { policy, facts: orders.into_iter().flatten().chain(notifications).collect() }
    });
    with_ways(scenario.prop_filter("no facts", |scenario| !scenario.facts.is_empty()))
}

/// Three numbers, each stated of any order in any content; every policy.
pub(super) fn wild() -> impl Strategy<Value = (Scenario, Vec<Way>)> {
    let unknown_order = select(vec![UnknownOrder::Hold, UnknownOrder::Adopt]);
    let statements = collection::btree_set((0..3_usize, 0..3_usize, 0..3_usize), 1..=8);
    let registrations = collection::btree_set(0..3_usize, 0..=3);
    let closes = collection::btree_set(0..3_usize, 0..=2);
    let scenario = (policy(unknown_order), statements, registrations, closes).prop_map(
        |(policy, statements, registrations, closes)| {
            let paid = statements
                .into_iter()
                .map(|(order, number, variant)| content(ORDERS[order], &format!("P{number}"), variant));
            let registered = registrations.into_iter().map(|order| registered(ORDERS[order]));
            let closed = closes.into_iter().map(|order| closed(ORDERS[order]));
            Scenario { policy, facts: paid.chain(registered).chain(closed).collect() }
        },
    );
    with_ways(scenario)
}
