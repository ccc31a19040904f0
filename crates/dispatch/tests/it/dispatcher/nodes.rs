//! Several nodes, nodes that end, and a database that is away.

use std::{collections::BTreeMap, time::Duration};

use payonce_core::{
    Fact,
    delivery::{Answer, Filter},
    store::delivery::DeliveryState,
};
use payonce_store_conformance::facts::{paid, passed, registered};

use crate::post_office::{DOWN, Does, OK, PostOffice, Receiver, schedule};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn notifications(count: usize) -> impl Iterator<Item = Fact> {
    (0..count).map(|i| Fact::Other(passed(&format!("N{i}"))))
}

/// How often each message came.
fn copies(receiver: &Receiver) -> BTreeMap<String, usize> {
    receiver.ids().into_iter().fold(BTreeMap::new(), |mut copies, id| {
        *copies.entry(id).or_default() += 1;
        copies
    })
}

#[tokio::test(start_paused = true)]
async fn trap_poison_messages_were_retried_n_times_as_fast_by_n_nodes() {
    let office = PostOffice::open();
    let id = office.put("shop", |_| {}).await;
    let poison = office
        .put("poison", |e| {
            e.filter = Filter::parse(&["payment.*"]).expect("a filter");
            e.settings.schedule = schedule(&[5, 5]);
        })
        .await;
    office.receiver("poison").does(&[DOWN]);
    let nodes = ["a", "b", "c"].map(|name| office.node(name));
    office.tell(notifications(300)).await;
    for order in ["ORDERA", "ORDERB", "ORDERC"] {
        office.tell([registered(order), Fact::Paid(paid(order, &format!("{order}-1")))]).await;
    }
    office.is_done(id, 303).await;
    let copies_made = copies(&office.receiver("shop"));
    assert_eq!((copies_made.len(), copies_made.values().max()), (303, Some(&1)));
    office.is_done(poison, 303).await;
    let attempts: Vec<usize> = copies(&office.receiver("poison")).into_values().collect();
    assert_eq!((attempts, office.rows(poison, DeliveryState::Exhausted).await.len()), (vec![3, 3, 3], 3));
    for node in nodes {
        node.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_node_had_when_it_died_comes_to_others_under_the_same_id() {
    let office = PostOffice::open();
    let id = office.put("shop", |_| {}).await;
    let receiver = office.receiver("shop");
    receiver.does(&[Does::Hangs]);
    let first = office.node("a");
    office.tell(notifications(40)).await;
    receiver.heard(16).await;
    first.dies().await;
    receiver.does(&[OK]);
    let second = office.node("b");
    office.is_done(id, 40).await;
    let copies = copies(&receiver);
    assert_eq!(copies.len(), 40, "nothing is lost");
    assert!(copies.values().all(|copies| *copies <= 2), "{copies:?}");
    second.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_node_that_stops_settles_what_is_out_and_leaves_the_rest_to_others_at_once() {
    let office = PostOffice::open();
    let id = office.put("shop", |e| e.settings.concurrency = 4).await;
    let receiver = office.receiver("shop");
    receiver.does(&[Does::After(seconds(10), Answer::Status(200))]);
    let first = office.node("a");
    office.tell(notifications(40)).await;
    receiver.heard(4).await;
    let second = async {
        office.pass(seconds(1)).await;
        receiver.does(&[OK]);
        let begun = office.elapsed();
        let node = office.node("b");
        office.pass(seconds(2)).await;
        assert_eq!(receiver.calls().len(), 40, "{:?}", office.elapsed() - begun);
        node
    };
    let ((), second) = tokio::join!(first.stop(), second);
    office.is_done(id, 40).await;
    assert!(copies(&receiver).values().all(|copies| *copies == 1), "what was out was settled");
    second.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_was_called_while_the_database_went_away_is_settled_when_it_is_back() {
    let office = PostOffice::open();
    let id = office.put("shop", |_| {}).await;
    let receiver = office.receiver("shop");
    receiver.does(&[Does::After(seconds(1), Answer::Status(200))]);
    let node = office.node("a");
    office.tell(notifications(10)).await;
    receiver.heard(10).await;
    node.store.set_away(true);
    office.pass(seconds(20)).await;
    node.store.set_away(false);
    office.is_done(id, 10).await;
    assert!(copies(&receiver).values().all(|copies| *copies == 1), "{:?}", copies(&receiver));
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_waited_for_too_long_is_not_called_although_the_database_cannot_be_told() {
    let office = PostOffice::open();
    office.put("shop", |e| e.settings.concurrency = 4).await;
    let receiver = office.receiver("shop");
    receiver.does(&[Does::After(seconds(8), Answer::Status(200))]);
    let node = office.node("a");
    office.tell(notifications(40)).await;
    receiver.heard(4).await;
    // Some more are taken ahead.
    office.pass(seconds(1)).await;
    node.store.set_away(true);
    office.pass(seconds(120)).await;
    let calls = receiver.calls();
    assert!(calls.len() > 4, "what had not waited for long is called");
    let begun_at_last = calls.iter().map(|call| call.at).max().expect("a call");
    assert!(
        begun_at_last <= seconds(11),
        "the lease of what was taken by then may be over: {begun_at_last:?}"
    );
    node.dies().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_node_says_after_its_time_harms_nobody() {
    let office = PostOffice::open();
    let id = office.put("shop", |_| {}).await;
    let receiver = office.receiver("shop");
    receiver.does(&[Does::After(seconds(10), Answer::Status(500))]);
    let first = office.node("a");
    office.tell(notifications(1)).await;
    receiver.heard(1).await;
    receiver.does(&[OK]);
    // The first node cannot write until long after its lease: another one delivers.
    first.store.set_away(true);
    let second = office.node("b");
    office.is_done(id, 1).await;
    first.store.set_away(false);
    office.pass(seconds(60)).await;
    assert_eq!(receiver.calls().len(), 2);
    assert_eq!(office.rows(id, DeliveryState::Pending).await, [0_i64; 0], "the failure is not brought back");
    first.stop().await;
    second.stop().await;
}
