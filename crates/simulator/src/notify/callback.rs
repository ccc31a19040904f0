//! One copy of a notification as it goes over the wire: signed headers and body.
//!
//! Invariant: it is genuine when [`crate::Platform::sign`] made it and [`SignedCallback::tampered`] did not touch it.

use bytes::Bytes;
use rand::Rng;
use wechatpay::headers;

use crate::{Tampering, random};

/// Begins the signatures of WeChat's probes, which every receiver must refuse.
const PROBE_PREFIX: &str = "WECHATPAY/SIGNTEST/";

/// A signature as WeChat's probes have it: behind the beginning stands one that is wrong, so that who cuts it off is found
/// out, too. The whole is no base64, which has another length.
pub(crate) fn probe(signature: &str) -> String {
    format!("{PROBE_PREFIX}{}", other_first(signature))
}

/// A text whose first letter is another.
pub(crate) fn other_first(text: &str) -> String {
    let first = if text.starts_with('A') { 'B' } else { 'A' };
    std::iter::once(first).chain(text.chars().skip(1)).collect()
}

/// Leading characters of an RSA-2048 signature in base64 (256 bytes, 344 characters) that carry six bits each. Behind
/// them come one with four spare bits, which not every decoder looks at, and the padding `==`.
const SIGNATURE_CHARS: usize = 341;

/// Headers and body of one POST to the notify URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCallback {
    pub(crate) timestamp: String,
    pub(crate) nonce: String,
    pub(crate) signature: String,
    pub(crate) serial: String,
    pub(crate) body: Bytes,
}

impl SignedCallback {
    /// Names and values of the headers, `Content-Type` and the five of the signature.
    #[must_use]
    pub fn headers(&self) -> [(&'static str, &str); 6] {
        [
            ("content-type", "application/json"),
            (headers::TIMESTAMP, &self.timestamp),
            (headers::NONCE, &self.nonce),
            (headers::SIGNATURE, &self.signature),
            (headers::SERIAL, &self.serial),
            (headers::SIGNATURE_TYPE, "WECHATPAY2-SHA256-RSA2048"),
        ]
    }

    /// The body's bytes.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The copy after somebody without WeChat's key had his hands on it.
    #[must_use]
    pub fn tampered(mut self, tampering: Tampering, rng: &mut impl Rng) -> Self {
        match tampering {
            Tampering::BodyByte => self.body = with_one_bit_flipped(&self.body, rng),
            Tampering::SignatureByte => {
                let at = rng.random_range(0..SIGNATURE_CHARS.min(self.signature.len()));
                replace_char(&mut self.signature, at, rng);
            }
            Tampering::NonceByte => {
                let at = rng.random_range(0..self.nonce.len());
                replace_char(&mut self.nonce, at, rng);
            }
            Tampering::TimestampByte => self.change_timestamp_digit(rng),
            Tampering::UnknownSerial => self.serial = format!("PUB_KEY_ID_00{}", random::digits(rng, 32)),
            Tampering::SignatureProbe => self.signature = probe(&self.signature),
        }
        self
    }

    /// Not the first digit: a leading zero would be a malformed number rather than another time.
    fn change_timestamp_digit(&mut self, rng: &mut impl Rng) {
        let first = usize::from(self.timestamp.len() > 1);
        let at = rng.random_range(first..self.timestamp.len());
        let old = self.timestamp.as_bytes()[at] - b'0';
        let new = char::from(b'0' + (old + rng.random_range(1..10)) % 10);
        self.timestamp.replace_range(at..=at, new.encode_utf8(&mut [0; 4]));
    }
}

/// A body of which one bit is another.
pub(crate) fn with_one_bit_flipped(body: &Bytes, rng: &mut impl Rng) -> Bytes {
    let mut body = body.to_vec();
    let at = rng.random_range(0..body.len());
    body[at] ^= 1 << rng.random_range(0..8);
    body.into()
}

/// Puts another letter or digit in the place of the ASCII character at `at`.
fn replace_char(text: &mut String, at: usize, rng: &mut impl Rng) {
    let new = random::other_alphanumeric(rng, text.as_bytes()[at]);
    text.replace_range(at..=at, new.encode_utf8(&mut [0; 4]));
}
