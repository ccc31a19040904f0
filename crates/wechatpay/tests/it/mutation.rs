//! Every callback that differs from a valid one in a single byte is refused.
//!
//! The one equivalence is named here: letters of a certificate's serial may change their case. Deliberately absent:
//! header names, whose letter case is HTTP's.

use wechatpay::{PlatformKeys, UnixSeconds, headers};

use crate::fixture::{Sent, platform_keys, vectors};

/// One signed with the public key, one with a certificate.
const VECTORS: [&str; 2] = ["associated_data empty", "by certificate"];

fn valid(name: &str) -> (Sent, UnixSeconds) {
    let callbacks = vectors("callbacks");
    let mut all = callbacks["vectors"].as_array().unwrap().iter();
    let mut sent = Sent::of_vector(all.find(|vector| vector["name"] == name).unwrap());
    if !sent.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(headers::SIGNATURE_TYPE)) {
        sent.headers.push((headers::SIGNATURE_TYPE.to_owned(), b"WECHATPAY2-SHA256-RSA2048".to_vec()));
    }
    let now = sent.timestamp();
    sent.verify(&platform_keys(), now).unwrap();
    (sent, now)
}

/// Every other value for a byte.
fn others(byte: u8) -> impl Iterator<Item = u8> {
    (0..=u8::MAX).filter(move |other| *other != byte)
}

fn body_is_proof(name: &str) {
    let (mut sent, now) = valid(name);
    let keys = platform_keys();
    let mut refused = 0;
    for position in 0..sent.body.len() {
        let byte = sent.body[position];
        for other in others(byte) {
            sent.body[position] = other;
            assert!(sent.verify(&keys, now).is_err(), "{name}: body[{position}] = {other:#04x}");
            refused += 1;
        }
        sent.body[position] = byte;
    }
    assert_eq!(refused, sent.body.len() * 255);
    sent.verify(&keys, now).unwrap();
}

fn case_of_certificate_serial(header: &str, serial: &[u8], byte: u8, other: u8) -> bool {
    header == headers::SERIAL && !serial.starts_with(b"PUB_KEY_ID_") && byte.eq_ignore_ascii_case(&other)
}

fn headers_are_proof(name: &str, keys: &PlatformKeys) -> usize {
    let (mut sent, now) = valid(name);
    let mut accepted = 0;
    for header in headers::ALL {
        let value = sent.header_mut(header).clone();
        for (position, byte) in value.iter().copied().enumerate() {
            for other in others(byte) {
                sent.header_mut(header)[position] = other;
                if case_of_certificate_serial(header, &value, byte, other) {
                    sent.verify(keys, now).unwrap();
                    accepted += 1;
                } else {
                    assert!(sent.verify(keys, now).is_err(), "{name}: {header}[{position}] = {other:#04x}");
                }
            }
            sent.header_mut(header)[position] = byte;
        }
        sent.verify(keys, now).unwrap();
    }
    accepted
}

#[test]
fn body_signed_with_the_public_key() {
    body_is_proof(VECTORS[0]);
}

#[test]
fn body_signed_with_a_certificate() {
    body_is_proof(VECTORS[1]);
}

#[test]
fn headers_signed_with_the_public_key() {
    assert_eq!(headers_are_proof(VECTORS[0], &platform_keys()), 0);
}

#[test]
fn headers_signed_with_a_certificate() {
    // The letters of 0A1B2C3D4E5F60718293A4B5C6D7E8F901234567.
    assert_eq!(headers_are_proof(VECTORS[1], &platform_keys()), 12);
}

#[test]
fn a_byte_more_or_less() {
    for name in VECTORS {
        let (sent, now) = valid(name);
        let keys = platform_keys();
        for position in 0..sent.body.len() {
            let mut shorter = sent.clone();
            shorter.body.remove(position);
            assert!(shorter.verify(&keys, now).is_err(), "{name}: body without byte {position}");
            let mut longer = sent.clone();
            longer.body.insert(position, b' ');
            assert!(longer.verify(&keys, now).is_err(), "{name}: a blank at {position}");
        }
        for header in headers::ALL {
            for position in 0..sent.clone().header_mut(header).len() {
                let mut shorter = sent.clone();
                shorter.header_mut(header).remove(position);
                assert!(shorter.verify(&keys, now).is_err(), "{name}: {header} without byte {position}");
                let mut longer = sent.clone();
                longer.header_mut(header).insert(position, b'0');
                assert!(longer.verify(&keys, now).is_err(), "{name}: {header} with a 0 at {position}");
            }
        }
    }
}
