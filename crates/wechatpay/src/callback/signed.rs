//! What WeChat Pay signs alike in callbacks and in answers: three lines (timestamp, nonce, raw body), under five headers.
//!
//! Order matters (WeChat Pay's rule): headers, timestamp window, key by serial, signature over the raw bytes, and only
//! then is the body anybody's business. A probe is told before a key is looked for. Deliberately absent: what the body
//! says.

use super::headers::Unverified;
use crate::error::{HeaderError, VerifyError};
use crate::suite::Suite;
use crate::{PlatformKeys, UnixSeconds};

/// A timestamp this far from now, or farther, is refused (WeChat Pay's rule for replays).
pub(crate) const WINDOW_SECONDS: u64 = 300;

/// Begins the deliberately wrong signatures by which WeChat tests whether merchants verify.
pub(crate) const PROBE_PREFIX: &str = "WECHATPAY/SIGNTEST/";

/// The signature headers and the raw body. Nothing in it is believed.
#[derive(Clone, Copy)]
pub(crate) struct Signed<'a> {
    unverified: Unverified<'a>,
    pub(crate) unverified_timestamp: UnixSeconds,
    pub(crate) unverified_body: &'a [u8],
}

impl<'a> Signed<'a> {
    pub(crate) fn parse(
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

    /// The serial that the headers name.
    pub(crate) fn unverified_serial(&self) -> &'a str {
        self.unverified.serial
    }

    /// Proves that WeChat Pay signed these bytes less than 300 s before or after `now`.
    pub(crate) fn verify(&self, keys: &PlatformKeys, now: UnixSeconds) -> Result<(), VerifyError> {
        let Unverified { timestamp, nonce, signature, serial, signature_type } = self.unverified;
        if now.0.abs_diff(self.unverified_timestamp.0) >= WINDOW_SECONDS {
            return Err(VerifyError::StaleTimestamp { timestamp: self.unverified_timestamp, now });
        }
        let Some(suite) = Suite::of_signature_type(signature_type) else {
            let signature_type = signature_type.unwrap_or_default().to_owned();
            return Err(VerifyError::UnsupportedSignatureType { signature_type });
        };
        // Before the key: a probe may name one that nobody has, and nothing has to be asked for because of it. And before
        // base64, which a probe need not be.
        if signature.starts_with(PROBE_PREFIX) {
            return Err(VerifyError::SignatureProbe);
        }
        let Some(key) = keys.valid(serial, now) else {
            return Err(VerifyError::UnknownSerial { serial: serial.to_owned() });
        };
        if key.suite() != suite {
            return Err(VerifyError::OtherSuite {
                serial: serial.to_owned(),
                signed: suite,
                key: key.suite(),
            });
        }
        // In parts: a body is not copied to be verified.
        key.verify_parts(&lines(timestamp, nonce, self.unverified_body), signature)
    }
}

/// The lines of the verification string: timestamp, nonce and raw body, each ended by a newline.
fn lines<'a>(timestamp: &'a str, nonce: &'a str, body: &'a [u8]) -> [&'a [u8]; 6] {
    [timestamp.as_bytes(), b"\n", nonce.as_bytes(), b"\n", body, b"\n"]
}

/// The bytes that WeChat Pay signs for a callback or an answer, for those who play WeChat Pay in tests.
#[must_use]
pub fn callback_message(timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    lines(timestamp, nonce, body).concat()
}
