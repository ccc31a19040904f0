//! Target `envelope`: an arbitrary body that WeChat Pay signed. In it [`SEALED`] stands for a resource that opens.
//!
//! Held: it gives a notification that says just what the JSON says, or a typed error that fits; what was decrypted is
//! the text that was sealed, and is not shown; another APIv3 key opens nothing.

use serde_json::Value;
use wechatpay::{Notification, OpenError};

use crate::fixture::{KEYS, SEAL_DATA, Signed, seal};
use crate::input::canary::{self, assert_hidden};
use crate::{Stage, Target};

/// See the module.
pub const TARGET: Target = Target {
    name: "envelope",
    run,
    stages: &[
        "not UTF-8",
        "not JSON",
        "resource type",
        "algorithm",
        "nonce",
        "not base64",
        "too short",
        "wrong key",
        "malformed",
        "opened",
    ],
};

/// Replaced by the ciphertext of [`PLAINTEXT`].
const SEALED: &str = "@SEALED@";

const PLAINTEXT: &str = r#"{"mchid":"1900000001","appid":"wx0123456789abcdef","out_trade_no":"payonce-0001","transaction_id":"4200000000202506150000000001","trade_state":"SUCCESS","payer":{"openid":"oTestOpenid0000000000000000"},"amount":{"total":100,"currency":"CNY"}}"#;

fn run(input: &[u8]) -> Stage {
    let body = body(input);
    let signed = Signed::new(&body);
    let opened = signed.verified().open(&KEYS.apiv3);
    let by_other_key = signed.verified().open(&KEYS.other_apiv3);
    match &opened {
        Ok(notification) => {
            says_what_the_body_says(notification, &body);
            assert!(matches!(by_other_key, Err(OpenError::WrongKey)), "another key opens it");
            assert_hidden(&format!("{notification:?}"));
            "opened"
        }
        Err(error) => {
            let shown = format!("{error} {error:?}");
            if !canary::is_in(&body) {
                assert_hidden(&shown);
            }
            let other = by_other_key.expect_err("another key opens it");
            let was_decrypted = matches!(
                error,
                OpenError::PlaintextNotUtf8
                    | OpenError::PlaintextNotJson(_)
                    | OpenError::ResourceMalformed { .. }
            );
            if was_decrypted {
                assert!(other.is_key_fault(), "{other}");
            } else {
                assert_eq!(other.to_string(), error.to_string());
            }
            refused(error, &body)
        }
    }
}

fn body(input: &[u8]) -> Vec<u8> {
    let sealed = seal(PLAINTEXT.as_bytes(), SEAL_DATA);
    let mut body = Vec::with_capacity(input.len() + sealed.len());
    let mut rest = input;
    while let Some(at) = rest.windows(SEALED.len()).position(|window| window == SEALED.as_bytes()) {
        body.extend_from_slice(&rest[..at]);
        body.extend_from_slice(sealed.as_bytes());
        rest = &rest[at + SEALED.len()..];
    }
    body.extend_from_slice(rest);
    body
}

fn says_what_the_body_says(notification: &Notification, body: &[u8]) {
    assert_eq!(notification.plaintext, PLAINTEXT);
    // A number beyond all numbers in a field that nobody reads is none for this reader.
    let Ok(said) = serde_json::from_slice::<Value>(body) else { return };
    assert_eq!(said["id"], notification.id.as_str());
    assert_eq!(said["create_time"], notification.create_time.as_str());
    assert_eq!(said["event_type"], notification.event_type.as_str());
    assert_eq!(said["summary"].as_str().unwrap_or_default(), notification.summary);
    assert_eq!(said["resource_type"], "encrypt-resource");
    let resource = &said["resource"];
    let original_type = resource["original_type"].as_str().filter(|text| !text.is_empty());
    assert_eq!(original_type, notification.original_type.as_deref());
    assert_eq!(resource["nonce"].as_str().map(str::len), Some(12));
    assert_eq!(resource["associated_data"], SEAL_DATA);
}

fn refused(error: &OpenError, body: &[u8]) -> Stage {
    let text = std::str::from_utf8(body);
    assert_eq!(matches!(error, OpenError::BodyNotUtf8), text.is_err());
    let said = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let resource = &said["resource"];
    match error {
        OpenError::BodyNotUtf8 => "not UTF-8",
        OpenError::BodyNotJson(_) => "not JSON",
        OpenError::UnsupportedResourceType { resource_type } => {
            assert_ne!(resource_type, "encrypt-resource");
            "resource type"
        }
        OpenError::UnsupportedAlgorithm { algorithm } => {
            assert_ne!(algorithm, "AEAD_AES_256_GCM");
            "algorithm"
        }
        OpenError::NonceLength { bytes } => {
            assert_ne!(*bytes, 12);
            assert!(said.is_null() || resource["nonce"].as_str().map(str::len) == Some(*bytes));
            "nonce"
        }
        OpenError::CiphertextNotBase64 => "not base64",
        OpenError::CiphertextTooShort { bytes } => {
            assert!(*bytes < 16);
            "too short"
        }
        OpenError::WrongKey => "wrong key",
        OpenError::ResourceMalformed { notification, .. } => {
            says_what_the_body_says(notification, body);
            "malformed"
        }
        OpenError::PlaintextNotUtf8 | OpenError::PlaintextNotJson(_) => {
            panic!("what was sealed is a payment: {error}")
        }
    }
}
