//! AEAD_AES_256_GCM: resources of callbacks and platform certificates.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use wechatpay::{ApiV3Key, KeyError, OpenError, PlatformKey};

use super::{entries, load, text};
use crate::fixture::{NOW, Sent, envelope, platform_keys};

/// Keys of SDK tests that no merchant has: of 16 bytes (and one of 13). Refused as keys; that the positive ones are
/// sound vectors is shown with AES-128, which our API does not have.
const REFUSED_AS_KEYS: [(&str, usize); 7] = [
    ("aesgcm-01", 16),
    ("aesgcm-02", 16),
    ("aesgcm-03", 16),
    ("aesgcm-04", 16),
    ("aesgcm-05", 13),
    ("aesgcm-06", 16),
    ("aesgcm-07", 16),
];

/// Nonces that WeChat never sends; the first two are positive for libraries that take any length.
const REFUSED_BY_NONCE: [(&str, usize); 6] = [
    ("aesgcm-16", 16),
    ("aesgcm-17", 16),
    ("aesgcm-27", 0),
    ("aesgcm-28", 1),
    ("aesgcm-29", 6),
    ("aesgcm-30", 13),
];

const REFUSED_AS_WRONG_KEY: [&str; 3] = ["aesgcm-09", "aesgcm-10", "aesgcm-11"];
const REFUSED_AS_BASE64: [&str; 1] = ["aesgcm-32"];
const REFUSED_AS_TOO_SHORT: [(&str, usize); 2] = [("aesgcm-31", 0), ("aesgcm-33", 3)];
const OPENED: [&str; 5] = ["aesgcm-08", "aesgcm-12", "aesgcm-13", "aesgcm-14", "aesgcm-15"];

/// What is to become of an entry.
enum Fate {
    KeyRefused(usize),
    NonceRefused(usize),
    WrongKey,
    NotBase64,
    TooShort(usize),
    Opened,
}

fn fate(id: &str) -> Fate {
    let sized = |table: &[(&str, usize)]| table.iter().find(|(named, _)| *named == id).map(|(_, size)| *size);
    if let Some(bytes) = sized(&REFUSED_AS_KEYS) {
        Fate::KeyRefused(bytes)
    } else if let Some(bytes) = sized(&REFUSED_BY_NONCE) {
        Fate::NonceRefused(bytes)
    } else if let Some(bytes) = sized(&REFUSED_AS_TOO_SHORT) {
        Fate::TooShort(bytes)
    } else if REFUSED_AS_WRONG_KEY.contains(&id) {
        Fate::WrongKey
    } else if REFUSED_AS_BASE64.contains(&id) {
        Fate::NotBase64
    } else if OPENED.contains(&id) {
        Fate::Opened
    } else {
        panic!("{id} stands in no table")
    }
}

#[test]
fn every_entry() {
    let Some(file) = load("v3_resource_aes_gcm.json") else { return };
    for entry in entries(&file, 10, 14) {
        let (id, key) = (text(entry, "id"), ApiV3Key::new(text(entry, "apiv3_key")));
        let Fate::KeyRefused(expected) = fate(id) else {
            check(entry, &key.unwrap());
            continue;
        };
        assert!(matches!(key, Err(KeyError::ApiV3KeyLength { bytes }) if bytes == expected), "{id}");
        if entry["case"] == "positive" {
            sound_with_aes_128(entry);
        }
    }
}

fn check(entry: &Value, key: &ApiV3Key) {
    let id = text(entry, "id");
    let opened = key.open(text(entry, "nonce"), text(entry, "associated_data"), text(entry, "ciphertext"));
    match (fate(id), &opened) {
        (Fate::NonceRefused(expected), Err(OpenError::NonceLength { bytes })) => {
            assert_eq!(*bytes, expected, "{id}")
        }
        (Fate::TooShort(expected), Err(OpenError::CiphertextTooShort { bytes })) => {
            assert_eq!(*bytes, expected, "{id}");
        }
        (Fate::WrongKey, Err(OpenError::WrongKey))
        | (Fate::NotBase64, Err(OpenError::CiphertextNotBase64)) => (),
        (Fate::Opened, Ok(plaintext)) => opens(entry, plaintext),
        (_, other) => panic!("{id}: {other:?}"),
    }
    through_a_callback(entry, key, opened);
}

fn opens(entry: &Value, plaintext: &[u8]) {
    let plaintext = std::str::from_utf8(plaintext).unwrap();
    assert_eq!(plaintext, text(&entry["expected"], "plaintext"), "{}", entry["id"]);
    if let Some(serial) = entry["expected_serial_no"].as_str() {
        let key = PlatformKey::from_certificate_pem(plaintext).unwrap();
        assert_eq!(key.serial().as_str(), serial);
    }
}

/// The same within a callback that is signed with the test's own key.
fn through_a_callback(entry: &Value, key: &ApiV3Key, opened: Result<Vec<u8>, OpenError>) {
    let mut envelope = envelope(b"");
    for field in ["nonce", "associated_data", "ciphertext"] {
        envelope["resource"][field] = entry[field].clone();
    }
    let sent = Sent::signed(envelope.to_string());
    let notification = sent.parse().unwrap().verify(&platform_keys(), NOW).unwrap().open(key);
    match (opened, notification) {
        (Ok(plaintext), Ok(notification)) => assert_eq!(notification.plaintext.as_bytes(), plaintext),
        // A greeting or a certificate is no notification.
        (Ok(plaintext), Err(OpenError::PlaintextNotJson(_))) => assert_ne!(plaintext[0], b'{'),
        (Err(bare), Err(wrapped)) => assert_eq!(bare.to_string(), wrapped.to_string()),
        (_, other) => panic!("{}: {other:?}", entry["id"]),
    }
}

fn sound_with_aes_128(entry: &Value) {
    let key = UnboundKey::new(&AES_128_GCM, text(entry, "apiv3_key").as_bytes()).unwrap();
    let nonce = Nonce::try_assume_unique_for_key(text(entry, "nonce").as_bytes()).unwrap();
    let mut buffer = STANDARD.decode(text(entry, "ciphertext")).unwrap();
    let associated_data = Aad::from(text(entry, "associated_data").as_bytes());
    opens(entry, LessSafeKey::new(key).open_in_place(nonce, associated_data, &mut buffer).unwrap());
}
