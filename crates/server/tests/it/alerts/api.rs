//! `POST /v1/alerts/test`: whether alerts arrive, and in which form.

use payonce_server::config::{Robot as Kind, RobotSecret};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use super::{
    alerting, channel,
    robot::{KEY, Robot, Says},
};
use crate::{
    letter::Letter,
    stage::{NOW, Stage},
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn test(stage: &Stage, query: &str) -> Value {
    let answer = stage.api(Letter::post(&format!("/v1/alerts/test{query}"), "")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["channels"].clone()
}

#[tokio::test]
async fn a_test_reaches_each_robot_in_its_own_form() {
    let mut robot = Robot::open().await;
    let secret = || Some(RobotSecret::new("SECthisisasecretofatest".to_owned()));
    let kinds = [
        ("wecom", Kind::Wecom),
        ("dingtalk", Kind::Dingtalk { secret: secret() }),
        ("feishu", Kind::Feishu { secret: secret() }),
    ];
    let channels = kinds.map(|(name, kind)| {
        let mut channel = channel(kind, &robot);
        channel.name = name.to_owned();
        channel
    });
    let stage = Stage::with(alerting(channels.into())).await;
    for name in ["wecom", "dingtalk", "feishu"] {
        let sent = json!([{"channel": name, "sent": true, "error": null}]);
        assert_eq!(test(&stage, &format!("?channel={name}")).await, sent);
        let told = robot.told().await;
        assert_eq!(told.header("content-type"), Some("application/json"));
        assert_eq!(told.header("webhook-id"), None, "a robot knows us by the URL");
        let text = if name == "feishu" {
            told.json()["content"]["text"].as_str().unwrap().to_owned()
        } else {
            told.text()
        };
        assert!(text.starts_with("[payonce] a test:") && text.contains("the node of this test"), "{text}");
        let query = told.uri.query().unwrap();
        let signed = format!(
            "key={KEY}&timestamp={}000&sign=PfKHk12nu%2BwDoGJtcac%2FH8TApWW49%2FQRU31CdQlIvAI%3D",
            NOW.0
        );
        assert_eq!(query, if name == "dingtalk" { signed } else { format!("key={KEY}") });
        assert_eq!(told.json()["sign"].is_string(), name == "feishu");
    }
    assert_eq!(test(&stage, "").await.as_array().unwrap().len(), 3);
    let sent = stage.metric("payonce_alerts_total{channel=\"wecom\",result=\"sent\"}").await;
    assert_eq!(sent.as_deref(), Some("2"));
}

#[tokio::test]
async fn a_webhook_verifies_by_the_standard_webhooks_scheme() {
    let mut robot = Robot::open().await;
    let key = payonce_dispatch::SigningKey::parse(SECRET).ok();
    let stage = Stage::with(alerting(vec![channel(Kind::Webhook { key }, &robot)])).await;
    assert_eq!(test(&stage, "").await[0]["sent"], true);
    let told = robot.told().await;
    let id = told.header("webhook-id").unwrap();
    let signed = Webhook::new(SECRET).unwrap().sign(id, NOW.0, &told.body).unwrap();
    assert_eq!(told.header("webhook-signature"), Some(signed.as_str()));
    assert!(id.starts_with("alert:"), "{id}");
    let body = told.json();
    assert_eq!((&body["type"], &body["data"]["count"]), (&json!("alert.test"), &json!(1)));
}

#[tokio::test]
async fn a_test_tells_why_it_did_not_get_through() {
    let mut robot = Robot::open().await;
    robot.says([Says::Code(93000), Says::Status(502), Says::Hangs]);
    let stage = Stage::with(alerting(vec![channel(Kind::Wecom, &robot)])).await;
    for why in [
        "it answered errcode 93000: told so by a test",
        "it answered 502",
        "timed_out: no answer within 300 ms",
    ] {
        let failed = json!([{"channel": "ops", "sent": false, "error": why}]);
        assert_eq!(test(&stage, "").await, failed);
        robot.told().await;
    }
    robot.expect_quiet().await;
    let mut slow = channel(Kind::Wecom, &robot);
    slow.per_minute = 1;
    let stage = stage.restarted_with(&[crate::stage::merchant()], alerting(vec![slow])).await;
    assert_eq!(test(&stage, "").await[0]["sent"], true);
    let error = test(&stage, "").await[0]["error"].as_str().unwrap().to_owned();
    assert!(error.starts_with("its rate is used up: ask again in "), "{error}");
}

#[tokio::test]
async fn addresses_are_judged_as_those_of_endpoints_are() {
    let mut robot = Robot::open().await;
    let home = alerting(vec![channel(Kind::Wecom, &robot)]);
    let stage = Stage::with(|config, patience| {
        home(config, patience);
        config.delivery.networks = payonce_dispatch::Networks::default();
    })
    .await;
    let error = test(&stage, "").await[0]["error"].as_str().unwrap().to_owned();
    assert!(error.starts_with("forbidden: "), "{error}");
    robot.expect_quiet().await;
}

#[tokio::test]
async fn a_test_of_nobody_is_refused() {
    let robot = Robot::open().await;
    let none = Stage::set().await;
    let one = Stage::with(alerting(vec![channel(Kind::Wecom, &robot)])).await;
    for (stage, query) in [(&none, ""), (&one, "?channel=other")] {
        let answer = stage.api(Letter::post(&format!("/v1/alerts/test{query}"), "")).await;
        assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("PAY0040")), "{query}");
    }
    assert_eq!(one.ask(&Letter::post("/v1/alerts/test", "")).await.status, 401);
}
