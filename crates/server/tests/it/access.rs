//! Who may use the merchant's API: whoever sends one right key, once. Nobody else learns what is there.

use crate::{
    letter::Letter,
    stage::{API_KEY, OTHER_API_KEY, Stage, payment, registration},
};

/// Every route of the merchant's own.
fn routes() -> [Letter; 3] {
    [
        Letter::post("/v1/orders", registration(1).to_string()),
        Letter::get("/v1/orders/ORDER1"),
        Letter::get("/v1/messages"),
    ]
}

#[tokio::test]
async fn without_a_right_key_nothing_is_shown_and_nothing_done() {
    let stage = Stage::set().await;
    let bearer = format!("Bearer {API_KEY}");
    for route in routes() {
        let with = |values: &[&str]| {
            values.iter().fold(route.clone(), |letter, value| letter.and("authorization", *value))
        };
        for letter in [
            with(&[]),
            with(&[""]),
            with(&["Bearer "]),
            with(&[API_KEY]),
            with(&[&format!("Basic {API_KEY}")]),
            with(&[&format!("Bearer {}", &API_KEY[1..])]),
            with(&[&format!("Bearer {API_KEY}0")]),
            with(&[&bearer.replace('7', "8")]),
            // Which of two is meant, a proxy and payonce might see differently.
            with(&[&bearer, &bearer]),
            with(&[&bearer, "Bearer wrong"]),
        ] {
            let answer = stage.ask(&letter).await;
            assert_eq!((answer.status, &answer.json()["code"]), (401, &"PAY0001".into()), "{letter:?}");
            assert!(!answer.body.contains(API_KEY), "{answer:?}");
        }
    }
    assert_eq!(stage.struck().await.counts().await.orders, 0);
}

#[tokio::test]
async fn any_of_several_keys_opens() {
    let stage = Stage::set().await;
    for key in [API_KEY, OTHER_API_KEY] {
        let letter = Letter::get("/v1/messages").and("authorization", format!("Bearer {key}"));
        assert_eq!(stage.ask(&letter).await.status, 200);
    }
    let both = Letter::get("/v1/messages").and("authorization", format!("Bearer {OTHER_API_KEY} {API_KEY}"));
    assert_eq!(stage.ask(&both).await.status, 401);
}

/// WeChat has no key, and whoever watches has none either.
#[tokio::test]
async fn callbacks_and_status_need_no_key() {
    let stage = Stage::set().await;
    stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(stage.ask(&Letter::get(path)).await.status, 200, "{path}");
    }
}
