//! One copy of a notification as it goes over the wire: signed headers and body.
//!
//! Invariant: it is genuine when [`crate::Platform::sign`] made it and [`SignedCallback::tampered`] did not touch it.

use bytes::Bytes;
use rand::Rng;
use wechatpay::headers;

use crate::{Tampering, random};

/// Begins the signatures of WeChat's probes, which every receiver must refuse.
const PROBE_PREFIX: &str = "WECHATPAY/SIGNTEST/";

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

/// What is posted to a notify URL, in either protocol.
pub(crate) trait Postable: Send + Sync {
    /// Names and values.
    fn headers(&self) -> Vec<(&'static str, &str)>;

    fn body(&self) -> &Bytes;
}

impl Postable for SignedCallback {
    fn headers(&self) -> Vec<(&'static str, &str)> {
        SignedCallback::headers(self).into()
    }

    fn body(&self) -> &Bytes {
        SignedCallback::body(self)
    }
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
            Tampering::BodyByte => self.flip_body_bit(rng),
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
            Tampering::SignatureProbe => self.signature.replace_range(..PROBE_PREFIX.len(), PROBE_PREFIX),
        }
        self
    }

    fn flip_body_bit(&mut self, rng: &mut impl Rng) {
        let mut body = self.body.to_vec();
        let at = rng.random_range(0..body.len());
        body[at] ^= 1 << rng.random_range(0..8);
        self.body = Bytes::from(body);
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

/// Puts another letter or digit in the place of the ASCII character at `at`.
fn replace_char(text: &mut String, at: usize, rng: &mut impl Rng) {
    let new = random::other_alphanumeric(rng, text.as_bytes()[at]);
    text.replace_range(at..=at, new.encode_utf8(&mut [0; 4]));
}
