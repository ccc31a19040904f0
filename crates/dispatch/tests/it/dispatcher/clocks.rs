//! The database's clock jumps, as a machine's does whose time was wrong. Deliveries are due by it alone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use payonce_core::{
    Clock, Fact, UnixMillis,
    delivery::{Answer, EndpointState},
    store::{
        Position,
        delivery::{DeliveryState, Replay, Switch},
    },
};
use payonce_dispatch::Event;
use payonce_store_conformance::facts::passed;

use crate::post_office::{DOWN, Does, OK, Paused, PostOffice, schedule};

const HOUR: u64 = 3600;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// By how many hours a clock is wrong.
#[derive(Clone, Default)]
struct Wrong(Arc<AtomicI64>);

impl Wrong {
    fn jumps(&self, hours: i64) {
        self.0.fetch_add(hours, Ordering::SeqCst);
    }
}

struct Jumping {
    time: Paused,
    wrong: Wrong,
}

impl Clock for Jumping {
    fn now(&self) -> UnixMillis {
        let wrong = self.wrong.0.load(Ordering::SeqCst) * i64::try_from(HOUR * 1000).expect("it fits");
        UnixMillis(self.time.now().0 + wrong)
    }
}

fn office() -> (PostOffice, Wrong) {
    let wrong = Wrong::default();
    (PostOffice::with_clock(|time| Jumping { time, wrong: wrong.clone() }), wrong)
}

fn notifications(count: usize) -> impl Iterator<Item = Fact> {
    (0..count).map(|i| Fact::Other(passed(&format!("N{i}"))))
}

#[tokio::test(start_paused = true)]
async fn forward_what_is_to_come_comes_early_and_as_often_as_planned() {
    let (office, clock) = office();
    let id = office.put("shop", |e| e.settings.schedule = schedule(&[HOUR, HOUR])).await;
    office.receiver("shop").does(&[DOWN]);
    let node = office.node("a");
    office.tell(notifications(3)).await;
    for attempts in 1..=3 {
        office.receiver("shop").heard(3 * attempts).await;
        office.pass(seconds(1)).await;
        clock.jumps(5);
    }
    assert!(office.elapsed() < seconds(10), "it did not wait for its hours: {:?}", office.elapsed());
    office.pass(seconds(HOUR)).await;
    assert_eq!(office.receiver("shop").calls().len(), 9);
    assert_eq!(office.rows(id, DeliveryState::Exhausted).await, [1, 2, 3]);
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn back_what_is_to_come_waits_for_as_much_longer_and_not_for_ever() {
    let (office, clock) = office();
    let id = office.put("shop", |e| e.settings.schedule = schedule(&[60, 60])).await;
    office.receiver("shop").does(&[DOWN, OK]);
    let node = office.node("a");
    office.tell(notifications(1)).await;
    office.receiver("shop").heard(1).await;
    office.pass(seconds(1)).await;
    clock.jumps(-3);
    // What is new does not wait.
    office.tell([Fact::Other(passed("LATER"))]).await;
    office.receiver("shop").heard(2).await;
    office.pass(seconds(3 * HOUR)).await;
    assert_eq!(office.rows(id, DeliveryState::Pending).await, [1], "it is listed meanwhile");
    office.pass(seconds(73)).await;
    assert_eq!(office.rows(id, DeliveryState::Pending).await, [0_i64; 0]);
    assert_eq!(office.receiver("shop").calls().len(), 3);
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn back_whoever_replays_a_message_need_not_wait_for_the_time_that_was() {
    let (office, clock) = office();
    let id = office.put("shop", |e| e.settings.schedule = schedule(&[60, 60])).await;
    office.receiver("shop").does(&[DOWN, OK]);
    let node = office.node("a");
    office.tell(notifications(1)).await;
    office.receiver("shop").heard(1).await;
    office.pass(seconds(1)).await;
    clock.jumps(-3);
    assert_eq!(office.replay(id, Replay::One(Position(1))).await, 1);
    office.pass(seconds(1)).await;
    assert_eq!(office.rows(id, DeliveryState::Pending).await, [0_i64; 0]);
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn forward_amid_a_call_another_node_calls_once_more_under_the_same_id_and_no_third_time() {
    let (office, clock) = office();
    let id = office.put("shop", |_| {}).await;
    let receiver = office.receiver("shop");
    receiver.does(&[Does::After(seconds(10), Answer::Status(500)), OK]);
    let first = office.node("a");
    office.tell(notifications(1)).await;
    receiver.heard(1).await;
    let second = office.node("b");
    clock.jumps(1);
    receiver.heard(2).await;
    office.pass(seconds(HOUR)).await;
    let calls = receiver.calls();
    assert_eq!((calls.len(), &calls[0].id, &calls[0].body), (2, &calls[1].id, &calls[1].body));
    assert_eq!(office.rows(id, DeliveryState::Pending).await, [0_i64; 0], "the failure is not brought back");
    first.stop().await;
    second.stop().await;
}

#[tokio::test(start_paused = true)]
async fn back_amid_a_call_it_is_settled_and_what_a_dead_node_had_comes_later_and_not_never() {
    let (office, clock) = office();
    let id = office.put("shop", |e| e.settings.concurrency = 1).await;
    let receiver = office.receiver("shop");
    receiver.does(&[Does::After(seconds(5), Answer::Status(204)), Does::Hangs]);
    let first = office.node("a");
    office.tell(notifications(1)).await;
    receiver.heard(1).await;
    clock.jumps(-3);
    office.is_done(id, 1).await;

    office.tell([Fact::Other(passed("LATER"))]).await;
    receiver.heard(2).await;
    clock.jumps(-3);
    first.dies().await;
    receiver.does(&[OK]);
    let second = office.node("b");
    office.pass(seconds(3 * HOUR)).await;
    assert_eq!(office.rows(id, DeliveryState::Pending).await, [2], "its lease is as much longer");
    // Ten seconds to wait, fifteen for the call, fifteen to settle.
    office.pass(seconds(41)).await;
    assert_eq!(office.rows(id, DeliveryState::Pending).await, [0_i64; 0]);
    assert_eq!(receiver.calls().len(), 3);
    second.stop().await;
}

#[tokio::test(start_paused = true)]
async fn forward_by_days_an_endpoint_that_fails_is_disabled_early_and_loses_nothing() {
    let (office, clock) = office();
    let id = office.put("shop", |_| {}).await;
    office.receiver("shop").does(&[DOWN]);
    let node = office.node("a");
    office.tell(notifications(20)).await;
    office.pass(seconds(1)).await;
    clock.jumps(6 * 24);
    office.pass(seconds(120)).await;
    assert_eq!(office.state(id).await, EndpointState::Failing);
    assert_eq!(office.events("shop"), [Event::Failing, Event::DisabledFailing]);
    office.receiver("shop").does(&[OK]);
    office.switch(id, Switch::Enable).await;
    office.is_done(id, 20).await;
    node.stop().await;
}
