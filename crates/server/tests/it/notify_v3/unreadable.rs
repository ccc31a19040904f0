//! 400: WeChat's own bytes that cannot be understood here, or that were sent to the wrong place.

use payonce_simulator::{Merchant, Payment};
use serde_json::{Value, json};
use wechatpay::headers;

use crate::{
    letter::Letter,
    stage::{MCHID, Stage, merchant, payment, second_merchant},
};

/// Sends a letter that must be answered 400 and kept with this verdict, and nothing else.
async fn assert_refused(stage: Stage, letter: Letter, verdict: &str, why: &str) {
    stage.ask(&letter).await.assert_refused(400, why);
    let struck = stage.struck().await;
    assert_eq!(struck.kept_verdicts().await, [verdict]);
    let counts = struck.counts().await;
    assert_eq!((counts.payments, counts.messages, counts.receipts, counts.unopened), (0, 0, 0, 0), "{why}");
}

#[tokio::test]
async fn bodies_that_are_no_notification() {
    for (body, why) in [
        (&b"\xff\xfe{}"[..], "the body is not UTF-8"),
        (b"", "EOF while parsing"),
        (b"{\"id\":\"1\"", "EOF while parsing"),
        (b"<xml><return_code>SUCCESS</return_code></xml>", "expected value"),
        (b"[]", "the body is not a notification"),
        (b"null", "the body is not a notification"),
        (b"{}", "missing field `id`"),
    ] {
        let stage = Stage::set().await;
        let letter = stage.signed(body);
        assert_refused(stage, letter, "malformed_notification", why).await;
    }
}

/// Nonces of other lengths ended whole processes elsewhere.
#[tokio::test]
async fn envelopes_that_cannot_be_opened() {
    for (pointer, value, why) in [
        ("/resource/nonce", json!("01234567890"), "has 11 bytes instead of 12"),
        ("/resource/nonce", json!("0123456789012"), "has 13 bytes instead of 12"),
        ("/resource/nonce", json!(""), "has 0 bytes instead of 12"),
        ("/resource/algorithm", json!("AEAD_SM4_GCM"), "the algorithm \"AEAD_SM4_GCM\" is not supported"),
        ("/resource/algorithm", Value::Null, "invalid type: null"),
        ("/resource/ciphertext", json!("AAAAAAAAAAAAAAAAAAAA"), "has 15 bytes, fewer than the 16 of its tag"),
        ("/resource/ciphertext", json!("AAAAAAAAAAAAAAAAAAAAAAA"), "the ciphertext is not base64"),
        ("/resource/ciphertext", json!(""), "has 0 bytes"),
        ("/resource_type", json!("plain"), "only encrypt-resource"),
        ("/resource", Value::Null, "the body is not a notification"),
        ("/id", Value::Null, "the body is not a notification"),
    ] {
        let stage = Stage::set().await;
        let letter = stage.edited(payment(1), |envelope| *envelope.pointer_mut(pointer).unwrap() = value);
        assert_refused(stage, letter, "malformed_notification", why).await;
    }
}

#[tokio::test]
async fn envelopes_with_a_number_or_type_that_is_none() {
    for (field, value) in
        [("id", "x".repeat(65)), ("id", "a b".to_owned()), ("event_type", "支付".to_owned())]
    {
        let stage = Stage::set().await;
        let letter = stage.edited(payment(1), |envelope| envelope[field] = value.into());
        // Read before anything else is done with it; a type that is not ours to judge is passed on by its name.
        assert_refused(stage, letter, "senseless_notification", "the notification does not make sense").await;
    }
}

#[tokio::test]
async fn a_negative_amount() {
    let stage = Stage::set().await;
    stage.register(1).await;
    let letter = stage.callback(Payment { amount_fen: -1, ..payment(1) });
    stage.ask(&letter).await.assert_refused(400, "the decrypted resource is no transaction");
    assert_eq!(stage.order_state(1).await, "pending");
    let struck = stage.struck().await;
    assert_eq!(struck.kept_verdicts().await, ["malformed_notification"]);
    assert_eq!(struck.counts().await.payments, 0);
}

#[tokio::test]
async fn a_signature_of_another_type() {
    let stage = Stage::set().await;
    let letter = stage.callback(payment(1)).with(headers::SIGNATURE_TYPE, "WECHATPAY2-SM2-WITH-SM3");
    assert_refused(stage, letter, "unsupported_signature_type", "only WECHATPAY2-SHA256-RSA2048").await;
}

#[tokio::test]
async fn a_path_that_names_no_merchant_of_ours() {
    for (path, shown) in [
        ("/notify/v3/1900000009", "no merchant \\\"1900000009\\\" is configured"),
        ("/notify/v3/1900000001%00", "no merchant \\\"1900000001\\\\0\\\" is configured"),
        ("/notify/v3/%E5%8D%96%E5%AE%B6", "no merchant \\\"卖家\\\" is configured"),
        // No text at all.
        ("/notify/v3/%FF", "no merchant \\\"/notify/v3/%FF\\\" is configured"),
    ] {
        let stage = Stage::set().await;
        let letter = stage.callback(payment(1)).to(path);
        let shown: String = serde_json::from_str(&format!("\"{shown}\"")).unwrap();
        assert_refused(stage, letter, "unknown_merchant", &shown).await;
    }
}

/// Signed by WeChat, sealed with our key, and yet not ours.
#[tokio::test]
async fn a_notification_for_another_merchant() {
    let stage = Stage::set().await;
    let impostor = Merchant::new("1900000009", "wx9", merchant().apiv3_key()).unwrap();
    let stage = stage.writing_to(impostor);
    let letter = stage.callback(payment(1));
    let why = "the path names merchant 1900000001, the notification is for 1900000009";
    assert_refused(stage, letter, "other_merchant", why).await;
}

/// With one URL for many merchants nobody knew whose key decrypts. The path decides; the other merchant's does not open.
#[tokio::test]
async fn trap_one_url_for_many_merchants_is_a_path_for_each() {
    let stage = Stage::of(&[merchant(), second_merchant()], |_, _| ()).await;
    let path = format!("/notify/v3/{}", second_merchant().mchid());
    assert_ne!(path, format!("/notify/v3/{MCHID}"));
    let letter = stage.callback(payment(1));
    stage.ask(&letter).await.assert_acknowledged();
    // To the other's key it is what a wrong key is: kept, and never opened there.
    stage.ask(&letter.to(&path)).await.assert_refused(500, "does not open with this APIv3 key");
    let stage = stage.writing_to(second_merchant());
    let letter = stage.callback(payment(2));
    stage.ask(&letter).await.assert_refused(500, "does not open with this APIv3 key");
    stage.ask(&letter.to(&path)).await.assert_acknowledged();
    assert_eq!(stage.struck().await.counts().await.payments, 2);
}
