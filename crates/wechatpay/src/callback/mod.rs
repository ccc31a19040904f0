//! A callback's way from bytes to trust: [`Callback`] (nothing believed) → [`VerifiedCallback`] (WeChat's own bytes) →
//! [`crate::Notification`] (opened). Each step consumes the one before.
//!
//! The order of the checks is that of [`signed`]; the body is parsed after all of them. Deliberately absent: a way round
//! it.

mod ack;
pub mod headers;
mod notification;
pub(crate) mod signed;

use std::fmt;

use self::signed::Signed;
use crate::UnixSeconds;
use crate::error::{HeaderError, OpenError, VerifyError};
use crate::keys::{ApiV3Key, PlatformKeys};

pub use ack::fail_body_v3;
pub use notification::Notification;
pub use signed::callback_message;

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
    signed: Signed<'a>,
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
        Signed::parse(headers, body).map(|signed| Self { signed })
    }

    /// Proves that WeChat Pay signed these bytes less than 300 s before or after `now`.
    ///
    /// # Errors
    /// In this order: the timestamp, the signature type, a probe, the serial, the suite of its key, the signature's
    /// base64, the signature.
    pub fn verify(self, keys: &PlatformKeys, now: UnixSeconds) -> Result<VerifiedCallback<'a>, VerifyError> {
        self.signed.verify(keys, now)?;
        let Signed { unverified_timestamp: timestamp, unverified_body: body, .. } = self.signed;
        Ok(VerifiedCallback { timestamp, serial: self.signed.unverified_serial(), body })
    }

    /// The serial that the request names, not verified: for logs only.
    #[must_use]
    pub fn unverified_serial(&self) -> &'a str {
        self.signed.unverified_serial()
    }

    /// The time that the request names, not verified: for logs only.
    #[must_use]
    pub fn unverified_timestamp(&self) -> UnixSeconds {
        self.signed.unverified_timestamp
    }

    /// The raw body, not verified: for keeping what was refused.
    #[must_use]
    pub fn unverified_body(&self) -> &'a [u8] {
        self.signed.unverified_body
    }
}

impl fmt::Debug for Callback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("unverified_serial", &self.unverified_serial())
            .field("unverified_timestamp", &self.unverified_timestamp())
            .field("unverified_body_bytes", &self.unverified_body().len())
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
