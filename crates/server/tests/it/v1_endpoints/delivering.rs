//! From WeChat's callback to the merchant's own system.

use payonce_core::Store as _;
use serde_json::json;
use standardwebhooks::Webhook;

use super::{at_home, get, post, put};
use crate::{
    receiver::{Call, Receiver},
    stage::{NOW, Stage, payment},
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Pays an order that is registered.
async fn pay(stage: &Stage, number: u32) {
    stage.register(number).await;
    stage.ask(&stage.callback(payment(number))).await.assert_acknowledged();
}

fn verified(call: &Call) -> serde_json::Value {
    verified_at(call, NOW.0, &[SECRET])
}

/// What is checked is that these keys and no others sign, and that the signatures speak of this time.
fn verified_at(call: &Call, seconds: i64, secrets: &[&str]) -> serde_json::Value {
    assert_eq!(call.header("webhook-timestamp"), seconds.to_string());
    let signed = secrets
        .iter()
        .map(|secret| Webhook::new(secret).unwrap().sign(call.id(), seconds, &call.body).unwrap());
    assert_eq!(call.header("webhook-signature"), signed.collect::<Vec<_>>().join(" "));
    serde_json::from_slice(&call.body).unwrap()
}

#[tokio::test]
async fn a_payment_reaches_the_merchants_system_signed_and_as_it_was_written() {
    let stage = Stage::with(at_home).await;
    let mut receiver = Receiver::open().await;
    put(&stage, "shop", json!({"url": receiver.url(), "secret": SECRET, "headers": {"x-shop": "7"}})).await;
    pay(&stage, 1).await;
    let call = receiver.call().await;
    let body = verified(&call);
    assert_eq!(
        (&body["type"], &body["data"]["out_trade_no"]),
        (&json!("payment.succeeded"), &json!("ORDER1"))
    );
    assert_eq!((call.header("x-shop"), call.header("content-type")), ("7", "application/json"));
    let messages = stage.store.messages_after(payonce_core::store::Position(0), 10).await.unwrap();
    assert_eq!((messages[0].id.0.as_str(), messages[0].body.as_bytes()), (call.id(), &*call.body));
}

#[tokio::test]
async fn what_failed_is_listed_with_its_attempts_and_replayed_with_the_same_id_and_bytes() {
    let stage = Stage::with(at_home).await;
    let mut receiver = Receiver::open().await;
    receiver.answer([500, 503]);
    put(&stage, "shop", json!({"url": receiver.url(), "secret": SECRET, "schedule_seconds": [1]})).await;
    pay(&stage, 1).await;
    let (first, second) = (receiver.call().await, receiver.call().await);
    assert_eq!((first.id(), &first.body), (second.id(), &second.body));
    // The third call comes only if it is asked for.
    let listed = exhausted(&stage).await;
    assert_eq!((&listed["id"], &listed["attempts"]), (&json!(first.id()), &json!(2)));
    let made = get(&stage, &format!("/shop/messages/{}/attempts", listed["position"])).await;
    let statuses: Vec<_> = made["attempts"].as_array().unwrap().iter().map(|made| &made["status"]).collect();
    assert_eq!(statuses, [&json!(503), &json!(500)]);

    let other = post(&stage, "shop/replay", json!({"exhausted": {"kinds": ["order.closed"]}})).await;
    assert_eq!(other.json(), json!({"messages": 0}));
    let replayed = post(&stage, "shop/replay", json!({"exhausted": {"kinds": ["payment.*"]}})).await;
    assert_eq!(replayed.json(), json!({"messages": 1}));
    let third = receiver.call().await;
    assert_eq!((first.id(), &first.body), (third.id(), &third.body));
}

/// Asks until the dispatcher has written it: it settles after the call has ended here.
async fn exhausted(stage: &Stage) -> serde_json::Value {
    crate::wire::within("the end of the attempts", async {
        loop {
            let listed = get(stage, "/shop/messages?state=exhausted").await;
            if let Some(first) = listed["messages"].as_array().unwrap().first() {
                return first.clone();
            }
        }
    })
    .await
}

#[tokio::test]
async fn trap_events_to_a_disabled_endpoint_vanished() {
    let stage = Stage::with(at_home).await;
    let mut receiver = Receiver::open().await;
    put(&stage, "shop", json!({"url": receiver.url(), "secret": SECRET})).await;
    assert_eq!(post(&stage, "shop/disable", json!({})).await.json()["state"], "disabled");
    pay(&stage, 1).await;
    pay(&stage, 2).await;
    assert_eq!(post(&stage, "shop/enable", json!({})).await.json()["state"], "enabled");
    let ids = [receiver.call().await.id().to_owned(), receiver.call().await.id().to_owned()];
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn an_endpoint_that_says_it_is_gone_is_disabled_and_flows_again_once_it_is_enabled() {
    let stage = Stage::with(at_home).await;
    let mut receiver = Receiver::open().await;
    receiver.answer([410]);
    put(&stage, "shop", json!({"url": receiver.url(), "secret": SECRET})).await;
    pay(&stage, 1).await;
    let first = receiver.call().await;
    crate::wire::within("the end of the endpoint", async {
        while get(&stage, "/shop").await["state"] != "disabled_gone" {}
    })
    .await;
    post(&stage, "shop/enable", json!({})).await;
    assert_eq!(receiver.call().await.id(), first.id());
}

#[tokio::test]
async fn everything_since_a_time_or_a_position_is_sent_once_more() {
    let stage = Stage::with(at_home).await;
    let mut receiver = Receiver::open().await;
    put(&stage, "shop", json!({"url": receiver.url(), "secret": SECRET, "concurrency": 1})).await;
    for number in 1..=3 {
        stage.clock_seconds(wechatpay::UnixSeconds(NOW.0 + i64::from(number) * 200));
        stage.register(number).await;
        let mut paid = payment(number);
        paid.success_time = wechatpay::UnixSeconds(NOW.0 + i64::from(number) * 200);
        stage.store.ping().await.unwrap();
        let notice = stage.callback(paid);
        stage.clock_seconds(NOW);
        stage.ask(&notice).await.assert_acknowledged();
        receiver.call().await;
    }
    assert_eq!(post(&stage, "shop/replay", json!({"after": 1})).await.status, 200);
    let ids = [receiver.call().await.id().to_owned(), receiver.call().await.id().to_owned()];
    assert!(ids[0].contains("ORDER2") && ids[1].contains("ORDER3"), "{ids:?}");
    assert_eq!(
        post(&stage, "shop/replay", json!({"since": "2026-03-02T00:00:00Z"})).await.json(),
        json!({"messages": 3})
    );
    assert!(receiver.call().await.id().contains("ORDER1"));
    let late = post(&stage, "shop/replay", json!({"since": "2030-03-02T00:00:00Z"})).await;
    assert_eq!(late.json(), json!({"messages": 0}));
}

#[tokio::test]
async fn trap_the_secret_was_rotated_between_enqueue_and_send() {
    const NEW: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let stage = Stage::with(at_home).await;
    let mut receiver = Receiver::open().await;
    put(&stage, "shop", json!({"url": receiver.url(), "secret": SECRET})).await;
    post(&stage, "shop/disable", json!({})).await;
    pay(&stage, 1).await;
    assert_eq!(post(&stage, "shop/rotate", json!({"secret": NEW, "grace_seconds": 60})).await.status, 200);
    post(&stage, "shop/enable", json!({})).await;
    verified_at(&receiver.call().await, NOW.0, &[NEW, SECRET]);

    // What was written before the grace ended, and is sent after it, is signed by what counts then.
    post(&stage, "shop/disable", json!({})).await;
    pay(&stage, 2).await;
    stage.clock_seconds(wechatpay::UnixSeconds(NOW.0 + 60));
    post(&stage, "shop/enable", json!({})).await;
    verified_at(&receiver.call().await, NOW.0 + 60, &[NEW]);
}

#[tokio::test]
async fn a_node_whose_clock_jumps_dates_its_calls_by_it_and_keeps_the_schedule() {
    let stage = Stage::with(at_home).await;
    let mut receiver = Receiver::open().await;
    receiver.answer([500, 500, 204]);
    put(&stage, "shop", json!({"url": receiver.url(), "secret": SECRET, "schedule_seconds": [2, 2, 2]}))
        .await;
    pay(&stage, 1).await;
    let first = receiver.call().await;
    verified(&first);
    for hours in [5, -5] {
        stage.clock_seconds(wechatpay::UnixSeconds(NOW.0 + hours * 3600));
        let call = receiver.call().await;
        verified_at(&call, NOW.0 + hours * 3600, &[SECRET]);
        assert_eq!((first.id(), &first.body), (call.id(), &call.body));
    }
}
