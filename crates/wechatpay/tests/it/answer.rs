//! Answers are verified by the same rules as callbacks.

use wechatpay::{HeaderError, PlatformKeys, UnixSeconds, VerifyError, headers};

use crate::fixture::{NOW, Sent, key_text, named, platform_keys, vectors};

fn refused(sent: &Sent, keys: &PlatformKeys, now: UnixSeconds) -> VerifyError {
    sent.answer(200).unwrap().verify(keys, now).unwrap_err()
}

#[test]
fn a_signed_answer_says_what_was_verified() {
    for (status, success) in [(200, true), (202, true), (204, true), (400, false), (500, false)] {
        let sent = Sent::signed("{}");
        let answer = sent.answer(status).unwrap();
        assert_eq!((answer.status(), answer.unverified_serial()), (status, key_text("public_key", "id")));
        let answer = answer.verify(&platform_keys(), NOW).unwrap();
        assert_eq!((answer.status(), answer.is_success()), (status, success));
        assert_eq!((answer.timestamp(), answer.body()), (NOW, &b"{}"[..]));
        assert_eq!(answer.serial(), key_text("public_key", "id"));
    }
}

#[test]
fn an_empty_body_is_signed_too() {
    let sent = Sent::signed("");
    assert!(sent.answer(204).unwrap().verify(&platform_keys(), NOW).unwrap().body().is_empty());
    let other = Sent { body: b"{}".to_vec(), ..sent };
    assert_eq!(refused(&other, &platform_keys(), NOW), VerifyError::SignatureMismatch);
}

#[test]
fn an_answer_without_a_signature_is_a_forgery() {
    let mut sent = Sent::signed("{}");
    sent.headers.retain(|(name, _)| !name.starts_with("wechatpay-"));
    assert_eq!(sent.answer(200).unwrap_err(), HeaderError::Missing { header: headers::TIMESTAMP });
}

#[test]
fn answers_are_refused_as_callbacks_are() {
    let (sent, keys) = (Sent::signed("{}"), platform_keys());
    for now in [NOW.0 - 300, NOW.0 + 300].map(UnixSeconds) {
        assert_eq!(refused(&sent, &keys, now), VerifyError::StaleTimestamp { timestamp: NOW, now });
    }
    for (header, value, expected) in [
        (headers::SIGNATURE_TYPE, "X", VerifyError::UnsupportedSignatureType { signature_type: "X".into() }),
        (headers::SERIAL, "0A", VerifyError::UnknownSerial { serial: "0A".into() }),
        (headers::SIGNATURE, "WECHATPAY/SIGNTEST/x", VerifyError::SignatureProbe),
        (headers::SIGNATURE, "x", VerifyError::MalformedSignature),
        (headers::SIGNATURE, "AAAA", VerifyError::SignatureMismatch),
    ] {
        assert_eq!(refused(&sent.clone().with(header, value), &keys, NOW), expected);
    }
}

#[test]
fn either_kind_of_key_signs_answers() {
    for name in ["ordinary", "by certificate", "by a certificate with RSA-4096"] {
        let sent = Sent::of_vector(&named(&vectors("callbacks")["vectors"], name));
        sent.answer(200).unwrap().verify(&platform_keys(), sent.timestamp()).unwrap();
    }
}

#[test]
fn debug_shows_no_body() {
    let sent = Sent::signed("secret");
    let answer = sent.answer(200).unwrap();
    let shown = format!("{answer:?} {:?}", sent.answer(200).unwrap().verify(&platform_keys(), NOW).unwrap());
    assert!(!shown.contains("secret") && shown.contains("body_bytes: 6"), "{shown}");
}
