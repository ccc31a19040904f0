//! Whatever comes in, nothing panics and nothing that was not signed is believed.

use proptest::prelude::*;
use wechatpay::answer::certificates;
use wechatpay::{
    ApiV3Key, Callback, KeyError, MerchantCertificate, MerchantKey, PlatformKey, Serial, UnixSeconds, headers,
};

use crate::fixture::{NOW, Sent, apiv3_key, envelope, open_body, open_plaintext, platform_keys, private_key};

fn name() -> impl Strategy<Value = String> {
    prop_oneof![4 => prop::sample::select(headers::ALL.to_vec()).prop_map(str::to_owned), 1 => ".*"]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<Vec<u8>>(),
        "[0-9]{1,20}".prop_map(String::into_bytes),
        "[A-Za-z0-9+/]{0,400}={0,3}".prop_map(String::into_bytes),
        "(WECHATPAY/SIGNTEST/|PUB_KEY_ID_)?[!-~]{0,40}".prop_map(String::into_bytes),
        Just(b"PUB_KEY_ID_0119000000012025060100000000000001".to_vec()),
    ]
}

proptest! {
    #[test]
    fn arbitrary_headers_and_body(
        sent in prop::collection::vec((name(), value()), 0..8),
        body: Vec<u8>,
        now: i64,
    ) {
        let sent = sent.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        let believed = Callback::parse(sent, &body).map(|callback| {
            callback.verify(&platform_keys(), UnixSeconds(now)).is_ok()
        });
        prop_assert_ne!(believed, Ok(true));
    }

    #[test]
    fn well_formed_headers_within_the_window(nonce in "[!-~]{1,128}", signature in value(), body: Vec<u8>, now in 0..i64::MAX / 10) {
        let timestamp = now.to_string();
        let sent = [
            (headers::TIMESTAMP, timestamp.as_bytes()),
            (headers::NONCE, nonce.as_bytes()),
            (headers::SIGNATURE, signature.as_slice()),
            (headers::SERIAL, b"PUB_KEY_ID_0119000000012025060100000000000001"),
        ];
        let believed = Callback::parse(sent, &body).map(|callback| {
            callback.verify(&platform_keys(), UnixSeconds(now)).is_ok()
        });
        prop_assert_ne!(believed, Ok(true));
    }

    #[test]
    fn arbitrary_signed_body(body: Vec<u8>) {
        prop_assert!(open_body(body).is_err());
    }

    #[test]
    fn arbitrary_plaintext(plaintext in prop_oneof![any::<Vec<u8>>(), "[\\[\\]{}:,\"a0.e-]{0,40}".prop_map(String::into_bytes)]) {
        if let Ok(notification) = open_plaintext(&plaintext) {
            prop_assert_eq!(notification.plaintext.as_bytes(), plaintext.as_slice());
        }
    }

    #[test]
    fn envelope_with_one_arbitrary_field(field in "(id|event_type|summary|resource_type|resource)", text in ".*") {
        let mut envelope = envelope(b"{}");
        envelope[field] = text.into();
        // Only panics are of interest: an arbitrary id or summary is a good one.
        let _ = open_body(envelope.to_string());
    }

    #[test]
    fn arbitrary_resource(nonce in ".{0,16}", associated_data in ".*", ciphertext in "[A-Za-z0-9+/]{0,80}={0,2}") {
        prop_assert!(apiv3_key().open(&nonce, &associated_data, &ciphertext).is_err());
    }

    #[test]
    fn arbitrary_list_of_certificates(body in prop_oneof![any::<Vec<u8>>(), "\\{\"data\":\\[[\\[\\]{}:,\"a0]{0,40}".prop_map(String::into_bytes)]) {
        let sent = Sent::signed(body);
        let answer = sent.answer(200).unwrap();
        prop_assert!(certificates::open(answer, &platform_keys(), &apiv3_key(), NOW).is_err());
    }

    #[test]
    fn arbitrary_encrypted_field(ciphertext in "[A-Za-z0-9+/]{0,400}={0,2}") {
        prop_assert!(private_key("merchant").decrypt(&ciphertext).is_err());
    }

    #[test]
    fn arbitrary_keys(text in prop_oneof![".*", "-----BEGIN [A-Z ]{0,12}-----\n[A-Za-z0-9+/\n]{0,99}={0,2}\n-----END [A-Z ]{0,12}-----"]) {
        prop_assert!(PlatformKey::from_certificate_pem(&text).is_err());
        prop_assert!(PlatformKey::from_public_key_pem("PUB_KEY_ID_1", &text).is_err());
        prop_assert!(MerchantKey::from_pkcs8_pem("01", &text).is_err());
        prop_assert!(MerchantCertificate::from_pem(&text).is_err());
        let _ = Serial::parse(&text);
        let length = matches!(ApiV3Key::new(&text), Err(KeyError::ApiV3KeyLength { bytes }) if bytes == text.len());
        prop_assert_eq!(length, text.len() != 32);
    }

    #[test]
    fn damaged_der(position in 0usize..300, byte: u8, label in "(CERTIFICATE|PUBLIC KEY|PRIVATE KEY|RSA PRIVATE KEY)") {
        use base64::Engine as _;
        use base64::engine::general_purpose::STANDARD;
        let pem = crate::fixture::key_text("certificate", "certificate_pem");
        let mut der = STANDARD.decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap();
        der[position] = byte;
        let text = STANDARD.encode(&der);
        let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let pem = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"));
        // Only panics are of interest: a certificate with another name or date is one too.
        let _ = PlatformKey::from_certificate_pem(&pem);
        let _ = MerchantCertificate::from_pem(&pem);
        let _ = PlatformKey::from_public_key_pem("PUB_KEY_ID_1", &pem);
        let _ = MerchantKey::from_pkcs8_pem("01", &pem);
    }
}
