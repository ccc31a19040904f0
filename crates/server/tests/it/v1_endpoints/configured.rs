//! Endpoints that the configuration defines: at the start, when it changes, by several nodes; and what the API may not do.

use std::sync::Arc;

use payonce_core::{
    Store as _,
    delivery::{Endpoint, EndpointName, EndpointUrl, Filter, Sealed, Settings},
    store::delivery::{EndpointView, Start},
};
use payonce_dispatch::{SealingKeys, Secrets, Signer, SigningKey};
use payonce_server::{
    EndpointsError, Patience,
    config::{Config, EndpointSettings, Place},
};
use serde_json::json;
use standardwebhooks::Webhook;

use super::{OTHER_SEALING_KEY, SEALING_KEY, at_home, get, post, put};
use crate::{
    letter::Letter,
    receiver::Receiver,
    stage::{NOW, Stage, merchant, payment},
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// As it comes of a configuration in which it stands on line 12.
fn endpoint(name: &str, url: &str, secrets: &[&str]) -> EndpointSettings {
    let signers = secrets.iter().map(|secret| Signer::lasting(SigningKey::parse(secret).unwrap()));
    EndpointSettings {
        name: EndpointName::parse(name).unwrap(),
        place: Place::File { path: "payonce.toml".into(), line: 12, column: 1 },
        endpoint: Endpoint {
            url: EndpointUrl::parse(url).unwrap(),
            filter: Filter::all(),
            ordered: false,
            settings: Settings { is_configured: true, ..Settings::default() },
            sealed: Sealed(Vec::new()),
        },
        secrets: Secrets::new(signers.collect(), Vec::new(), None).unwrap(),
        start: Start::Now,
    }
}

fn shop() -> EndpointSettings {
    endpoint("shop", "https://shop.example/a", &[SECRET])
}

/// A configuration with these endpoints, by which receivers on the loopback may be called.
fn with(endpoints: &[EndpointSettings]) -> impl FnOnce(&mut Config, &mut Patience) + use<> {
    let endpoints = endpoints.to_vec();
    |config, patience| {
        at_home(config, patience);
        config.endpoints = endpoints;
    }
}

async fn kept(stage: &Stage) -> Vec<EndpointView> {
    stage.store.deliveries().endpoints().await.unwrap()
}

#[tokio::test]
async fn messages_go_to_it_signed_by_each_of_its_keys() {
    let mut receiver = Receiver::open().await;
    let stage = Stage::with(with(&[endpoint("shop", &receiver.url(), &[SECRET, OLD_SECRET])])).await;
    stage.register(1).await;
    stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    let call = receiver.call().await;
    let sign = |secret: &str| Webhook::new(secret).unwrap().sign(call.id(), NOW.0, &call.body).unwrap();
    assert_eq!(call.header("webhook-signature"), format!("{} {}", sign(SECRET), sign(OLD_SECRET)));
}

#[tokio::test]
async fn the_api_shows_and_switches_it_but_does_not_define_it() {
    let stage = Stage::with(with(&[shop()])).await;
    let shown = get(&stage, "/shop").await;
    assert_eq!(
        (&shown["defined_by"], &shown["url"]),
        (&json!("configuration"), &json!("https://shop.example/a"))
    );
    let remove = stage.api(Letter::get("/v1/endpoints/shop").method("DELETE"));
    for refused in [
        put(&stage, "shop", json!({"url": "https://shop.example/b"})).await,
        post(&stage, "shop/rotate", json!({})).await,
        remove.await,
    ] {
        assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("PAY0021")));
        let message = refused.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains("defined in the configuration (payonce.toml:12:1)"), "{message}");
    }
    assert_eq!(post(&stage, "shop/disable", json!({})).await.json()["state"], "disabled");
    assert_eq!(post(&stage, "shop/replay", json!({"after": 0})).await.status, 200);
    assert_eq!(post(&stage, "shop/enable", json!({})).await.json()["state"], "enabled");
    let other = put(&stage, "other", json!({"url": "https://shop.example/b"})).await;
    assert_eq!((other.status, &other.json()["defined_by"]), (201, &json!("api")));
}

