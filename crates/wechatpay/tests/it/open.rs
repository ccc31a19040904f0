//! Envelopes and resources that WeChat signed and that cannot be read: each has its own error.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wechatpay::{ApiV3Key, OpenError, Resource};

use crate::fixture::{NOW, Sent, apiv3_key, envelope, open_body, open_plaintext, platform_keys, seal};

const PLAINTEXT: &str = r#"{"mchid":"1","appid":"wx","out_trade_no":"o","transaction_id":"t","trade_state":"SUCCESS",
    "amount":{"total":1}}"#;

fn changed(change: impl FnOnce(&mut Value)) -> Result<wechatpay::Notification, OpenError> {
    let mut envelope = envelope(PLAINTEXT.as_bytes());
    change(&mut envelope);
    open_body(envelope.to_string())
}

#[test]
fn unchanged_it_opens() {
    assert_eq!(changed(|_| ()).unwrap().plaintext, PLAINTEXT);
}

#[test]
fn trap_nonce_of_every_length_but_12_bytes_is_refused() {
    for bytes in (0..=32).filter(|bytes| *bytes != 12) {
        let nonce = "n".repeat(bytes);
        let error = changed(|envelope| envelope["resource"]["nonce"] = json!(nonce)).unwrap_err();
        assert!(matches!(error, OpenError::NonceLength { bytes: named } if named == bytes), "{error:?}");
        let error = apiv3_key().open(&nonce, "", "").unwrap_err();
        assert!(matches!(error, OpenError::NonceLength { bytes: named } if named == bytes), "{error:?}");
    }
    // Twelve characters are not twelve bytes.
    let error = changed(|envelope| envelope["resource"]["nonce"] = json!("é".repeat(12))).unwrap_err();
    assert!(matches!(error, OpenError::NonceLength { bytes: 24 }));
}

#[test]
fn body_not_utf8() {
    let mut body = envelope(PLAINTEXT.as_bytes()).to_string().into_bytes();
    let position = body.windows(3).position(|window| window == "支".as_bytes()).unwrap();
    body[position + 1] = b'x';
    assert!(matches!(open_body(body), Err(OpenError::BodyNotUtf8)));
    assert!(matches!(open_body([0xff]), Err(OpenError::BodyNotUtf8)));
}

