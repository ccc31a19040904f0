//! `POST /notify/v2/{merchant}`: APIv2 goes through the same door, and is answered in its own words.

use payonce_server::{Patience, config::Config};
use serde_json::Value;
use wechatpay::v2::{ACK_BODY, ApiV2Key, Fields, SignType, sign, write_xml};

use crate::{
    letter::Letter,
    stage::{AMOUNT_FEN, APPID, MCHID, Stage, payment, second_merchant},
    store::Trouble,
    wire::Answer,
};

/// Made by `scripts/make-vectors.py`, under [`key`].
fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../../wechatpay/tests/vectors/v2.json")).unwrap()
}

fn key() -> ApiV2Key {
    ApiV2Key::new(vectors()["apiv2_key"].as_str().unwrap()).unwrap()
}

async fn stage() -> Stage {
    Stage::with(|config: &mut Config, _: &mut Patience| config.merchants[0].apiv2_key = Some(key())).await
}

/// What WeChat says of the payment of order `ORDER<number>`; another `nonce` each time.
fn notice(number: u32, nonce: &str) -> Fields {
    let paid = payment(number);
    let mut fields = Fields::default();
    for (name, value) in [
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("appid", APPID),
        ("mch_id", MCHID),
        ("nonce_str", nonce),
        ("openid", &paid.openid),
        ("trade_type", "JSAPI"),
        ("total_fee", &AMOUNT_FEN.to_string()),
        ("transaction_id", &paid.transaction_id),
        ("out_trade_no", &paid.out_trade_no),
        ("time_end", "20260302091507"),
    ] {
        fields.insert(name, value);
    }
    fields
}

fn signed(mut fields: Fields, sign_type: SignType) -> Letter {
    fields.insert("sign", sign(&fields, sign_type, &key()));
    Letter::post(&format!("/notify/v2/{MCHID}"), write_xml(&fields).unwrap()).and("content-type", "text/xml")
}

fn changed(name: &'static str, value: &str) -> Fields {
    let mut fields = notice(1, "n");
    fields.insert(name, value);
    fields
}

#[track_caller]
fn assert_acknowledged(answer: &Answer) {
    assert_eq!((answer.status, answer.body.as_str()), (200, ACK_BODY));
    assert_eq!(answer.header("content-type"), Some("text/xml; charset=utf-8"));
}

#[track_caller]
fn assert_refused(answer: &Answer, status: u16, why: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.body.starts_with("<xml><return_code><![CDATA[FAIL]]></return_code>"), "{answer:?}");
    assert!(answer.body.contains(why), "{:?} does not say {why:?}", answer.body);
    assert_eq!(answer.header("content-type"), Some("text/xml; charset=utf-8"));
}

#[tokio::test]
async fn a_payment_takes_effect_once_by_whichever_protocol() {
    let stage = stage().await;
    stage.register(1).await;
    assert_acknowledged(&stage.ask(&signed(notice(1, "a"), SignType::Md5)).await);
    assert_eq!(stage.order_state(1).await, "paid");
    for (nonce, sign_type) in [("a", SignType::Md5), ("b", SignType::Md5), ("c", SignType::HmacSha256)] {
        assert_acknowledged(&stage.ask(&signed(notice(1, nonce), sign_type)).await);
    }
    stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    assert_eq!(stage.message_types().await, ["payment.succeeded"]);
    let counts = stage.struck().await.counts().await;
    assert_eq!((counts.payments, counts.receipts), (1, 5));
}

/// Elsewhere v3 was acknowledged with XML and v2 with JSON, and WeChat sent again and again.
#[tokio::test]
async fn trap_each_protocol_is_answered_in_its_own_words() {
    let stage = stage().await;
    let (v2, v3) = (signed(notice(1, "n"), SignType::Md5), stage.callback(payment(2)));
    assert_acknowledged(&stage.ask(&v2).await);
    stage.ask(&v3).await.assert_acknowledged();
    let (spoilt_v2, spoilt_v3) = (v2.clone().with_body("{}"), v3.clone().with_body("<xml></xml>"));
    assert_refused(&stage.ask(&spoilt_v2).await, 400, "XML");
    stage.ask(&spoilt_v3).await.assert_refused(401, "was the body changed on its way?");
    // The path says which, not what is in it.
    assert_refused(&stage.ask(&v3.to(&v2.path)).await, 400, "XML");
    stage.ask(&v2.to(&format!("/notify/v3/{MCHID}"))).await.assert_refused(401, "is missing");
}