#[tokio::test]
async fn a_restart_writes_what_differs_and_nothing_else() {
    let stage = Stage::with(with(&[shop(), endpoint("till", "https://till.example/", &[SECRET])])).await;
    post(&stage, "shop/disable", json!({})).await;
    let before = kept(&stage).await;
    let same = with(&[endpoint("till", "https://till.example/", &[SECRET]), shop()]);
    let stage = stage.restarted_with(&[merchant()], same).await;
    assert_eq!(kept(&stage).await, before, "sealed once, by one nonce");

    let mut changed = shop();
    changed.endpoint.ordered = true;
    changed.start = Start::After(payonce_core::store::Position(0));
    let till = endpoint("till", "https://till.example/", &[OLD_SECRET, SECRET]);
    let stage = stage.restarted_with(&[merchant()], with(&[changed, till])).await;
    let after = kept(&stage).await;
    assert!(after[0].endpoint.ordered);
    assert_eq!(after[0].endpoint.url, before[0].endpoint.url);
    assert_eq!((after[0].id, after[0].state), (before[0].id, before[0].state), "it stays disabled");
    assert_ne!(after[1].endpoint.sealed, before[1].endpoint.sealed);
    assert_eq!(get(&stage, "/till").await["keys"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn one_that_is_gone_from_the_configuration_stays_and_is_the_apis_until_it_comes_back() {
    let stage = Stage::with(with(&[shop()])).await;
    let before = kept(&stage).await;
    stage.configure_endpoints(&[]).await.unwrap();
    let shown = get(&stage, "/shop").await;
    assert_eq!((&shown["defined_by"], &shown["state"]), (&json!("api"), &json!("enabled")));
    assert_eq!(kept(&stage).await[0].endpoint.sealed, before[0].endpoint.sealed, "with its secrets");
    let defined = put(&stage, "shop", json!({"url": "https://shop.example/b"})).await;
    assert_eq!((defined.status, &defined.json()["secret"]), (200, &json!(null)));

    stage.configure_endpoints(&[shop()]).await.unwrap();
    let shown = get(&stage, "/shop").await;
    assert_eq!(
        (&shown["defined_by"], &shown["url"]),
        (&json!("configuration"), &json!("https://shop.example/a"))
    );
    assert_eq!(kept(&stage).await[0].id, before[0].id);
}

#[tokio::test]
async fn what_has_no_way_is_refused_and_nothing_changes() {
    let stage = Stage::with(with(&[shop()])).await;
    let before = kept(&stage).await;
    let good = endpoint("till", "https://till.example/", &[SECRET]);
    let unsigned = endpoint("unsigned", "https://shop.example/", &[]);
    let refused = stage.configure_endpoints(&[good, unsigned]).await.unwrap_err();
    assert!(matches!(refused, EndpointsError::NoWay { .. }), "{refused}");
    let text = refused.to_string();
    assert!(
        text.starts_with("payonce.toml:12:1: endpoint unsigned: the endpoint has no signing key"),
        "{text}"
    );
    assert_eq!(kept(&stage).await, before);
}

#[tokio::test]
async fn secrets_are_sealed_anew_once_the_sealing_key_is_another() {
    let stage = Stage::with(with(&[shop()])).await;
    let before = kept(&stage).await;
    let keys = Arc::new(SealingKeys::parse(&format!("{OTHER_SEALING_KEY}\n{SEALING_KEY}\n")).unwrap());
    let sealing = Arc::clone(&keys);
    let configured = with(&[shop()]);
    let stage = stage
        .restarted_with(&[merchant()], move |config, patience| {
            configured(config, patience);
            config.delivery.sealing_keys = Some(sealing);
        })
        .await;
    let after = kept(&stage).await;
    assert!(!keys.is_of_newest(&before[0].endpoint.sealed) && keys.is_of_newest(&after[0].endpoint.sealed));
    assert_eq!(get(&stage, "/shop").await["trouble"], json!(null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_with_the_same_configuration_come_to_the_same_and_stay_there() {
    let stage = Stage::with(at_home).await;
    let wanted = [shop()];
    let (one, two) = tokio::join!(stage.second_node(with(&wanted)), stage.configure_endpoints(&wanted));
    two.unwrap();
    let before = kept(&stage).await;
    assert_eq!(before.len(), 1);
    stage.configure_endpoints(&[shop()]).await.unwrap();
    one.stop().await;
    let again = stage.second_node(with(&[shop()])).await;
    assert_eq!(kept(&stage).await, before, "nobody writes it again");
    again.stop().await;
}