#[test]
fn body_not_json_or_not_an_envelope() {
    let whole = envelope(PLAINTEXT.as_bytes()).to_string();
    for body in [
        "",
        " ",
        "{",
        "null",
        "[]",
        "1",
        "\"x\"",
        "{}",
        "<xml></xml>",
        "\u{feff}{}",
        &whole[..whole.len() - 1],
        &format!("{whole}}}"),
        &whole.replacen('{', r#"{"id":"twice","#, 1),
        &whole.replace(r#""nonce":"#, r#""nonce":"nonce0000098","nonce":"#),
        &"[".repeat(100_000),
    ] {
        let result = open_body(body);
        assert!(matches!(result, Err(OpenError::BodyNotJson(_))), "{:.40} {:?}", body, result);
    }
}

#[test]
fn required_fields_of_the_envelope() {
    for field in ["id", "create_time", "event_type", "resource_type", "resource"] {
        for wrong in [None, Some(Value::Null), Some(json!(7))] {
            let error = changed(|envelope| match wrong {
                Some(value) => envelope[field] = value,
                None => drop(envelope.as_object_mut().unwrap().remove(field)),
            });
            assert!(matches!(error, Err(OpenError::BodyNotJson(_))), "{field}");
        }
    }
    for field in ["algorithm", "ciphertext", "nonce"] {
        let error = changed(|envelope| drop(envelope["resource"].as_object_mut().unwrap().remove(field)));
        assert!(matches!(error, Err(OpenError::BodyNotJson(_))), "{field}");
    }
}

#[test]
fn trap_associated_data_and_other_optional_fields_absent_null_or_empty() {
    for value in [None, Some(Value::Null), Some(json!(""))] {
        let notification = changed(|envelope| {
            let sealed = seal(PLAINTEXT.as_bytes(), "nonce0000099", "");
            envelope["resource"]["ciphertext"] = json!(sealed);
            for (place, field) in
                [("/resource", "original_type"), ("/resource", "associated_data"), ("", "summary")]
            {
                let place = envelope.pointer_mut(place).unwrap().as_object_mut().unwrap();
                match &value {
                    Some(value) => drop(place.insert(field.to_owned(), value.clone())),
                    None => drop(place.remove(field)),
                }
            }
        });
        let notification = notification.unwrap();
        assert_eq!((notification.summary.as_str(), notification.original_type), ("", None));
        assert!(matches!(notification.resource, Resource::Transaction(_)));
    }
}

#[test]
fn unknown_resource_type_and_algorithm() {
    let error = changed(|envelope| envelope["resource_type"] = json!("plain-resource")).unwrap_err();
    assert!(
        matches!(error, OpenError::UnsupportedResourceType { resource_type } if resource_type == "plain-resource")
    );
    let sm = (!cfg!(feature = "sm")).then_some("AEAD_SM4_GCM");
    for name in sm.into_iter().chain(["aead_aes_256_gcm", "AEAD_SM4_CBC", ""]) {
        let error = changed(|envelope| envelope["resource"]["algorithm"] = json!(name)).unwrap_err();
        assert!(matches!(error, OpenError::UnsupportedAlgorithm { algorithm } if algorithm == name));
    }
}

#[test]
fn ciphertext_not_base64() {
    let good = seal(b"{\"a\":1}", "nonce0000099", "transaction");
    assert!(good.ends_with('='));
    let bare = good.trim_end_matches('=');
    for text in [bare, &format!("{good}="), &good[1..], "invalid cipher", "!!!", "AA\nAA", "A-_A", "AB=="] {
        let error = changed(|envelope| envelope["resource"]["ciphertext"] = json!(text)).unwrap_err();
        assert!(matches!(error, OpenError::CiphertextNotBase64), "{text:?}: {error:?}");
    }
}

#[test]
fn truncated_ciphertext() {
    let sealed = STANDARD.decode(seal(PLAINTEXT.as_bytes(), "nonce0000099", "transaction")).unwrap();
    for len in 0..sealed.len() {
        let text = STANDARD.encode(&sealed[..len]);
        let error = changed(|envelope| envelope["resource"]["ciphertext"] = json!(text)).unwrap_err();
        match len {
            0..16 => {
                assert!(matches!(error, OpenError::CiphertextTooShort { bytes } if bytes == len), "{error:?}")
            }
            _ => assert!(matches!(error, OpenError::WrongKey), "{len}: {error:?}"),
        }
        assert_eq!(error.is_key_fault(), len >= 16);
    }
}

#[test]
fn wrong_key_is_our_fault_and_no_other_is() {
    let sent = Sent::signed(envelope(PLAINTEXT.as_bytes()).to_string());
    let other = ApiV3Key::new("00000000000000000000000000000000").unwrap();
    let error = sent.parse().unwrap().verify(&platform_keys(), NOW).unwrap().open(&other).unwrap_err();
    assert!(matches!(error, OpenError::WrongKey) && error.is_key_fault());
    let error = changed(|envelope| envelope["resource"]["associated_data"] = json!("refund")).unwrap_err();
    assert!(matches!(error, OpenError::WrongKey));
    for error in [open_body("{"), open_plaintext("{"), open_plaintext([0xff])] {
        assert!(!error.unwrap_err().is_key_fault());
    }
}

#[test]
fn plaintext_not_utf8_or_not_json() {
    assert!(matches!(open_plaintext(b"{\"a\":\"\xff\"}"), Err(OpenError::PlaintextNotUtf8)));
    for plaintext in ["", "Hello World", "{", "{\"a\":1}}", "-----BEGIN CERTIFICATE-----\n", "{\"a\":01}"] {
        let payment = open_plaintext(plaintext);
        assert!(matches!(payment, Err(OpenError::PlaintextNotJson(_))), "{plaintext}: {payment:?}");
        let mut other = envelope(plaintext.as_bytes());
        other["event_type"] = json!("REFUND.SUCCESS");
        let other = open_body(other.to_string());
        assert!(matches!(other, Err(OpenError::PlaintextNotJson(_))), "{plaintext}: {other:?}");
    }
}

#[test]
fn neither_payer_nor_secret_shows_in_debug() {
    let plaintext = PLAINTEXT.replacen('{', r#"{"payer":{"openid":"oSecret"},"attach":"oSecret","#, 1);
    let notification = open_plaintext(plaintext).unwrap();
    let Resource::Transaction(transaction) = &notification.resource else { panic!() };
    let shown = format!("{notification:?} {transaction:?} {:?} {:?}", transaction.payer, apiv3_key());
    assert!(!shown.contains("oSecret") && shown.contains("[REDACTED]"), "{shown}");
    assert!(!shown.contains(&crate::fixture::apiv3_key_text()));
}
