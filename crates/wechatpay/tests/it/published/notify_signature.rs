//! `Wechatpay-Signature`: answers and callbacks, real ones among them.

use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use wechatpay::{HeaderError, PlatformKey, PlatformKeys, Serial, VerifyError, headers};

use super::{entries, load, text};
use crate::fixture::{Refusal, Sent};

/// Only the SHA-256 of the message was published: checked below our API, which hashes by itself.
const DIGEST_ONLY: &str = "notifysig-36";

/// With headers: the whole way of a callback. The last is refused as a probe, the others as a mismatch.
const REFUSED_AS_CALLBACKS: [&str; 7] = [
    "notifysig-02",
    "notifysig-05",
    "notifysig-06",
    "notifysig-08",
    "notifysig-09",
    "notifysig-12",
    "notifysig-37",
];

/// Without headers: a bare message, and the serial or the set of keys that should refuse it.
const REFUSED_BY_SERIAL: [&str; 3] = ["notifysig-20", "notifysig-24", "notifysig-27"];
const REFUSED_AS_BASE64: [&str; 2] = ["notifysig-23", "notifysig-31"];

#[test]
fn every_entry() {
    let Some(file) = load("v3_notify_signature.json") else { return };
    let (mut callbacks, mut messages, mut digests) = (0, 0, 0);
    for entry in entries(&file, 11, 18) {
        if entry["headers"].is_object() {
            callback(entry);
            callbacks += 1;
        } else if text(entry, "id") == DIGEST_ONLY {
            digest_only(entry);
            digests += 1;
        } else {
            message(entry);
            messages += 1;
        }
    }
    assert_eq!((callbacks, messages, digests), (13, 15, 1));
}

/// The key of an entry. Bare keys go by a serial that is no public-key id in SDK tests: they get an id of ours.
fn key(entry: &Value) -> PlatformKey {
    let pem = text(entry, "key_pem");
    match text(entry, "key_kind") {
        "certificate" => PlatformKey::from_certificate_pem(pem).unwrap(),
        "public_key" => {
            let named = entry["headers"]["Wechatpay-Serial"].as_str().unwrap_or("PUB_KEY_ID_1");
            PlatformKey::from_public_key_pem(named, pem).unwrap()
        }
        other => panic!("{other}"),
    }
}

fn callback(entry: &Value) {
    let (id, mut sent) = (text(entry, "id"), Sent::of_vector(entry));
    if let Some(extra) = entry["extra_headers"].as_object() {
        let extra = extra.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().into()));
        sent.headers.extend(extra);
    }
    let result = sent.verify(&PlatformKeys::new([key(entry)]), sent.timestamp());
    assert_eq!(result.is_ok(), entry["expected"]["verify"] == true, "{id}: {result:?}");
    assert_eq!(result.is_err(), REFUSED_AS_CALLBACKS.contains(&id), "{id}");
    match result {
        Err(Refusal::Verify(VerifyError::SignatureProbe)) => assert_eq!(id, "notifysig-37"),
        Err(Refusal::Verify(VerifyError::SignatureMismatch)) | Ok(()) => (),
        other => panic!("{id}: {other:?}"),
    }
}

fn message(entry: &Value) {
    let (id, key) = (text(entry, "id"), key(entry));
    if REFUSED_BY_SERIAL.contains(&id) {
        return refused_by_serial(entry, key);
    }
    if text(entry, "key_kind") == "certificate" {
        assert_eq!(key.serial().as_str(), text(entry, "serial"), "{id}");
    }
    let result = key.verify(text(entry, "message").as_bytes(), text(entry, "signature"));
    match &result {
        Err(VerifyError::MalformedSignature) => assert!(REFUSED_AS_BASE64.contains(&id), "{id}"),
        Err(VerifyError::SignatureMismatch) => assert!(!REFUSED_AS_BASE64.contains(&id), "{id}"),
        Ok(()) => (),
        other => panic!("{id}: {other:?}"),
    }
    assert_eq!(result.is_ok(), entry["expected"]["verify"] == true, "{id}: {result:?}");
}

/// These fail by their serial whatever the message is: as callbacks.
fn refused_by_serial(entry: &Value, key: PlatformKey) {
    let (id, serial) = (text(entry, "id"), text(entry, "serial"));
    let sent =
        Sent::signed("{}").with(headers::SERIAL, serial).with(headers::SIGNATURE, text(entry, "signature"));
    let known = !entry["known_serials"].as_array().unwrap().is_empty();
    let keys = PlatformKeys::new(known.then_some(key));
    match sent.verify(&keys, crate::fixture::NOW) {
        Err(Refusal::Header(HeaderError::Empty { header: headers::SERIAL })) => {
            assert_eq!(id, "notifysig-20")
        }
        Err(Refusal::Verify(VerifyError::UnknownSerial { .. })) => assert_eq!(id, "notifysig-24"),
        Err(Refusal::Header(HeaderError::NotAscii { header: headers::SERIAL })) => {
            assert_eq!(id, "notifysig-27");
            assert!(Serial::parse(serial).is_err());
        }
        other => panic!("{id}: {other:?}"),
    }
}

fn digest_only(entry: &Value) {
    let hex = text(entry, "message_sha256_hex").as_bytes();
    let nibble = |digit: u8| char::from(digit).to_digit(16).unwrap() as u8;
    let digest: Vec<u8> = hex.chunks(2).map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])).collect();
    let digest = Digest::import_less_safe(&digest, &SHA256).unwrap();
    let pem = text(entry, "key_pem");
    PlatformKey::from_public_key_pem("PUB_KEY_ID_1", pem).unwrap();
    let spki: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let spki = STANDARD.decode(spki).unwrap();
    let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, spki).unwrap();
    key.verify_digest_sig(&digest, &STANDARD.decode(text(entry, "signature")).unwrap()).unwrap();
}