#[tokio::test]
async fn what_is_not_proven_is_refused_in_xml() {
    let stage = stage().await;
    let good = signed(notice(1, "n"), SignType::Md5);
    let text = String::from_utf8(good.body.clone()).unwrap();
    let without_sign = good.clone().with_body(write_xml(&notice(1, "n")).unwrap());
    let dearer = text.replace(&AMOUNT_FEN.to_string(), "1");
    let doctype = format!("<!DOCTYPE xml [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>{text}");
    for (letter, status, why, verdict) in [
        (without_sign, 401, "no sign", "missing_sign"),
        (good.clone().with_body(dearer), 401, "does not fit", "sign_mismatch"),
        (good.clone().with_body(doctype), 400, "document type", "malformed_xml"),
        (good.clone().with_body("{}"), 400, "XML", "malformed_xml"),
        (good.clone().to("/notify/v2/1900000009"), 400, "no merchant", "unknown_merchant"),
        (signed(changed("mch_id", "1900000002"), SignType::Md5), 400, "is for 1900000002", "other_merchant"),
        (signed(changed("total_fee", "59.90"), SignType::Md5), 400, "total_fee", "malformed_notification"),
        (
            good.clone().with_body("<xml><return_code>FAIL</return_code></xml>"),
            400,
            "nothing is stated",
            "failure_notice",
        ),
    ] {
        assert_refused(&stage.ask(&letter).await, status, why);
        let line = format!("payonce_callbacks_refused_total{{verdict=\"{verdict}\"}}");
        assert!(stage.metric(&line).await.is_some(), "{verdict}");
    }
    let wrong_method = stage.ask(&Letter::get(&format!("/notify/v2/{MCHID}"))).await;
    assert_refused(&wrong_method, 405, "POST");
    stage.store.trouble(Trouble::CommitFails);
    let answer = stage.ask(&good).await;
    assert_refused(&answer, 503, "could not be committed");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(stage.counts().await.payments, 0);
}

#[tokio::test]
async fn a_merchant_without_the_key_says_so() {
    let stage = Stage::of(&[crate::stage::merchant(), second_merchant()], |_, _| ()).await;
    let answer = stage.ask(&signed(notice(1, "n"), SignType::Md5)).await;
    assert_refused(&answer, 500, "apiv2_key_file");
}

/// Opened, not verified: handed on once, and it moves no order.
#[tokio::test]
async fn a_refund_notice_is_passed_on_once_for_each_state() {
    let stage = stage().await;
    let refunds = vectors()["refunds"].as_array().unwrap().clone();
    let refund = refunds.iter().find(|refund| refund["fields"]["refund_status"] == "SUCCESS").unwrap();
    let letter = Letter::post(&format!("/notify/v2/{MCHID}"), refund["body"].as_str().unwrap());
    assert_acknowledged(&stage.ask(&letter).await);
    assert_acknowledged(&stage.ask(&letter).await);
    assert_eq!(stage.message_types().await, ["wechat.V2.REFUND.SUCCESS"]);

    let text = String::from_utf8(letter.body.clone()).unwrap();
    let at = text.find("<req_info>").unwrap() + "<req_info><![CDATA[".len() + 20;
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    let spoilt = format!("{}{other}{}", &text[..at], &text[at + 1..]);
    let answer = stage.ask(&letter.with_body(spoilt)).await;
    assert_refused(&answer, 401, "was the key reset");
}

/// What pays nothing is not thrown away.
#[tokio::test]
async fn what_is_no_payment_of_ours_is_passed_on() {
    let stage = stage().await;
    for fields in [changed("result_code", "FAIL"), changed("out_trade_no", "订单")] {
        assert_acknowledged(&stage.ask(&signed(fields, SignType::HmacSha256)).await);
    }
    assert_eq!(stage.message_types().await, ["wechat.V2.PAYMENT.FAIL", "wechat.V2.PAYMENT.SUCCESS"]);
    assert_eq!(stage.counts().await.payments, 0);
}
