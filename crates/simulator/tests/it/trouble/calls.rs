//! What a caller of the API sees: failures before the effect and after it, silence, answers that do not verify.

use std::pin::Pin;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use wechatpay::answer::Answer;
use wechatpay::{PlatformKey, PlatformKeys};

use super::troubled;
use crate::fixture::NOW;
use crate::shop::Shop;

impl Shop {
    fn url_of(&self, number: &str) -> String {
        format!("/v3/pay/transactions/out-trade-no/{number}?mchid={}", self.mchid)
    }

    /// The error of a call whose connection breaks.
    async fn broken(&self, method: &str, url: &str, body: &str) -> hyper::Error {
        let stream = TcpStream::connect(self.simulator.addr()).await.unwrap();
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = self.request(method, url, body).map(|body| Full::new(Bytes::from(body)));
        match sender.send_request(request).await {
            Err(error) => error,
            Ok(response) => panic!("it was answered: {:?}", response.into_body().collect().await),
        }
    }

    /// A call whose answer is waited for beside others.
    pub(crate) async fn ask(&self, method: &str, url: &str) -> Asked {
        let stream = TcpStream::connect(self.simulator.addr()).await.unwrap();
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = self.request(method, url, "").map(|body| Full::new(Bytes::from(body)));
        Box::pin(async move { sender.send_request(request).await })
    }

    /// Others are answered meanwhile, and it is not.
    pub(crate) async fn until_asked(&self, answer: &mut Asked) {
        for _ in 0..3 {
            tokio::select! {
                biased;
                answered = &mut *answer => panic!("{answered:?}"),
                clock = self.sim("GET /_sim/clock", Value::Null) => assert_eq!(clock["pace"], "by_hand"),
            }
        }
    }
}

/// An answer that is on its way.
pub(crate) type Asked = Pin<Box<dyn Future<Output = hyper::Result<Response<Incoming>>>>>;

const PREPAY: &str = "/v3/pay/transactions/jsapi";

#[tokio::test]
async fn a_call_fails_and_nothing_is_done() {
    for (status, code) in [(500, "SYSTEM_ERROR"), (503, "SERVICE_UNAVAILABLE"), (429, "FREQUENCY_LIMITED")] {
        let scenario = format!(
            "[[calls]]\nwhen = {{ path = \"{PREPAY}\", times = 1 }}\ndo = {{ fails = {{ status = {status} }} }}"
        );
        let shop = troubled(&scenario).await;
        let answered = shop.post(PREPAY, &shop.order("ORDER1")).await;
        assert_eq!((answered.status, &answered.json()["code"]), (status, &json!(code)));
        assert_eq!(shop.get(&shop.url_of("ORDER1")).await.status, 404, "nothing was done");
        shop.place("ORDER1").await;
    }
}

/// The trap of refunds that were done and repeated under a new number: a lost answer says nothing.
#[tokio::test]
async fn an_answer_is_lost_and_everything_is_done() {
    for (loss, status) in [("{ status = 502 }", Some(502)), ("\"broken\"", None)] {
        let scenario =
            format!("[[calls]]\nwhen = {{ path = \"{PREPAY}\" }}\ndo = {{ loses_answer = {loss} }}");
        let shop = troubled(&scenario).await;
        match status {
            Some(status) => {
                assert_eq!(shop.post(PREPAY, &shop.order("ORDER1")).await.status, status);
            }
            None => {
                let error = shop.broken("POST", PREPAY, &shop.order("ORDER1").to_string()).await;
                assert!(error.is_incomplete_message(), "{error:?}");
            }
        }
        let queried = shop.get(&shop.url_of("ORDER1")).await;
        assert_eq!(queried.json()["trade_state"], "NOTPAY", "the order is there");
    }
}

#[tokio::test]
async fn a_connection_breaks_before_anything_is_done() {
    let shop = troubled("[[calls]]\nwhen = { method = \"post\" }\ndo = { fails = \"broken\" }").await;
    let error = shop.broken("POST", PREPAY, &shop.order("ORDER1").to_string()).await;
    assert!(error.is_incomplete_message(), "{error:?}");
    assert_eq!(shop.get(&shop.url_of("ORDER1")).await.status, 404);
}

/// No answer comes as long as the simulation lasts; its end is not held up by it.
#[tokio::test]
async fn a_call_is_never_answered() {
    let shop =
        troubled("[[calls]]\nwhen = { path = \"/v3/certificates\" }\ndo = { fails = \"silent\" }").await;
    let mut answer = shop.ask("GET", "/v3/certificates").await;
    shop.until_asked(&mut answer).await;
    let rules = shop.sim("GET /_sim/trouble", Value::Null).await;
    assert_eq!(rules["calls"][0]["hits"], 1);
    shop.simulator.stop().await;
    assert!(answer.await.unwrap_err().is_incomplete_message());
}

