//! What a node sees itself: endpoints, exhausted messages, effects, refused callbacks.

use payonce_core::{
    delivery::Filter,
    effect::{SqlEffect, Statement, Step},
};
use payonce_server::config::{EffectSettings, Robot as Kind};
use serde_json::json;
use wechatpay::headers;

use super::{alerting, channel, robot::Robot};
use crate::{
    letter::Letter,
    receiver::Receiver,
    stage::{Stage, payment},
};

async fn endpoint(stage: &Stage, receiver: &Receiver, schedule: &[u64]) {
    let definition = json!({"url": receiver.url(), "schedule_seconds": schedule});
    let letter = Letter::post("/v1/endpoints/shop", definition.to_string()).method("PUT");
    assert_eq!(stage.api(letter.and("content-type", "application/json")).await.status, 201);
}

async fn pay(stage: &Stage, number: u32) {
    stage.register(number).await;
    stage.ask(&stage.callback(payment(number))).await.assert_acknowledged();
}

#[tokio::test]
async fn an_endpoint_that_fails_and_recovers_is_told_both_times() {
    let (mut robot, mut receiver) = (Robot::open().await, Receiver::open().await);
    let stage = Stage::with(alerting(vec![channel(Kind::Wecom, &robot)])).await;
    endpoint(&stage, &receiver, &[3600]).await;
    receiver.answer([500; 5]);
    for number in 1..=5 {
        pay(&stage, number).await;
        receiver.call().await;
    }
    let text = robot.told().await.text();
    for said in ["endpoint shop fails", "GET /v1/endpoints/shop", "node the node of this test"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    pay(&stage, 6).await;
    receiver.call().await;
    assert!(robot.told().await.text().contains("endpoint shop takes messages again"));
}

#[tokio::test]
async fn an_endpoint_that_is_disabled_is_told_with_what_to_do() {
    let (mut robot, receiver) = (Robot::open().await, Receiver::open().await);
    let stage = Stage::with(alerting(vec![channel(Kind::Wecom, &robot)])).await;
    endpoint(&stage, &receiver, &[3600]).await;
    receiver.answer([410]);
    pay(&stage, 1).await;
    let text = robot.told().await.text();
    assert!(
        text.contains("endpoint shop answered 410") && text.contains("POST /v1/endpoints/shop/enable"),
        "{text}"
    );
}

#[tokio::test]
async fn a_message_that_is_exhausted_is_told_with_its_id() {
    let (mut robot, receiver) = (Robot::open().await, Receiver::open().await);
    let stage = Stage::with(alerting(vec![channel(Kind::Wecom, &robot)])).await;
    endpoint(&stage, &receiver, &[1]).await;
    receiver.answer([500, 503]);
    pay(&stage, 1).await;
    let text = robot.told().await.text();
    assert!(text.contains("order:1900000001:ORDER1:1 (answered 503)") && text.contains("/replay"), "{text}");
}

#[tokio::test]
async fn an_effect_that_fails_is_told_with_its_reason() {
    let mut robot = Robot::open().await;
    let alerts = alerting(vec![channel(Kind::Wecom, &robot)]);
    let statement = Statement::parse("UPDATE shop_orders SET paid = 1 WHERE no = :out_trade_no").unwrap();
    let step = Step::new("here".to_owned(), statement, "1".parse().unwrap()).unwrap();
    let effect = SqlEffect::new("shop-paid".to_owned(), vec![step]);
    let on = Filter::parse(&["payment.succeeded"]).unwrap();
    let stage = Stage::with_tables("CREATE TABLE shop_orders (no TEXT, paid INTEGER)", |config, patience| {
        alerts(config, patience);
        config.effects.push(EffectSettings { on, effect });
    })
    .await;
    stage.register(1).await;
    assert_eq!(stage.ask(&stage.callback(payment(1))).await.status, 503);
    let text = robot.told().await.text();
    for said in
        ["effect shop-paid failed", "statement 1 touched 0 rows, expected 1", "GET /v1/effects/failures"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[tokio::test]
async fn many_refused_callbacks_are_told_and_wechats_probes_are_not() {
    let mut robot = Robot::open().await;
    let stage = Stage::with(alerting(vec![channel(Kind::Wecom, &robot)])).await;
    let genuine = stage.callback(payment(1));
    let probe = genuine.clone().with(headers::SIGNATURE, "WECHATPAY/SIGNTEST/AAAA");
    for _ in 0..20 {
        assert_eq!(stage.ask(&probe).await.status, 401);
    }
    robot.expect_quiet().await;
    let forged = genuine.with(headers::NONCE, "x");
    for _ in 0..10 {
        assert_eq!(stage.ask(&forged).await.status, 401);
    }
    let text = robot.told().await.text();
    for said in ["10 callbacks of merchant 1900000001", "signature_mismatch", "payonce doctor"] {
        assert!(text.contains(said), "{said}: {text}");
    }
}
