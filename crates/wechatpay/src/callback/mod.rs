//! A callback's way from bytes to trust: [`Callback`] (nothing believed) → [`VerifiedCallback`] (WeChat's own bytes) →
//! [`crate::Notification`] (opened). Each step consumes the one before.
//!
//! Order matters (WeChat Pay's rule): headers, timestamp window, key by serial, signature over the raw bytes, and only
//! then is the body parsed. Deliberately absent: a way round it.

mod ack;
pub mod headers;
mod notification;

use std::fmt;

use aws_lc_rs::digest::{Context, Digest, SHA256};

use self::headers::Unverified;
use crate::UnixSeconds;
use crate::error::{HeaderError, OpenError, VerifyError};
use crate::keys::{ApiV3Key, PlatformKeys};

pub use ack::fail_body_v3;
pub use notification::{Notification, Resource};

/// A timestamp this far from now, or farther, is refused (WeChat Pay's rule for replays).
const WINDOW_SECONDS: u64 = 300;

/// The one signature type of the RSA suite.
const SIGNATURE_TYPE_RSA: &str = "WECHATPAY2-SHA256-RSA2048";

/// Begins the deliberately wrong signatures by which WeChat tests whether merchants verify.
const PROBE_PREFIX: &str = "WECHATPAY/SIGNTEST/";

/// The signature headers and the raw body of a request. Nothing in it is believed.
///
/// What is not verified cannot be opened:
///
/// ```compile_fail,E0599
/// # fn f(callback: wechatpay::Callback<'_>, apiv3_key: &wechatpay::ApiV3Key) {
/// let notification = callback.open(apiv3_key);
/// # }
/// ```
///
/// nor can one callback be verified twice, say with another time:
///
/// ```compile_fail,E0382
/// # fn f(callback: wechatpay::Callback<'_>, keys: &wechatpay::PlatformKeys, now: wechatpay::UnixSeconds) {
/// let first = callback.verify(keys, now);
/// let second = callback.verify(keys, now);
/// # }
/// ```
pub struct Callback<'a> {
    unverified: Unverified<'a>,
    unverified_timestamp: UnixSeconds,
    unverified_body: &'a [u8],
}

impl<'a> Callback<'a> {
    /// Picks the signature headers out of a request's headers, in any order and letter case.
    ///
    /// # Errors
    /// When one of [`crate::headers::ALL`] is repeated, empty, oversized or not visible ASCII; when one other than
    /// the signature type is missing; when the timestamp is not a decimal number.
    pub fn parse(
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        body: &'a [u8],
    ) -> Result<Self, HeaderError> {
        let unverified = Unverified::pick(headers)?;
        if !unverified.timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(HeaderError::MalformedTimestamp);
        }
        let timestamp = unverified.timestamp.parse().map_err(|_| HeaderError::MalformedTimestamp)?;
        Ok(Self { unverified, unverified_timestamp: UnixSeconds(timestamp), unverified_body: body })
    }

    /// Proves that WeChat Pay signed these bytes less than 300 s before or after `now`.
    ///
    /// # Errors
    /// In this order: the timestamp, the signature type, the serial, a probe, the signature's base64, the signature.
    pub fn verify(self, keys: &PlatformKeys, now: UnixSeconds) -> Result<VerifiedCallback<'a>, VerifyError> {
        let Unverified { timestamp, nonce, signature, serial, signature_type } = self.unverified;
        if now.0.abs_diff(self.unverified_timestamp.0) >= WINDOW_SECONDS {
            return Err(VerifyError::StaleTimestamp { timestamp: self.unverified_timestamp, now });
        }
        if let Some(other) = signature_type.filter(|named| *named != SIGNATURE_TYPE_RSA) {
            return Err(VerifyError::UnsupportedSignatureType { signature_type: other.to_owned() });
        }
        let Some(key) = keys.valid(serial, now) else {
            return Err(VerifyError::UnknownSerial { serial: serial.to_owned() });
        };
        // Before base64: a probe need not be any.
        if signature.starts_with(PROBE_PREFIX) {
            return Err(VerifyError::SignatureProbe);
        }
        key.verify_digest(&callback_digest(timestamp, nonce, self.unverified_body), signature)?;
        Ok(VerifiedCallback { timestamp: self.unverified_timestamp, serial, body: self.unverified_body })
    }

    /// The serial that the request names, not verified: for logs only.
    #[must_use]
    pub fn unverified_serial(&self) -> &'a str {
        self.unverified.serial
    }

    /// The time that the request names, not verified: for logs only.
    #[must_use]
    pub fn unverified_timestamp(&self) -> UnixSeconds {
        self.unverified_timestamp
    }

    /// The raw body, not verified: for keeping what was refused.
    #[must_use]
    pub fn unverified_body(&self) -> &'a [u8] {
        self.unverified_body
    }
}

impl fmt::Debug for Callback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("unverified_serial", &self.unverified.serial)
            .field("unverified_timestamp", &self.unverified_timestamp)
            .field("unverified_body_bytes", &self.unverified_body.len())
            .finish_non_exhaustive()
    }
}

/// Bytes that WeChat Pay signed, recently. There is one way to get it, [`Callback::verify`]:
///
/// ```compile_fail,E0451
/// # let (timestamp, serial, body) = (wechatpay::UnixSeconds(0), "", &b""[..]);
/// let forged = wechatpay::VerifiedCallback { timestamp, serial, body };
/// ```
pub struct VerifiedCallback<'a> {
    timestamp: UnixSeconds,
    serial: &'a str,
    body: &'a [u8],
}

impl<'a> VerifiedCallback<'a> {
    /// Parses the envelope, decrypts the resource and parses that.
    ///
    /// # Errors
    /// Where envelope or resource are not as WeChat Pay documents them, or our APIv3 key is not the one that WeChat
    /// encrypted with ([`OpenError::is_key_fault`]).
    pub fn open(self, key: &ApiV3Key) -> Result<Notification, OpenError> {
        notification::open(self.body, key)
    }

    /// When WeChat signed this copy; a resend is signed anew.
    #[must_use]
    pub fn timestamp(&self) -> UnixSeconds {
        self.timestamp
    }

    /// The serial of the key that signed, as sent.
    #[must_use]
    pub fn serial(&self) -> &'a str {
        self.serial
    }

    /// The raw body: JSON with an encrypted resource.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.body
    }
}

impl fmt::Debug for VerifiedCallback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedCallback")
            .field("timestamp", &self.timestamp)
            .field("serial", &self.serial)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// The lines of the verification string: timestamp, nonce and raw body, each ended by a newline.
fn callback_lines<'a>(timestamp: &'a str, nonce: &'a str, body: &'a [u8]) -> [&'a [u8]; 6] {
    [timestamp.as_bytes(), b"\n", nonce.as_bytes(), b"\n", body, b"\n"]
}

/// The bytes that WeChat Pay signs for a callback or an answer, for those who play WeChat Pay in tests.
#[must_use]
pub fn callback_message(timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    callback_lines(timestamp, nonce, body).concat()
}

/// Their SHA-256, without putting them together: a callback's body is not copied to be verified.
fn callback_digest(timestamp: &str, nonce: &str, body: &[u8]) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in callback_lines(timestamp, nonce, body) {
        context.update(part);
    }
    context.finish()
}
