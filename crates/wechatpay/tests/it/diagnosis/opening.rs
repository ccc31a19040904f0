//! What WeChat Pay signed and what does not open.

use serde_json::json;

use wechatpay::diagnosis::{Account, Cause, Check, Class, Outcome};
use wechatpay::v2::ApiV2Key;
use wechatpay::{ApiV3Key, Resource};

use super::{MCHID, among, check, codes, genuine, look_with};
use crate::fixture::{Sent, apiv3_key_text, envelope, platform_keys};

#[test]
fn a_wrong_apiv3_key() {
    let keys = platform_keys();
    let wrong = ApiV3Key::new("00000000000000000000000000000000").unwrap();
    let found = look_with(&genuine(), &keys, &wrong, None);
    assert_eq!((found.class, codes(&found)), (Class::DoesNotOpen, vec!["wrong_apiv3_key"]));
    let in_its_place = ApiV2Key::new(&apiv3_key_text()).unwrap();
    let swapped = Account::new(MCHID, &keys, &wrong).with_apiv2_key(&in_its_place);
    let found = among(&genuine(), &[swapped], Some(MCHID), None);
    assert_eq!((found.class, found.causes), (Class::DoesNotOpen, vec![Cause::ApiV2KeyInPlace]));
    // A changed body and a wrong key: both are said.
    let mut sent = genuine();
    sent.body.push(b'\n');
    let found = look_with(&sent, &keys, &wrong, None);
    assert_eq!((found.class, codes(&found)), (Class::Changed, vec!["newline_added", "wrong_apiv3_key"]));
}

#[test]
fn signed_but_no_notification() {
    for (what, body) in [
        ("no JSON", "hello".to_owned()),
        ("nothing", String::new()),
        ("no envelope", "{}".to_owned()),
        ("no payment", envelope(b"{}").to_string().replace("TRANSACTION", "X")),
        ("no JSON within", envelope(b"hello").to_string()),
    ] {
        let sent = Sent::signed(body);
        if what == "no payment" {
            check(what, &sent, Class::Accepted, &[]);
        } else {
            check(what, &sent, Class::Unreadable, &["not_a_notification"]);
        }
    }
}

/// With 国密 built in, what says to be SM4 is opened as that: here with a key that does not fit.
#[test]
fn a_resource_in_sm4_is_said_to_be() {
    let mut body = envelope(b"{}");
    body["resource"]["algorithm"] = json!("AEAD_SM4_GCM");
    let (class, cause, failed) = if cfg!(feature = "sm") {
        (Class::DoesNotOpen, "wrong_apiv3_key", Check::Decryption)
    } else {
        (Class::Unsupported, "sm_suite", Check::Envelope)
    };
    let found = check("SM4", &Sent::signed(body.to_string()), class, &[cause]);
    let step = found.steps.iter().find(|step| step.outcome == Outcome::Failed).unwrap();
    assert_eq!(step.check, failed);
    body["resource"]["algorithm"] = json!("ROT13");
    check("ROT13", &Sent::signed(body.to_string()), Class::Unsupported, &["unknown_algorithm"]);
}

#[test]
fn a_payment_to_another_merchant() {
    let plaintext = r#"{"mchid":"1","appid":"wx","out_trade_no":"o","transaction_id":"t","trade_state":"SUCCESS",
        "amount":{"total":1}}"#;
    let sent = Sent::signed(envelope(plaintext.as_bytes()).to_string());
    let found = check("other", &sent, Class::WrongMerchant, &["about_other_merchant"]);
    assert!(found.notification.is_some());
}

/// A notice of a share goes to the merchant who receives it, and names the one who shares.
#[test]
fn a_share_that_another_merchant_paid() {
    let plaintext = r#"{"mchid":"1900000009","transaction_id":"42","order_id":"60","out_order_no":"p1",
        "receiver":{"type":"MERCHANT_ID","account":"1900000001","amount":888}}"#;
    let mut body = envelope(plaintext.as_bytes());
    body["event_type"] = json!("PROFITSHARING.SUCCESS");
    body["resource"]["original_type"] = json!("profitsharing");
    let found = check("share", &Sent::signed(body.to_string()), Class::Accepted, &[]);
    let opened = found.notification.unwrap();
    assert!(matches!(opened.resource, Resource::ProfitSharing(_)), "{opened:?}");
}
