//! Keys that never fail a callback: they are shown, changed while the server runs, and asked for when one is missing.

use std::sync::Arc;

use payonce_server::{
    Patience,
    config::{Config, SigningPair},
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::timeout,
};
use wechatpay::{ApiV3Key, MerchantCertificate, MerchantKey};
use wechatpay_client::Hosts;

use crate::{
    letter::Letter,
    stage::{MCHID, Stage, merchant, payment, platform},
    wire::{QUIET, within},
};

/// Made by `scripts/make-vectors.py`.
fn signing_pair() -> SigningPair {
    let keys: Value =
        serde_json::from_str(include_str!("../../../wechatpay/tests/vectors/keys.json")).expect("JSON");
    let pem = |name: &str| keys["merchant"][name].as_str().expect("PEM").to_owned();
    let certificate = MerchantCertificate::from_pem(&pem("certificate_pem")).expect("a certificate");
    let key = MerchantKey::from_pkcs8_pem(certificate.serial().as_str(), &pem("private_pem"));
    SigningPair { certificate, key: Arc::new(key.expect("a key")) }
}

async fn keys(stage: &Stage) -> Value {
    stage.api(Letter::get("/v1/keys")).await.json()
}

#[tokio::test]
async fn what_each_key_proved_is_shown() {
    let stage = Stage::set().await;
    let id = platform().serial();
    for number in [1, 1, 2] {
        stage.ask(&stage.callback(payment(number))).await.assert_acknowledged();
    }
    stage.ask(&stage.callback(payment(3)).without("wechatpay-nonce")).await.assert_refused(401, "missing");
    let shown = keys(&stage).await;
    let [merchant] = shown["merchants"].as_array().unwrap().as_slice() else { panic!("{shown}") };
    assert_eq!((&merchant["mchid"], &merchant["refresh"]), (&MCHID.into(), &Value::Null));
    let key = &merchant["keys"][0];
    assert_eq!(
        (&key["serial"], &key["kind"], &key["source"]),
        (&id.into(), &"public_key".into(), &"configured".into())
    );
    assert_eq!((&key["callbacks"], &key["callbacks_percent"]), (&3.into(), &100.into()));
    assert_eq!((&key["answers"], &key["expires"]), (&0.into(), &Value::Null));
    for (of, expected) in [("callback", "3"), ("answer", "0")] {
        let line = format!("payonce_platform_key_uses{{merchant=\"{MCHID}\",serial=\"{id}\",of=\"{of}\"}}");
        assert_eq!(stage.metric(&line).await.as_deref(), Some(expected));
    }
}

/// The merchant's APIv3 key is mended, and no request is dropped for it; what was counted goes on.
#[tokio::test]
async fn merchants_and_keys_are_changed_while_the_server_runs() {
    let mut good = None;
    let stage = Stage::with(|config: &mut Config, _: &mut Patience| {
        good = Some(config.clone());
        config.merchants[0].apiv3_key = ApiV3Key::new("apiv3KeyThatNobodyHasEverUsed012").unwrap();
    })
    .await;
    stage.ask(&stage.callback(payment(1))).await.assert_refused(500, "was the key reset");
    stage.reload(good.clone().unwrap());
    stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    // What did not open was proven, too, as often as it was looked at.
    let proved = keys(&stage).await["merchants"][0]["keys"][0]["callbacks"].as_u64();
    assert!(proved >= Some(2), "{proved:?}");
    // A merchant that is no longer configured is unknown.
    let mut none = good.unwrap();
    none.merchants.clear();
    stage.reload(none);
    stage.ask(&stage.callback(payment(2))).await.assert_refused(400, "no merchant");
}