#[tokio::test]
async fn an_answer_comes_slowly() {
    let shop = troubled("[[calls]]\ndo = { slow = { millis = 150 } }").await;
    let started = tokio::time::Instant::now();
    shop.place("ORDER1").await;
    assert!(started.elapsed().as_millis() >= 150);
}

/// A client discards such an answer and asks again.
#[tokio::test]
async fn an_answer_does_not_verify() {
    for change in ["signature_probe", "signature_changed", "unsigned", "serial_unknown", "body_changed"] {
        let scenario = format!("[[calls]]\nwhen = {{ times = 1 }}\ndo = {{ answer = \"{change}\" }}");
        let shop = troubled(&scenario).await;
        let verified = async || {
            let answered = shop.post(PREPAY, &shop.order("ORDER1")).await;
            assert_eq!(answered.status, 200);
            let key = shop.ring.public_key().unwrap();
            let key = PlatformKey::from_public_key_pem(key.serial(), key.public_key_pem()).unwrap();
            let headers = answered.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            let answer = Answer::parse(answered.status, headers, &answered.body).ok();
            answer.is_some_and(|answer| answer.verify(&PlatformKeys::new([key]), NOW).is_ok())
        };
        assert!(!verified().await, "{change}");
        assert!(verified().await, "{change}: the next one is genuine");
    }
}

#[tokio::test]
async fn calls_are_chosen_by_merchant_order_and_number() {
    for (when, hit) in [
        ("order = \"ORDER2\"", [false, true, false]),
        ("order = \"ORDER*\", nth = 3", [false, false, true]),
        ("every = 2", [false, true, false]),
        ("merchant = \"1\"", [false; 3]),
        ("method = \"GET\"", [false; 3]),
        ("path = \"/v3/pay/transactions/*\", times = 2", [true, true, false]),
    ] {
        let shop =
            troubled(&format!("[[calls]]\nwhen = {{ {when} }}\ndo = {{ fails = {{ status = 500 }} }}")).await;
        let mut seen = Vec::new();
        for number in ["ORDER1", "ORDER2", "ORDER3"] {
            seen.push(shop.post(PREPAY, &shop.order(number)).await.status == 500);
        }
        assert_eq!(seen, hit, "{when}");
    }
}

/// The same shape as a notice's.
#[tokio::test]
async fn a_probe_of_an_answer_is_nothing_without_its_beginning() {
    let shop = troubled("[[calls]]\nwhen = { times = 1 }\ndo = { answer = \"signature_probe\" }").await;
    let probe = shop.post(PREPAY, &shop.order("ORDER1")).await;
    let signature = probe.header("wechatpay-signature").unwrap();
    assert!(STANDARD.decode(signature).is_err());
    let mut stripped = probe.headers.clone();
    let rest = signature.strip_prefix("WECHATPAY/SIGNTEST/").unwrap();
    stripped.insert("wechatpay-signature", rest.parse().unwrap());
    let key = shop.ring.public_key().unwrap();
    let key = PlatformKey::from_public_key_pem(key.serial(), key.public_key_pem()).unwrap();
    let headers = stripped.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let answer = Answer::parse(probe.status, headers, &probe.body).unwrap();
    answer.verify(&PlatformKeys::new([key]), NOW).unwrap_err();
}

/// What waits is answered when the simulation ends, instead of after ten minutes.
#[tokio::test]
async fn a_slow_answer_does_not_hold_up_the_end() {
    let shop = troubled("[[calls]]\ndo = { slow = { millis = 600000 } }").await;
    let mut answer = shop.ask("GET", &shop.url_of("ORDER1")).await;
    shop.until_asked(&mut answer).await;
    shop.simulator.stop().await;
    assert_eq!(answer.await.unwrap().status(), 404);
}

/// Time stands, and goes on by itself only while nobody has anything to do.
#[tokio::test]
async fn a_request_that_never_ends_holds_up_the_end_for_five_seconds() {
    let shop = Shop::open().await;
    let mut stream = TcpStream::connect(shop.simulator.addr()).await.unwrap();
    stream
        .write_all(b"POST /v3/pay/transactions/jsapi HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n")
        .await
        .unwrap();
    let rules = shop.sim("GET /_sim/trouble", Value::Null).await;
    assert_eq!(rules["calls"], json!([]));
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    shop.simulator.stop().await;
    assert_eq!(started.elapsed().as_secs(), 5);
}

/// Each part of WeChat fails in its own words.
#[tokio::test]
async fn the_login_fails_in_json() {
    let shop = troubled("[[calls]]\ndo = { fails = { status = 500 } }").await;
    let answered =
        shop.get("/sns/jscode2session?appid=wx1&secret=s&js_code=c&grant_type=authorization_code").await;
    assert_eq!((answered.status, answered.json()), (500, json!({ "errcode": -1, "errmsg": "system error" })));
}
