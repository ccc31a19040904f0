//! What is sent, what is believed, what is repeated.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::{Value, json};
use wechatpay::answer::AnswerError;
use wechatpay::api::{AnyCall, Call, CloseOrder, Merchant, Operation, OrderNumber, QueryOrder, UploadFile};
use wechatpay::{ApiV3Key, MerchantKey, PlatformKey, RequestToSign, UnixSeconds};
use wechatpay_client::{
    Account, Client, ClientError, Environment, Hosts, KeyRing, NotSent, Transport, Unknown,
};

use crate::wechat::{
    Asked, MCHID, NOW, PATH, Reply, Spoilt, Wechat, call, certificate, certificates, client, client_of, cut,
    good, keys, patience, public_key, transport,
};

async fn ask(wechat: &Wechat, operation: Operation) -> Result<String, ClientError> {
    let answer = client(wechat).send(&call(operation)).await?;
    Ok(String::from_utf8(answer).expect("a test's own data are good"))
}

/// Everything that WeChat Pay checks: the signature over exactly the bytes that came, and the headers it insists on.
#[tokio::test]
async fn what_is_sent_is_what_was_signed() {
    let wechat = Wechat::plays([good()]).await;
    assert_eq!(ask(&wechat, Operation::Query).await.unwrap(), r#"{"ok":true}"#);
    let asked = &wechat.asked()[0];
    assert!(asked.head.starts_with(&format!("POST {PATH} HTTP/1.1")), "{}", asked.head);
    assert_eq!(asked.body, r#"{"a":1}"#);
    assert_eq!(asked.header("accept"), Some("application/json"));
    assert_eq!(asked.header("content-type"), Some("application/json"));
    assert!(asked.header("user-agent").unwrap().starts_with("payonce-wechatpay-client/"));
    assert_eq!(asked.header("wechatpay-serial"), keys()["public_key"]["id"].as_str());

    assert_signed(asked, PATH, asked.body.as_bytes());
}

/// The `Authorization` of a request is the merchant's signature over this.
fn assert_signed(asked: &Asked, url: &str, body: &[u8]) {
    let authorization = asked.header("authorization").expect("it is signed");
    let part = |name: &str| {
        let (_, rest) = authorization.split_once(&format!("{name}=\"")).expect("it has every part");
        rest.split('"').next().unwrap_or_default().to_owned()
    };
    assert_eq!((part("mchid").as_str(), part("timestamp")), (MCHID, NOW.0.to_string()));
    let nonce = part("nonce_str");
    let signed = RequestToSign { method: "POST", url, timestamp: NOW, nonce: &nonce, body };
    let keys = keys();
    let merchant = keys["merchant"]["certificate_pem"].as_str().expect("a test's own data are good");
    let certificate = PlatformKey::from_certificate_pem(merchant).expect("a test's own data are good");
    certificate.verify(&signed.message(), &part("signature")).expect("the signature fits");
}

/// Of an upload the part `meta` is signed, and the whole is sent.
#[tokio::test]
async fn an_upload_is_signed_by_its_meta() {
    let file = UploadFile { filename: "licence.jpg", content_type: "image/jpeg", bytes: b"a picture" };
    let call = AnyCall::upload("/v3/merchant/media/upload", &file).unwrap();
    let wechat = Wechat::plays([Reply::good(r#"{"media_id":"1"}"#)]).await;
    assert_eq!(client(&wechat).send(&call).await.unwrap(), br#"{"media_id":"1"}"#);
    let asked = &wechat.asked()[0];
    assert_eq!(asked.header("content-type"), Some(call.content_type()));
    assert_eq!(asked.body.as_bytes(), call.body().unwrap());
    assert_signed(asked, "/v3/merchant/media/upload", &call.signed_instead_of_body().unwrap());
}

/// A success that is not proven is no success, and no failure either.
#[tokio::test]
async fn what_is_not_proven_is_not_believed() {
    let ok = || r#"{"ok":true}"#.to_owned();
    for reply in [
        Reply::Plain(200, ok()),
        Reply::Plain(204, String::new()),
        Reply::Spoilt(Spoilt::Body, ok()),
        Reply::Spoilt(Spoilt::Probe, ok()),
        Reply::Spoilt(Spoilt::Stale, ok()),
        Reply::Spoilt(Spoilt::Serial, ok()),
    ] {
        let wechat = Wechat::plays([reply.clone()]).await;
        let error = ask(&wechat, Operation::Refund).await.unwrap_err();
        assert!(matches!(error, ClientError::Unknown(_)), "{error}");
        // Whoever may ask again does: WeChat Pay does not probe the repetition.
        // An unknown serial has the certificates asked for in between.
        let asked_between = matches!(reply, Reply::Spoilt(Spoilt::Serial, _)).then(certificates);
        let wechat = Wechat::plays([reply].into_iter().chain(asked_between).chain([good()])).await;
        assert_eq!(ask(&wechat, Operation::Query).await.unwrap(), ok());
    }
}

#[tokio::test]
async fn an_unknown_serial_has_the_keys_refreshed_and_the_same_answer_verified_again() {
    let wechat = Wechat::plays([Reply::Signed("certificate", "{}".to_owned()), certificates()]).await;
    let client = client(&wechat);
    assert_eq!(client.send(&call(Operation::Refund)).await.unwrap(), b"{}");
    let paths: Vec<String> =
        wechat.asked().iter().map(|asked| asked.head.lines().next().unwrap().to_owned()).collect();
    assert_eq!(paths, [format!("POST {PATH} HTTP/1.1"), "GET /v3/certificates HTTP/1.1".to_owned()]);
    let proofs: Vec<u64> = client.keys().health().iter().map(|key| key.answers).collect();
    assert_eq!(proofs, [0, 2], "it proved the list and the answer");
}

/// What may be repeated is, with another signature each time; a refund is sent once.
#[tokio::test]
async fn table_of_what_is_repeated() {
    let html = || Reply::Plain(503, "<html>busy</html>".to_owned());
    for (reply, operation, requests) in [
        (cut as fn() -> Reply, Operation::Query, 2),
        (cut, Operation::Prepay, 2),
        (cut, Operation::Close, 2),
        (cut, Operation::Bill, 2),
        (cut, Operation::Refund, 1),
        (cut, Operation::Other, 1),
        (|| Reply::error(500, "SYSTEM_ERROR"), Operation::Prepay, 2),
        (|| Reply::error(500, "SYSTEM_ERROR"), Operation::Refund, 1),
        (html, Operation::Query, 2),
        (html, Operation::Refund, 1),
        (|| Reply::error(429, "FREQUENCY_LIMITED"), Operation::Query, 2),
        (|| Reply::error(429, "FREQUENCY_LIMITED"), Operation::Refund, 1),
        (|| Reply::error(202, "USERPAYING"), Operation::Other, 1),
        (|| Reply::error(400, "PARAM_ERROR"), Operation::Query, 1),
        (|| Reply::error(400, "STATEMENT_CREATING"), Operation::Bill, 1),
        (|| Reply::error(404, "ORDER_NOT_EXIST"), Operation::Query, 1),
        (|| Reply::error(403, "NOT_ENOUGH"), Operation::Refund, 1),
        (|| Reply::Plain(302, String::new()), Operation::Query, 1),
    ] {
        let wechat = Wechat::plays([reply(), good()]).await;
        let answer = ask(&wechat, operation).await;
        let asked = wechat.asked();
        let context = format!("{operation:?}: {answer:?}");
        assert_eq!(asked.len(), requests, "{context}");
        assert_eq!(answer.is_ok(), requests == 2, "{context}");
        assert!(asked.iter().all(|asked| asked.body == r#"{"a":1}"#), "the same bytes");
        if let [first, second] = &asked[..] {
            assert!(!first.header("user-agent").unwrap().contains("Retried"));
            assert!(second.header("user-agent").unwrap().ends_with(" (Retried-V1)"));
        }
    }
}

/// A success without a body is signed as well.
#[tokio::test]
async fn a_signed_204_is_a_success() {
    let close = || CloseOrder::new(Merchant::ordinary(MCHID).unwrap(), "ORDER20260302A").unwrap();
    let wechat = Wechat::plays([Reply::Signed204]).await;
    client(&wechat).send(&close()).await.unwrap();
    let asked = &wechat.asked()[0];
    assert!(asked.head.starts_with("POST /v3/pay/transactions/out-trade-no/ORDER20260302A/close "));
    // Unsigned, it is nothing: an order that is taken for closed may still be paid.
    let wechat = Wechat::plays((0..4).map(|_| Reply::Plain(204, String::new()))).await;
    let error = client(&wechat).send(&close()).await.unwrap_err();
    assert!(matches!(error, ClientError::Unknown(Unknown::Unsigned(_))), "{error}");
}

fn query_order(out_trade_no: &str) -> QueryOrder {
    let number = OrderNumber::out_trade_no(out_trade_no).expect("a test's own data are good");
    QueryOrder::new(Merchant::ordinary(MCHID).expect("a test's own data are good"), number)
}

/// A proxy that mixes up answers: a genuine success of another order says nothing about this one.
#[tokio::test]
async fn an_answer_about_another_order_leaves_the_outcome_unknown() {
    let about = |out_trade_no: &str| {
        let order = json!({ "appid": "wx0123456789abcdef", "mchid": MCHID, "out_trade_no": out_trade_no,
            "trade_state": "NOTPAY", "trade_state_desc": "订单未支付" });
        Reply::good(order.to_string())
    };
    let wechat = Wechat::plays((0..4).map(|_| about("ORDER20260302B"))).await;
    let error = client(&wechat).send(&query_order("ORDER20260302A")).await.unwrap_err();
    let expected = matches!(error, ClientError::Unknown(Unknown::AboutAnother { field: "out_trade_no" }));
    assert!(expected, "{error}");
    assert_eq!(wechat.asked().len(), 4, "it is asked again");
    let wechat = Wechat::plays([about("ORDER20260302B"), about("ORDER20260302A")]).await;
    let order = client(&wechat).send(&query_order("ORDER20260302A")).await.unwrap();
    assert_eq!(order.out_trade_no, "ORDER20260302A");
    // What is WeChat Pay's own success but is not understood has happened.
    let wechat = Wechat::plays([Reply::good("[]")]).await;
    let error = client(&wechat).send(&query_order("ORDER20260302A")).await.unwrap_err();
    assert!(matches!(error, ClientError::Unreadable(_)), "{error}");
}

/// Nor is it sent twice.
#[tokio::test(start_paused = true)]
async fn a_refund_that_timed_out_is_unknown_and_never_failed() {
    let wechat = Wechat::plays([Reply::Silence]).await;
    let error = ask(&wechat, Operation::Refund).await.unwrap_err();
    assert!(matches!(error, ClientError::Unknown(Unknown::TimedOut { .. })), "{error}");
    assert!(wechat.asked().len() <= 1);
}

/// A broken answer, a 5xx or a 429 is not a no.
#[tokio::test]
async fn a_refund_without_a_whole_answer_is_unknown_and_never_failed() {
    for reply in [
        Reply::Raw(Vec::new()),
        Reply::error(500, "SYSTEM_ERROR"),
        Reply::error(429, "FREQUENCY_LIMITED"),
        Reply::Plain(502, "<html>".to_owned()),
    ] {
        let wechat = Wechat::plays([reply]).await;
        let error = ask(&wechat, Operation::Refund).await.unwrap_err();
        assert!(matches!(error, ClientError::Unknown(_)), "{error}");
        assert_eq!(wechat.asked().len(), 1);
    }
    let wechat = Wechat::plays([Reply::error(403, "NOT_ENOUGH")]).await;
    let error = ask(&wechat, Operation::Refund).await.unwrap_err();
    let ClientError::Refused(error) = error else { panic!("{error}") };
    assert_eq!((error.status, error.code.as_deref()), (403, Some("NOT_ENOUGH")));
    assert_eq!(error.numeric_code(), Some(268_498_688));
}

/// Another nonce at each attempt: WeChat Pay may refuse the same one twice.
#[tokio::test]
async fn each_repetition_is_signed_anew() {
    struct Counting(AtomicU8);
    impl Environment for Counting {
        fn now(&self) -> UnixSeconds {
            NOW
        }
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0.fetch_add(1, Ordering::SeqCst));
        }
    }
    let wechat = Wechat::plays([Reply::error(500, "SYSTEM_ERROR"), good()]).await;
    let hosts = Hosts::all_at(&wechat.base).unwrap();
    let transport = Transport::with(hosts, patience(), Arc::new(Counting(AtomicU8::new(0)))).unwrap();
    let client = client_of(MCHID, transport, KeyRing::new([public_key()]));
    client.send(&call(Operation::Query)).await.unwrap();
    let asked = wechat.asked();
    assert_ne!(asked[0].header("authorization"), asked[1].header("authorization"));
}

#[tokio::test]
async fn an_endless_answer_is_given_up() {
    let wechat = Wechat::plays([Reply::Plain(200, "x".repeat(2 << 20))]).await;
    let error = ask(&wechat, Operation::Refund).await.unwrap_err();
    assert!(matches!(error, ClientError::Unknown(Unknown::Oversized { .. })), "{error}");
}

#[tokio::test]
async fn a_call_of_another_merchant_is_not_sent() {
    let wechat = Wechat::plays([]).await;
    let client: Client = client_of("1900000009", transport(&wechat), KeyRing::new([certificate()]));
    let error = client.send(&query_order("ORDER20260302A")).await.unwrap_err();
    assert!(matches!(error, ClientError::NotSent { .. }), "{error}");
    assert!(wechat.asked().is_empty());
}

/// In no text and no `Debug` is there a key, a signature, or what the body said.
#[tokio::test(start_paused = true)]
async fn errors_keep_secrets() {
    let wechat = Wechat::plays([Reply::Silence]).await;
    let client = client(&wechat);
    let secret: Value = json!({ "name": "very-private" });
    let call = AnyCall::new("POST", "/v3/x").unwrap().json(&secret).unwrap();
    let error = client.send(&call).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("very-private") && !shown.contains("WECHATPAY2"), "{shown}");
}

/// A merchant's number that is none is refused where it is given, and not by a panic in the middle of a call.
#[test]
fn a_merchants_number_is_digits() {
    let keys = keys();
    let text = |name: &str| keys["merchant"][name].as_str().unwrap();
    let key = Arc::new(MerchantKey::from_pkcs8_pem(text("serial"), text("private_pem")).unwrap());
    let apiv3_key = ApiV3Key::new(keys["apiv3_key"].as_str().unwrap()).unwrap();
    for (mchid, good) in [
        (MCHID, true),
        ("19\n", false),
        ("19\"", false),
        ("", false),
        ("一九", false),
        ("1900000001 ", false),
    ] {
        let ring = Arc::new(KeyRing::new([]));
        let account = Account::new(mchid, Arc::clone(&key), apiv3_key.clone(), ring);
        assert_eq!(account.is_ok(), good, "{mchid:?}");
    }
}

/// Somebody's own call with a method that is none.
#[tokio::test]
async fn a_call_with_a_method_that_is_none_is_not_sent() {
    struct Foreign;
    impl Call for Foreign {
        type Answer = ();
        fn method(&self) -> &'static str {
            "GET it"
        }
        fn path_and_query(&self) -> String {
            "/v3/x".to_owned()
        }
        fn operation(&self) -> Operation {
            Operation::Query
        }
        fn read(&self, _: &[u8]) -> Result<(), AnswerError> {
            Ok(())
        }
    }
    let wechat = Wechat::plays([]).await;
    let error = client(&wechat).send(&Foreign).await.unwrap_err();
    let expected = matches!(error, ClientError::NotSent { reason: NotSent::Method { method: "GET it" } });
    assert!(expected, "{error}");
    assert!(wechat.asked().is_empty());
}
