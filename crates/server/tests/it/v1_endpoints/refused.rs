//! What is no endpoint, and what cannot be called.

use serde_json::{Value, json};

use super::{at_home, get, post, put};
use crate::{
    letter::Letter,
    receiver::Receiver,
    stage::{Stage, payment},
};

#[tokio::test]
async fn without_a_sealing_key_there_are_no_endpoints() {
    let stage = Stage::set().await;
    let answer = put(&stage, "shop", json!({"url": "https://shop.example/"})).await;
    assert_eq!((answer.status, &answer.json()["code"]), (409, &json!("PAY0014")));
    assert_eq!(get(&stage, "").await, json!({"endpoints": []}));
}

#[tokio::test]
async fn each_field_that_cannot_be_is_named() {
    let stage = Stage::with(at_home).await;
    let with = |field: &str, value: Value| {
        let mut definition = json!({"url": "https://shop.example/"});
        definition[field] = value;
        definition
    };
    for (definition, says) in [
        (json!({}), "missing field `url`"),
        (with("url", json!("ftp://shop.example/")), "url: the URL does not begin with"),
        (with("url", json!("https://u:p@shop.example/")), "url: the URL holds a user or a password"),
        (with("kinds", json!([])), "kinds: the list of kinds is empty"),
        (with("kinds", json!(["a*b"])), "kinds: \"a*b\" is no kind"),
        (with("headers", json!({"x": "a\r\nb"})), "headers: "),
        (with("headers", json!({"host": "b"})), "headers: "),
        (with("headers", json!({"webhook-id": "b"})), "headers: "),
        (with("secret", json!("secret")), "secret: a signing key begins with whsec_"),
        (with("algorithm", json!("md5")), "algorithm: expected hmac-sha256 or ed25519"),
        (with("concurrency", json!(0)), "concurrency is 0; expected 1 to 1000"),
        (with("rate_per_second", json!(0)), "rate_per_second is 0"),
        (with("total_max_ms", json!(999_999)), "total_max_ms is 999999"),
        (with("schedule_seconds", json!([])), "schedule_seconds: 0 pauses"),
        (with("start", json!("then")), "start: expected"),
        (with("start", json!(-1)), "start: expected"),
        (with("retries", json!(3)), "unknown field `retries`"),
    ] {
        let answer = put(&stage, "shop", definition.clone()).await;
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert_eq!((answer.status, &answer.json()["code"]), (422, &json!("PAY0012")), "{definition}");
        assert!(message.contains(says), "{definition}: {message}");
    }
    assert_eq!(put(&stage, "Shop", json!({"url": "https://shop.example/"})).await.status, 422);
    assert_eq!(get(&stage, "").await, json!({"endpoints": []}), "nothing was made");
}

#[tokio::test]
async fn what_is_not_encrypted_is_an_endpoint_only_where_that_is_allowed() {
    let stage = Stage::with(|config, patience| {
        at_home(config, patience);
        config.delivery.unencrypted = false;
    })
    .await;
    let answer = put(&stage, "shop", json!({"url": "http://shop.example/"})).await;
    assert_eq!((answer.status, &answer.json()["code"]), (422, &json!("PAY0012")));
}

#[tokio::test]
async fn an_address_of_a_private_network_is_not_called_unless_it_is_listed() {
    let stage = Stage::with(|config, patience| {
        at_home(config, patience);
        config.delivery.networks = payonce_dispatch::Networks::default();
    })
    .await;
    let receiver = Receiver::open().await;
    put(&stage, "shop", json!({"url": receiver.url()})).await;
    stage.register(1).await;
    stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    let faults = crate::wire::within("an attempt", async {
        loop {
            let made = get(&stage, "/shop/messages/1/attempts").await["attempts"].clone();
            if made.as_array().is_some_and(|made| !made.is_empty()) {
                return made[0]["fault"].clone();
            }
        }
    })
    .await;
    assert_eq!(faults, "forbidden");
}

#[tokio::test]
async fn what_is_asked_of_an_endpoint_that_is_not_there_is_told() {
    let stage = Stage::with(at_home).await;
    for path in ["shop/enable", "shop/disable", "shop/rotate"] {
        let answer = post(&stage, path, json!({})).await;
        assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("PAY0013")), "{path}");
    }
    assert_eq!(post(&stage, "shop/replay", json!({"after": 0})).await.status, 404);
    assert_eq!(stage.api(Letter::get("/v1/endpoints/shop/messages?state=pending")).await.status, 404);
    put(&stage, "shop", json!({"url": "https://shop.example/"})).await;
    for body in
        [json!({}), json!({"since": "yesterday"}), json!({"exhausted": {"kinds": []}}), json!({"all": 1})]
    {
        assert_eq!(post(&stage, "shop/replay", body.clone()).await.status, 422, "{body}");
    }
    assert_eq!(stage.api(Letter::get("/v1/endpoints/shop/messages?state=lost")).await.status, 400);
}
