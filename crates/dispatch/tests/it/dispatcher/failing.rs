//! Endpoints that fail.

use std::time::Duration;

use payonce_core::{
    Fact,
    delivery::{Answer, EndpointState, Fault, Sealed},
    store::delivery::{DeliveryState, Replay, Switch},
};
use payonce_dispatch::Event;
use payonce_store_conformance::facts::passed;

use crate::post_office::{DOWN, Does, OK, PostOffice, schedule};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn notifications(range: std::ops::Range<usize>) -> impl Iterator<Item = Fact> {
    range.map(|i| Fact::Other(passed(&format!("N{i}"))))
}

#[tokio::test(start_paused = true)]
async fn attempts_follow_the_schedule_and_then_the_message_is_listed_and_can_be_replayed() {
    let office = PostOffice::open();
    let pauses = [10, 60, 600];
    let id = office.put("shop", |e| e.settings.schedule = schedule(&pauses)).await;
    let receiver = office.receiver("shop");
    receiver.does(&[DOWN]);
    let node = office.node("a");
    office.tell(notifications(0..1)).await;
    office.is_done(id, 1).await;
    let calls = receiver.calls();
    assert_eq!(calls.len(), 4);
    assert!(calls.iter().all(|call| (&call.id, &call.body) == (&calls[0].id, &calls[0].body)));
    for (pair, pause) in calls.windows(2).zip(pauses) {
        let waited = pair[1].at - pair[0].at;
        // Its jitter is a fifth at most; the other half second is the look.
        assert!(
            waited >= seconds(pause) && waited <= seconds(pause) * 6 / 5 + Duration::from_millis(500),
            "{waited:?}"
        );
    }
    assert_eq!(office.rows(id, DeliveryState::Exhausted).await, [1]);
    let exhausted = Event::Exhausted {
        message: payonce_core::message::MessageId(calls[0].id.clone()),
        answer: Answer::Status(503),
    };
    assert_eq!(office.events("shop"), [exhausted]);
    let numbers: Vec<u32> = office.attempts(id, 1).await.iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, [4, 3, 2, 1]);

    receiver.does(&[OK]);
    assert_eq!(office.replay(id, Replay::Exhausted { rows_max: 100 }).await, 1);
    receiver.heard(5).await;
    office.pass(seconds(1)).await;
    assert_eq!(office.rows(id, DeliveryState::Exhausted).await, [0_i64; 0]);
    assert_eq!(receiver.calls()[4].body, calls[0].body);
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn who_asks_to_be_left_alone_is() {
    let office = PostOffice::open();
    let id = office.put("shop", |_| {}).await;
    let receiver = office.receiver("shop");
    receiver.does(&[Does::AsksFor(Answer::Status(429), seconds(300)), OK]);
    let node = office.node("a");
    office.tell(notifications(0..1)).await;
    office.is_done(id, 1).await;
    let calls = receiver.calls();
    assert!(calls[1].at - calls[0].at >= seconds(300), "{calls:?}");
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_gone_is_disabled_and_its_messages_are_held() {
    let office = PostOffice::open();
    let id = office.put("shop", |e| e.settings.concurrency = 1).await;
    let receiver = office.receiver("shop");
    receiver.does(&[Does::Answers(Answer::Status(410)), OK]);
    let node = office.node("a");
    office.tell(notifications(0..3)).await;
    receiver.heard(1).await;
    office.pass(seconds(3600)).await;
    assert_eq!(office.state(id).await, EndpointState::Gone);
    assert_eq!(office.events("shop"), [Event::DisabledGone]);
    let before = receiver.calls().len();
    assert!(before <= 2, "what was under way at most: {before}");
    office.switch(id, Switch::Enable).await;
    office.is_done(id, 3).await;
    let mut ids = receiver.ids();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3, "nothing is lost");
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_keeps_failing_is_disabled_and_its_messages_flow_once_it_is_enabled() {
    let office = PostOffice::open();
    let id = office.put("shop", |e| e.settings.failing_max_seconds = 600).await;
    let receiver = office.receiver("shop");
    receiver.does(&[DOWN]);
    let node = office.node("a");
    office.tell(notifications(0..50)).await;
    office.pass(seconds(500)).await;
    assert_eq!(office.state(id).await, EndpointState::Enabled);
    office.pass(seconds(1500)).await;
    assert_eq!(office.state(id).await, EndpointState::Failing);
    assert_eq!(office.events("shop"), [Event::Failing, Event::DisabledFailing]);
    let before = receiver.calls().len();
    office.tell(notifications(50..100)).await;
    office.pass(seconds(3600)).await;
    assert_eq!(receiver.calls().len(), before, "it is left alone");

    receiver.does(&[OK]);
    office.switch(id, Switch::Enable).await;
    office.is_done(id, 100).await;
    let mut ids = receiver.ids();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 100, "nothing is lost");
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_dead_endpoint_takes_nothing_from_a_living_one_and_is_asked_ever_more_seldom() {
    let office = PostOffice::open();
    let dead = office.put("dead", |_| {}).await;
    let living = office.put("living", |_| {}).await;
    office.receiver("dead").does(&[Does::Hangs]);
    let node = office.node("a");
    office.tell(notifications(0..500)).await;
    office.is_done(living, 500).await;
    assert!(office.elapsed() < seconds(5), "{:?}", office.elapsed());
    office.pass(seconds(600)).await;
    let calls = office.receiver("dead").calls().len();
    assert!(calls < 16 + 30, "the breaker holds: {calls} calls in ten minutes");
    assert_eq!(office.events("dead"), [Event::Failing]);

    office.receiver("dead").does(&[OK]);
    office.is_done(dead, 500).await;
    assert_eq!(office.events("dead"), [Event::Failing, Event::Recovered]);
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_refuses_everything_fails_and_recovers_by_a_success_alone() {
    let office = PostOffice::open();
    let id = office.put("shop", |_| {}).await;
    let receiver = office.receiver("shop");
    receiver.does(&[Does::Answers(Answer::Status(401))]);
    let node = office.node("a");
    office.tell(notifications(0..4)).await;
    receiver.heard(4).await;
    assert_eq!(office.events("shop"), [], "four may be four poor messages");
    office.pass(seconds(60)).await;
    assert_eq!(office.events("shop"), [Event::Failing]);
    receiver.does(&[DOWN]);
    office.pass(seconds(1200)).await;
    receiver.does(&[Does::Answers(Answer::Status(404))]);
    office.pass(seconds(7200)).await;
    assert_eq!(office.events("shop"), [Event::Failing], "it answers, and takes nothing");
    receiver.does(&[OK]);
    office.is_done(id, 4).await;
    assert_eq!(office.events("shop"), [Event::Failing, Event::Recovered]);
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_is_cut_short_and_one_that_panics_is_an_attempt_as_well() {
    let office = PostOffice::open();
    let id = office.put("shop", |_| {}).await;
    office.receiver("shop").does(&[Does::Hangs, Does::Panics, OK]);
    let node = office.node("a");
    office.tell(notifications(0..1)).await;
    office.is_done(id, 1).await;
    let made: Vec<_> = office.attempts(id, 1).await.iter().map(|attempt| attempt.answer).collect();
    assert_eq!(made, [Answer::Status(204), Answer::Fault(Fault::CutOff), Answer::Fault(Fault::TimedOut)]);
    node.stop().await;
}

/// The messages that came within a second.
async fn come_within_a_second(office: &PostOffice) -> usize {
    let before = office.receiver("shop").calls().len();
    office.pass(seconds(1)).await;
    office.receiver("shop").calls().len() - before
}

#[tokio::test(start_paused = true)]
async fn whoever_mends_an_endpoint_need_not_wait_for_the_end_of_its_rest() {
    let office = PostOffice::open();
    let id = office.put("shop", |_| {}).await;
    office.receiver("shop").does(&[DOWN]);
    let node = office.node("a");
    office.tell(notifications(0..500)).await;
    office.pass(seconds(600)).await;
    office.receiver("shop").does(&[OK]);
    assert_eq!(come_within_a_second(&office).await, 0, "it has a rest");
    office.put("shop", |e| e.sealed = Sealed(b"mended".to_vec())).await;
    assert!(come_within_a_second(&office).await > 400, "what was never tried is due");
    assert_eq!(office.events("shop"), [Event::Failing, Event::Recovered]);
    office.is_done(id, 500).await;
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn whoever_enables_an_endpoint_need_not_wait_for_the_end_of_its_rest() {
    let office = PostOffice::open();
    let id = office.put("shop", |_| {}).await;
    office.receiver("shop").does(&[Does::Hangs]);
    let node = office.node("a");
    office.tell(notifications(0..500)).await;
    office.receiver("shop").heard(20).await;
    // A call is out that asks whether it is back; it ends long after what follows.
    office.switch(id, Switch::Disable).await;
    office.pass(seconds(1)).await;
    office.receiver("shop").does(&[OK]);
    office.switch(id, Switch::Enable).await;
    assert!(come_within_a_second(&office).await > 400, "what was never tried is due");
    office.is_done(id, 500).await;
    assert_eq!(office.events("shop"), [Event::Failing, Event::Recovered]);
    node.stop().await;
}
