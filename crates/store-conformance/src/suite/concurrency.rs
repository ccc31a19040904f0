//! Many tasks at once: however they meet, an effect happens once.

use std::{collections::BTreeMap, sync::Arc};

use payonce_core::{Fact, OrderState, Outcome, Store};
use tokio::task::JoinSet;

use crate::{
    Fixture,
    desk::Desk,
    facts::{closed, paid, paid_amount, passed, registered},
};

/// How many tasks meet. Enough that each waits for others; few enough for a database that locks as a whole.
const TASKS: usize = 12;

/// The handles through which the tasks write, the first and, where there can be one, a second.
async fn two_handles(fixture: &dyn Fixture) -> Vec<Arc<dyn Store>> {
    let mut handles = vec![Arc::from(fixture.open().await)];
    handles.extend(fixture.second_handle().await.map(Arc::from));
    handles
}

/// Each task applies its list of facts, one transaction a fact; returns what was answered to whom.
async fn race(handles: &[Arc<dyn Store>], lists: Vec<Vec<Fact>>) -> Vec<Vec<Outcome>> {
    let mut tasks = JoinSet::new();
    for (task, facts) in lists.into_iter().enumerate() {
        let store = Arc::clone(&handles[task % handles.len()]);
        tasks.spawn(async move { Desk::among_others(&*store).apply_each(&facts).await });
    }
    tasks.join_all().await
}

fn count(outcomes: &[Vec<Outcome>]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for outcome in outcomes.iter().flatten() {
        *counts.entry(outcome.as_str()).or_default() += 1;
    }
    counts
}

/// Twelve copies of one callback at once: one is applied, the others are duplicates, one message is written.
pub async fn copies_that_arrive_at_once_take_effect_once(fixture: &dyn Fixture) {
    for handles in [vec![Arc::from(fixture.open().await)], two_handles(fixture).await] {
        let desk = Desk::at(&*handles[0]);
        desk.apply(registered("A")).await;
        let outcomes = race(&handles, vec![vec![Fact::Paid(paid("A", "P1"))]; TASKS]).await;
        assert_eq!(count(&outcomes), [("applied", 1), ("duplicate", TASKS - 1)].into());
        assert_eq!(desk.told().await, ["payment.succeeded"]);
        desk.audit().await;
    }
}

/// One order, twelve payments at once: one pays it, the others are told.
pub async fn payments_that_compete_settle_an_order_once(fixture: &dyn Fixture) {
    let handles = two_handles(fixture).await;
    let desk = Desk::at(&*handles[0]);
    desk.apply(registered("A")).await;
    let lists = (0..TASKS).map(|task| vec![Fact::Paid(paid("A", &format!("P{task}")))]).collect();
    assert_eq!(count(&race(&handles, lists).await), [("applied", 1), ("incident", TASKS - 1)].into());
    assert_eq!(desk.order("A").await.payments.len(), TASKS);
    assert_eq!(desk.order("A").await.order.messages as usize, TASKS);
    desk.audit().await;
}

/// Registrations and payments of one order at once: it is registered once and paid once.
pub async fn registrations_and_payments_may_race(fixture: &dyn Fixture) {
    // The two miss each other in a moment only, so that one order would prove little.
    const ORDERS: u64 = 20;
    let handles = two_handles(fixture).await;
    let desk = Desk::at(&*handles[0]);
    for i in 1..=ORDERS {
        let order = format!("ORDER{i}");
        let pair = [registered(&order), Fact::Paid(paid(&order, &format!("P{i}")))];
        race(&handles, (0..TASKS).map(|task| vec![pair[task % 2].clone()]).collect()).await;
        assert!(matches!(desk.state(&order).await, OrderState::Paid { late: false, .. }), "{order}");
        assert_eq!((desk.counts().await.orders, desk.counts().await.payments), (i, i));
    }
    let succeeded = desk.told().await.into_iter().filter(|kind| kind == "payment.succeeded").count();
    assert_eq!(succeeded as u64, ORDERS);
    desk.audit().await;
}

/// Every task brings every fact, each in an order of its own.
pub async fn all_facts_from_all_tasks_take_effect_once(fixture: &dyn Fixture) {
    let facts = [
        registered("A"),
        registered("B"),
        Fact::Paid(paid("A", "P1")),
        Fact::Paid(paid_amount("A", "P2", 5)),
        Fact::Paid(paid("B", "P3")),
        Fact::Paid(paid("C", "P4")),
        Fact::Other(passed("N1")),
        closed("D"),
    ];
    let handles = two_handles(fixture).await;
    let rotated = |by: usize| {
        let mut list = facts.to_vec();
        list.rotate_left(by % facts.len());
        list
    };
    race(&handles, (0..TASKS).map(rotated).collect()).await;
    let desk = Desk::at(&*handles[0]);
    let counts = desk.counts().await;
    assert_eq!((counts.orders, counts.payments), (2, 4));
    for (order, payment) in [("A", "P1"), ("B", "P3")] {
        let state = desk.state(order).await;
        assert!(matches!(&state, OrderState::Paid { by, .. } if by.as_str() == payment), "{state:?}");
    }
    let mut told = desk.told().await;
    // Whether a payment waited for its order depends on the race, and so do these.
    told.retain(|kind| kind != "payment.unmatched");
    told.sort();
    let expected = ["payment.mismatched", "payment.succeeded", "payment.succeeded", "wechat.REFUND.SUCCESS"];
    assert_eq!(told, expected);
    desk.audit().await;
}

/// A reader beside the writers sees orders, payments and messages of one moment.
pub async fn a_reader_beside_the_writers_sees_whole_transactions(fixture: &dyn Fixture) {
    let handles = two_handles(fixture).await;
    let lists = (0..TASKS).map(|task| {
        let order = format!("ORDER{task}");
        vec![registered(&order), Fact::Paid(paid(&order, &format!("P{task}")))]
    });
    let writers = race(&handles[..1], lists.collect());
    let desk = Desk::at(&**handles.last().expect("there is one"));
    let reader = async {
        while desk.counts().await.messages < TASKS as u64 {
            for line in desk.ledger().await {
                assert!(line.adds_up(), "{line:?}");
                let view = desk.order(line.key.out_trade_no.as_str()).await;
                let paid = matches!(view.order.state, OrderState::Paid { .. });
                let rows = (view.payments.len(), view.order.messages);
                assert_eq!(rows, (usize::from(paid), u32::from(paid)), "{view:?}");
            }
        }
    };
    tokio::join!(writers, reader);
    desk.audit().await;
}
