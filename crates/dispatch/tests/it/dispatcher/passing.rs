//! Messages on their way while all is well, and endpoints that change meanwhile.

use std::time::Duration;

use payonce_core::{
    Fact,
    delivery::{Answer, Filter, Sealed},
    store::{
        MessageView, Position, Store as _,
        delivery::{DeliveryState, Switch},
    },
};
use payonce_dispatch::Event;
use payonce_store_conformance::facts::{paid, passed, registered};

use crate::post_office::{Does, OK, PostOffice};

fn notifications(count: usize) -> impl Iterator<Item = Fact> {
    (0..count).map(|i| Fact::Other(passed(&format!("N{i}"))))
}

#[tokio::test(start_paused = true)]
async fn each_endpoint_gets_what_it_wants_once_with_the_messages_own_id_and_bytes() {
    let office = PostOffice::open();
    let all = office.put("all", |_| {}).await;
    office.put("payments", |e| e.filter = Filter::parse(&["payment.*"]).expect("a filter")).await;
    let node = office.node("a");
    office.tell(notifications(50)).await;
    office.tell([registered("ORDER1"), Fact::Paid(paid("ORDER1", "P1"))]).await;
    office.is_done(all, 51).await;
    node.stop().await;

    let messages: Vec<MessageView> =
        office.store.messages_after(Position(0), 1000).await.expect("the store reads");
    let mut calls: Vec<_> =
        office.receiver("all").calls().into_iter().map(|call| (call.id, call.body)).collect();
    let mut written: Vec<_> =
        messages.iter().map(|message| (message.id.0.clone(), message.body.clone())).collect();
    calls.sort();
    written.sort();
    assert_eq!(calls, written);
    let paid: Vec<_> =
        messages.iter().filter(|m| m.kind == "payment.succeeded").map(|m| m.id.0.clone()).collect();
    assert_eq!((office.receiver("payments").ids(), paid.len()), (paid, 1));
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_are_out_than_an_endpoint_may_have() {
    let office = PostOffice::open();
    let id = office.put("slow", |e| e.settings.concurrency = 7).await;
    office.receiver("slow").does(&[Does::After(Duration::from_millis(300), Answer::Status(200))]);
    office.tell(notifications(100)).await;
    let node = office.node("a");
    office.is_done(id, 100).await;
    node.stop().await;
    assert_eq!((office.receiver("slow").most_out(), office.receiver("slow").calls().len()), (7, 100));
    let least = Duration::from_millis(300) * 100 / 7;
    assert!(office.elapsed() >= least && office.elapsed() < least * 2, "{:?}", office.elapsed());
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_begin_in_a_second_than_an_endpoint_wishes() {
    let office = PostOffice::open();
    let id = office.put("calm", |e| e.settings.rate_per_second = Some(20)).await;
    office.tell(notifications(200)).await;
    let node = office.node("a");
    office.is_done(id, 200).await;
    node.stop().await;
    let calls = office.receiver("calm").calls();
    for (first, call) in calls.iter().enumerate() {
        let within =
            calls[first..].iter().take_while(|later| later.at < call.at + Duration::from_secs(1)).count();
        assert!(within <= 41, "{within} in a second: a full bucket, and what came since");
    }
    assert!(office.elapsed() < Duration::from_secs(12), "it takes as many as it may: {:?}", office.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_after_a_rotation_is_signed_by_the_new_secret() {
    let office = PostOffice::open();
    let id = office.put("shop", |_| {}).await;
    office.receiver("shop").does(&[Does::Answers(Answer::Status(500)), OK]);
    let node = office.node("a");
    office.tell(notifications(1)).await;
    office.receiver("shop").heard(1).await;
    office.put("shop", |e| e.sealed = Sealed(b"second".to_vec())).await;
    office.is_done(id, 1).await;
    node.stop().await;
    let calls = office.receiver("shop").calls();
    assert_eq!([&*calls[0].secret, &*calls[1].secret], [b"first".as_slice(), b"second"]);
    assert_eq!((&calls[0].id, &calls[0].body), (&calls[1].id, &calls[1].body));
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_removed_amid_a_call_gets_nothing_more() {
    let office = PostOffice::open();
    let id = office.put("shop", |e| e.settings.concurrency = 1).await;
    let other = office.put("other", |_| {}).await;
    office.receiver("shop").does(&[Does::After(Duration::from_secs(2), Answer::Status(500))]);
    office.tell(notifications(5)).await;
    let node = office.node("a");
    office.receiver("shop").heard(1).await;
    assert!(office.store.deliveries().remove_endpoint(id).await.expect("the store writes"));
    office.pass(Duration::from_secs(3600)).await;
    assert_eq!(office.receiver("shop").calls().len(), 1);
    assert_eq!(office.receiver("other").calls().len(), 5);
    assert_eq!(office.rows(other, DeliveryState::Pending).await, [0_i64; 0]);
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_disabled_endpoints_messages_are_held_and_flow_once_it_is_enabled() {
    let office = PostOffice::open();
    let id = office.put("shop", |_| {}).await;
    let node = office.node("a");
    office.tell(notifications(3)).await;
    office.is_done(id, 3).await;
    office.switch(id, Switch::Disable).await;
    office.pass(Duration::from_secs(1)).await;
    office.tell((3..2000).map(|i| Fact::Other(passed(&format!("N{i}"))))).await;
    office.pass(Duration::from_secs(3600)).await;
    assert_eq!(office.receiver("shop").calls().len(), 3);
    office.switch(id, Switch::Enable).await;
    office.is_done(id, 2000).await;
    assert_eq!(office.receiver("shop").calls().len(), 2000);
    node.stop().await;
}

#[tokio::test(start_paused = true)]
async fn while_there_is_no_way_to_an_endpoint_its_messages_wait_and_no_attempt_is_used_up() {
    let office = PostOffice::open();
    let id = office.put("shop", |e| e.sealed = Sealed(b"does not open".to_vec())).await;
    let node = office.node("a");
    office.tell(notifications(3)).await;
    office.pass(Duration::from_secs(3600)).await;
    assert_eq!(office.events("shop"), [Event::Unusable { why: "no key opens the secrets".to_owned() }]);
    assert_eq!(office.rows(id, DeliveryState::Pending).await.len(), 3);
    office.put("shop", |_| {}).await;
    office.is_done(id, 3).await;
    assert_eq!(office.attempts(id, 1).await[0].number, 1);
    node.stop().await;
}
