//! What makes a well-formed callback unbelievable, and in which order it is looked at.

use wechatpay::{PlatformKey, PlatformKeys, UnixSeconds, VerifyError, headers};

use crate::fixture::{NOW, Refusal, Sent, key_text, platform_keys, public_key, vectors};

fn refused(sent: &Sent, keys: &PlatformKeys, now: UnixSeconds) -> VerifyError {
    match sent.verify(keys, now) {
        Err(Refusal::Verify(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// A callback signed by the certificate, and when.
fn by_certificate() -> (Sent, UnixSeconds) {
    let sent = Sent::of_vector(&vectors("callbacks")["vectors"][1]);
    let now = sent.timestamp();
    (sent, now)
}

#[test]
fn trap_timestamp_window_is_less_than_300_seconds_both_ways() {
    let (sent, keys) = (Sent::signed("{}"), platform_keys());
    for offset in [-299, -1, 0, 1, 299] {
        sent.verify(&keys, UnixSeconds(NOW.0 + offset)).unwrap();
    }
    for now in [NOW.0 - 300, NOW.0 + 300, 0, i64::MIN, i64::MAX].map(UnixSeconds) {
        assert_eq!(refused(&sent, &keys, now), VerifyError::StaleTimestamp { timestamp: NOW, now });
    }
    // Milliseconds are read as seconds, and are far away.
    let sent = sent.with(headers::TIMESTAMP, "1750000000000");
    assert!(matches!(refused(&sent, &keys, NOW), VerifyError::StaleTimestamp { .. }));
}

#[test]
fn signature_type_is_known_to_the_letter() {
    let sm = (!cfg!(feature = "sm")).then_some("WECHATPAY2-SM2-WITH-SM3");
    for text in sm.into_iter().chain([
        "wechatpay2-sha256-rsa2048",
        "WECHATPAY2-SHA256-RSA4096",
        "wechatpay2-sm2-with-sm3",
        "WECHATPAY2-SM2-WITH-SM",
    ]) {
        let error = refused(&Sent::signed("{}").with(headers::SIGNATURE_TYPE, text), &platform_keys(), NOW);
        assert_eq!(error, VerifyError::UnsupportedSignatureType { signature_type: text.to_owned() });
    }
}

#[test]
fn serial_of_no_key() {
    let unknown = |serial: &str| VerifyError::UnknownSerial { serial: serial.to_owned() };
    let id = key_text("public_key", "id");
    assert_eq!(refused(&Sent::signed("{}"), &PlatformKeys::default(), NOW), unknown(id));
    for serial in ["PUB_KEY_ID_0", &id.to_lowercase(), "5157F09EFDC096DE15EBE81A47057A72AAAAAAAA", "0"] {
        let sent = Sent::signed("{}").with(headers::SERIAL, serial);
        assert_eq!(refused(&sent, &platform_keys(), NOW), unknown(serial));
    }
}

#[test]
fn trap_certificate_serial_in_any_letter_case() {
    let (sent, now) = by_certificate();
    let serial = key_text("certificate", "serial");
    sent.clone().with(headers::SERIAL, &serial.to_lowercase()).verify(&platform_keys(), now).unwrap();
    sent.with(headers::SERIAL, serial).verify(&platform_keys(), now).unwrap();
}

#[test]
fn expired_certificate_is_no_key() {
    let (sent, now) = by_certificate();
    let key = PlatformKey::from_certificate_pem(key_text("certificate", "certificate_pem")).unwrap();
    let expires = key.expires().unwrap();
    assert!(now < expires);
    let keys = PlatformKeys::new([key]);
    let late = |seconds: i64| {
        let at = (expires.0 + seconds).to_string();
        sent.clone().with(headers::TIMESTAMP, &at)
    };
    // With the timestamp changed the signature no longer fits, which shows that the key was found.
    assert_eq!(refused(&late(0), &keys, expires), VerifyError::SignatureMismatch);
    let after = UnixSeconds(expires.0 + 1);
    assert!(matches!(refused(&late(1), &keys, after), VerifyError::UnknownSerial { .. }));
}

#[test]
fn trap_signtest_probe_does_not_reach_base64_decoding() {
    let genuine = String::from_utf8(Sent::signed("{}").header_mut(headers::SIGNATURE).clone()).unwrap();
    for rest in ["", "x", "!?", "AAAA", &genuine] {
        let sent = Sent::signed("{}").with(headers::SIGNATURE, &format!("WECHATPAY/SIGNTEST/{rest}"));
        assert_eq!(refused(&sent, &platform_keys(), NOW), VerifyError::SignatureProbe, "{rest}");
    }
}

/// Else it counted as a new key of WeChat Pay's, and certificates were asked for.
#[test]
fn trap_signtest_probe_under_a_serial_that_nobody_knows_is_a_probe() {
    for serial in ["PUB_KEY_ID_0", "5157F09EFDC096DE15EBE81A47057A72AAAAAAAA", "none"] {
        let probe = Sent::signed("{}").with(headers::SIGNATURE, "WECHATPAY/SIGNTEST/AAAA");
        let probe = probe.with(headers::SERIAL, serial);
        assert_eq!(refused(&probe, &platform_keys(), NOW), VerifyError::SignatureProbe, "{serial}");
        assert_eq!(refused(&probe, &PlatformKeys::default(), NOW), VerifyError::SignatureProbe, "{serial}");
    }
}

#[test]
fn signature_must_be_canonical_base64() {
    let genuine = String::from_utf8(Sent::signed("{}").header_mut(headers::SIGNATURE).clone()).unwrap();
    let bare = genuine.trim_end_matches('=');
    let (head, last) = bare.split_at(bare.len() - 1);
    // Another last character: the same two bits of the signature, other spare bits.
    let spare = char::from(last.as_bytes()[0] + 1);
    for text in [
        bare.to_owned(),
        format!("{bare}="),
        format!("{bare}==="),
        format!("{genuine}AAAA"),
        format!("{head}{spare}=="),
        genuine.replace(['+', '/'], "-"),
        genuine[1..].to_owned(),
        "invalid-base64-signature".to_owned(),
    ] {
        let sent = Sent::signed("{}").with(headers::SIGNATURE, &text);
        let error = refused(&sent, &platform_keys(), NOW);
        assert_eq!(error, VerifyError::MalformedSignature, "{text}");
    }
}

#[test]
fn well_formed_signature_of_another_length_key_or_message() {
    let keys = platform_keys();
    for text in ["AAAA".to_owned(), "AAAA".repeat(85), "AAAA".repeat(384)] {
        let sent = Sent::signed("{}").with(headers::SIGNATURE, &text);
        assert_eq!(refused(&sent, &keys, NOW), VerifyError::SignatureMismatch);
    }
    let mut sent = Sent::signed("{}");
    sent.body = b"{} ".to_vec();
    assert_eq!(refused(&sent, &keys, NOW), VerifyError::SignatureMismatch);
    let sent = Sent::signed("{}").with(headers::SERIAL, key_text("certificate", "serial"));
    assert_eq!(refused(&sent, &keys, NOW), VerifyError::SignatureMismatch);
}

#[test]
fn faults_are_named_in_the_order_of_the_checks() {
    let keys = platform_keys();
    let sent = Sent::signed("not JSON")
        .with(headers::SIGNATURE_TYPE, "X")
        .with(headers::SERIAL, "00")
        .with(headers::SIGNATURE, "WECHATPAY/SIGNTEST/");
    assert!(matches!(refused(&sent, &keys, UnixSeconds(0)), VerifyError::StaleTimestamp { .. }));
    assert!(matches!(refused(&sent, &keys, NOW), VerifyError::UnsupportedSignatureType { .. }));
    let sent = sent.with(headers::SIGNATURE_TYPE, "WECHATPAY2-SHA256-RSA2048");
    assert_eq!(refused(&sent, &keys, NOW), VerifyError::SignatureProbe);
    let sent = sent.with(headers::SIGNATURE, "no-base64");
    assert!(matches!(refused(&sent, &keys, NOW), VerifyError::UnknownSerial { .. }));
    let sent = sent.with(headers::SERIAL, key_text("public_key", "id"));
    assert_eq!(refused(&sent, &keys, NOW), VerifyError::MalformedSignature);
}

#[test]
fn keys_are_replaced_by_serial_and_listed() {
    let mut keys = platform_keys();
    keys.insert(public_key());
    let mut serials: Vec<_> = keys.serials().map(|serial| serial.as_str().to_owned()).collect();
    serials.sort_unstable();
    let (certificate, larger) = (key_text("certificate", "serial"), key_text("certificate_4096", "serial"));
    assert_eq!(serials, [certificate, larger, key_text("public_key", "id")]);
    assert!(!keys.is_empty() && PlatformKeys::default().is_empty());
}

#[test]
fn verified_callback_says_what_was_verified() {
    let sent = Sent::signed("{}");
    let callback = sent.parse().unwrap();
    assert_eq!(callback.unverified_serial(), key_text("public_key", "id"));
    assert_eq!((callback.unverified_timestamp(), callback.unverified_body()), (NOW, &b"{}"[..]));
    let verified = callback.verify(&platform_keys(), NOW).unwrap();
    assert_eq!(verified.serial(), key_text("public_key", "id"));
    assert_eq!((verified.timestamp(), verified.body()), (NOW, &b"{}"[..]));
}