/// A reload is no reason to ask WeChat Pay again within the minute, nor to forget what it said.
#[tokio::test]
async fn a_reload_keeps_what_is_known_of_the_refreshing() {
    const ANSWER: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 30\r\nconnection: close\r\n\r\n{\"code\":\"RESOURCE_NOT_EXISTS\"}";
    let wechat = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hosts = Hosts::all_at(&format!("http://{}", wechat.local_addr().unwrap())).unwrap();
    let mut good = None;
    let stage = Stage::with(|config: &mut Config, _: &mut Patience| {
        config.merchants[0].certificate = Some(signing_pair());
        config.wechat.hosts = hosts;
        good = Some(config.clone());
    })
    .await;
    let unknown =
        stage.callback(payment(1)).with("wechatpay-serial", "PUB_KEY_ID_0119000000009999999999999999999999");
    let known = async || keys(&stage).await["merchants"][0]["refresh"]["without_certificates"].clone();

    stage.ask(&unknown).await.assert_refused(401, "no valid platform key has the serial");
    let (mut socket, _) = within("the question for certificates", wechat.accept()).await.unwrap();
    assert!(socket.read(&mut [0; 4096]).await.unwrap() > 0);
    socket.write_all(ANSWER.as_bytes()).await.unwrap();
    within("what was answered", async { while known().await != true {} }).await;

    stage.reload(good.unwrap());
    assert_eq!(known().await, true);
    stage.ask(&unknown).await.assert_refused(401, "no valid platform key has the serial");
    let again = timeout(QUIET, wechat.accept()).await;
    assert!(again.is_err(), "it was asked a moment ago");
}

/// What is under way while the merchants change is answered: a callback that stands before its commit, and one of which
/// only the head has come.
#[tokio::test]
async fn a_reload_drops_no_request_that_is_under_way() {
    let mut config = None;
    let stage = Stage::with(|given: &mut Config, _: &mut Patience| config = Some(given.clone())).await;
    let config = config.unwrap();
    let (committing, begun) = (stage.callback(payment(1)), stage.callback(payment(2)));
    stage.store.close_gate();
    let (mut first, mut second) = (stage.wire().await, stage.wire().await);
    first.send(committing.bytes()).await;
    stage.store.at_gate(1).await;
    second.send(begun.head(&[("content-length", &begun.body.len().to_string())])).await;

    let mut other_key = config.clone();
    other_key.merchants[0].apiv3_key = ApiV3Key::new("apiv3KeyThatNobodyHasEverUsed012").unwrap();
    for config in [other_key, config] {
        stage.reload(config);
    }
    second.send(&begun.body).await;
    stage.store.open_gate();
    first.answer().await.assert_acknowledged();
    second.answer().await.assert_acknowledged();
    // Connections stay as well.
    first.ask(&committing).await.assert_acknowledged();
    assert_eq!(stage.counts().await.payments, 2);
}

/// The grey switch: a serial that nobody knows is refused at once, and the certificates are asked for beside it. Elsewhere
/// they were downloaded while WeChat waited its 5 s. Here WeChat does not even take the question before it has its answer.
#[tokio::test]
async fn trap_certificates_are_not_downloaded_while_a_callback_waits() {
    let wechat = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hosts = Hosts::all_at(&format!("http://{}", wechat.local_addr().unwrap())).unwrap();
    let stage = Stage::with(move |config: &mut Config, _: &mut Patience| {
        config.merchants[0].certificate = Some(signing_pair());
        config.wechat.hosts = hosts;
    })
    .await;
    let letter =
        stage.callback(payment(1)).with("wechatpay-serial", "PUB_KEY_ID_0119000000009999999999999999999999");
    stage.ask(&letter).await.assert_refused(401, "no valid platform key has the serial");
    let asked = async {
        let (mut socket, _) = wechat.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let len = socket.read(&mut head).await.unwrap();
        String::from_utf8(head[..len].to_vec()).unwrap()
    };
    let head = within("the question for certificates", asked).await;
    assert!(head.starts_with("GET /v3/certificates HTTP/1.1"), "{head}");
    assert!(head.contains(&format!("mchid=\"{}\"", merchant().mchid())), "{head}");
    assert_eq!(keys(&stage).await["merchants"][0]["refresh"]["without_certificates"], false);
}
