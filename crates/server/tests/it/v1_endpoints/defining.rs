//! Endpoints are defined, shown and removed; secrets go in and do not come out.

use serde_json::json;

use super::{OTHER_SEALING_KEY, SEALING_KEY, at_home, get, post, put};
use crate::{
    letter::Letter,
    stage::{Stage, merchant},
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[tokio::test]
async fn an_endpoint_is_shown_as_it_was_defined_but_for_its_secrets() {
    let stage = Stage::with(at_home).await;
    let definition = json!({
        "url": "https://shop.example/hook", "kinds": ["payment.*", "order.closed"], "ordered": true,
        "headers": {"authorization": "Bearer rSx7", "x-shop": "1"}, "secret": SECRET, "concurrency": 3,
        "rate_per_second": 50, "connect_max_ms": 1000, "total_max_ms": 2000, "schedule_seconds": [1, 60],
        "failing_max_seconds": 3600, "start": 0,
    });
    let answer = put(&stage, "shop", definition).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    assert_eq!(answer.json()["secret"], SECRET, "shown to whoever just wrote it");
    let shown = get(&stage, "/shop").await;
    assert!(!shown.to_string().contains("rSx7") && !shown.to_string().contains("MfKQ"), "{shown}");
    for (field, value) in [
        ("url", json!("https://shop.example/hook")),
        ("kinds", json!(["payment.*", "order.closed"])),
        ("ordered", json!(true)),
        ("state", json!("enabled")),
        ("trouble", json!(null)),
        ("headers", json!(["authorization", "x-shop"])),
        ("has_login", json!(false)),
        ("concurrency", json!(3)),
        ("rate_per_second", json!(50)),
        ("schedule_seconds", json!([1, 60])),
        ("keys", json!([{"algorithm": "hmac-sha256", "public_key": null, "until": null}])),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    assert_eq!(get(&stage, "").await["endpoints"], json!([shown]));
}

#[tokio::test]
async fn what_is_left_out_stays_secret_and_the_rest_begins_anew() {
    let stage = Stage::with(at_home).await;
    let first = json!({"url": "https://shop.example/a", "headers": {"x-shop": "1"}, "concurrency": 3});
    let first = put(&stage, "shop", first).await.json();
    assert!(first["secret"].as_str().unwrap().starts_with("whsec_"), "one is made");
    let second = put(&stage, "shop", json!({"url": "https://shop.example/b"})).await;
    assert_eq!(second.status, 200);
    let second = second.json();
    assert_eq!((&second["secret"], &second["headers"]), (&json!(null), &json!(["x-shop"])));
    assert_eq!((&second["url"], &second["concurrency"]), (&json!("https://shop.example/b"), &json!(16)));
}

#[tokio::test]
async fn a_rotation_lets_both_keys_sign_until_its_grace_ends() {
    let stage = Stage::with(at_home).await;
    put(&stage, "shop", json!({"url": "https://shop.example/a", "algorithm": "ed25519"})).await;
    let rotated = post(&stage, "shop/rotate", json!({"grace_seconds": 60})).await.json();
    assert!(rotated["secret"].as_str().unwrap().starts_with("whsk_"), "of the same kind");
    assert!(rotated["public_key"].as_str().unwrap().starts_with("whpk_"));
    let keys = get(&stage, "/shop").await["keys"].clone();
    assert_eq!((&keys[0]["until"], &keys[1]["until"]), (&json!(null), &json!("2026-03-02T01:16:07.000Z")));
    stage.clock_seconds(wechatpay::UnixSeconds(crate::stage::NOW.0 + 60));
    assert_eq!(get(&stage, "/shop").await["keys"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn two_rotations_at_the_same_time_are_both_kept() {
    let stage = Stage::with(at_home).await;
    put(&stage, "shop", json!({"url": "https://shop.example/a"})).await;
    let rotation = || post(&stage, "shop/rotate", json!({}));
    let (one, two) = tokio::join!(rotation(), rotation());
    assert_eq!((one.status, two.status), (200, 200));
    assert_eq!(get(&stage, "/shop").await["keys"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_removed_endpoint_is_gone_and_its_name_is_free() {
    let stage = Stage::with(at_home).await;
    put(&stage, "shop", json!({"url": "https://shop.example/a", "headers": {"x-old": "1"}})).await;
    let remove = || stage.api(Letter::get("/v1/endpoints/shop").method("DELETE"));
    assert_eq!(remove().await.status, 204);
    assert_eq!(remove().await.status, 404);
    let anew = put(&stage, "shop", json!({"url": "https://shop.example/b"})).await;
    assert_eq!((anew.status, &anew.json()["headers"]), (201, &json!([])));
}

#[tokio::test]
async fn secrets_open_as_long_as_their_key_is_there_and_say_so_when_it_is_not() {
    let stage = Stage::with(at_home).await;
    put(&stage, "shop", json!({"url": "https://shop.example/a"})).await;
    let keys = |text: String| {
        move |config: &mut payonce_server::config::Config, patience: &mut payonce_server::Patience| {
            at_home(config, patience);
            let keys = payonce_dispatch::SealingKeys::parse(&text).unwrap();
            config.delivery.sealing_keys = Some(std::sync::Arc::new(keys));
        }
    };
    let both = keys(format!("{OTHER_SEALING_KEY}\n{SEALING_KEY}\n"));
    let stage = stage.restarted_with(&[merchant()], both).await;
    assert_eq!(get(&stage, "/shop").await["trouble"], json!(null));
    let stage = stage.restarted_with(&[merchant()], keys(OTHER_SEALING_KEY.to_owned())).await;
    let trouble = get(&stage, "/shop").await["trouble"].clone();
    let unknown = "that is not there (any more, or not yet: start this node anew with it)";
    assert!(trouble.as_str().unwrap().contains(unknown), "{trouble}");
    let mended = put(&stage, "shop", json!({"url": "https://shop.example/a", "secret": SECRET})).await;
    assert_eq!((mended.status, &mended.json()["trouble"]), (200, &json!(null)));
}
