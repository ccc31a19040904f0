//! WeChat Pay's answers to requests: verified before they are read, errors with a hint.
//!
//! [`Answer`] (nothing believed) → [`VerifiedAnswer`] (WeChat's own bytes), by the same headers, strings and rules as a
//! callback. Deliberately absent: a way round it for a success. A 2xx without a signature is a forgery, with the one
//! exception of bill files, which are never signed and do not come here; a 4xx often has none, and says nothing final
//! about money.

pub mod certificates;

use std::fmt;

use crate::callback::signed::Signed;
use crate::error::{HeaderError, VerifyError};
use crate::{PlatformKeys, UnixSeconds};

mod error;
mod hints;
mod retry;

pub use error::{ApiError, Detail, SignInformation};
pub use hints::Hint;
pub(crate) use hints::is_same_code;
pub use retry::Retry;

/// A verified answer that is not what WeChat Pay documents.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The body is not the JSON that belongs to the call. The source quotes nothing of it.
    #[error("the answer is not what WeChat Pay documents for this call: {0}")]
    Malformed(#[source] serde_json::Error),
    /// It is genuine, but about something else than was asked for: another answer of WeChat Pay's in its place.
    #[error(
        "the answer is about another {field} than the call; ask again, and look for a proxy that mixes up answers"
    )]
    AboutAnother {
        /// What differs, by its name on the wire.
        field: &'static str,
    },
}

/// The status, the signature headers and the raw body of an answer. Nothing in it is believed.
///
/// ```
/// # let load = |text: &str| serde_json::from_str::<serde_json::Value>(text);
/// # let keys = load(include_str!("../../tests/vectors/keys.json"))?;
/// # let vector = &load(include_str!("../../tests/vectors/callbacks.json"))?["vectors"][0];
/// # let text = |name: &'static str| vector["headers"][name].as_str().unwrap_or_default();
/// # let (id, pem) = (&keys["public_key"]["id"], &keys["public_key"]["public_pem"]);
/// # let (id, pem) = (id.as_str().unwrap_or_default(), pem.as_str().unwrap_or_default());
/// # let platform_keys = wechatpay::PlatformKeys::new([wechatpay::PlatformKey::from_public_key_pem(id, pem)?]);
/// # let body = vector["body"].as_str().unwrap_or_default().as_bytes();
/// # let now = wechatpay::UnixSeconds(text("Wechatpay-Timestamp").parse()?);
/// # let headers = ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature", "Wechatpay-Serial"];
/// # let headers = headers.map(|name| (name, text(name).as_bytes()));
/// use wechatpay::answer::Answer;
///
/// let answer = Answer::parse(200, headers, body)?.verify(&platform_keys, now)?;
/// assert!(answer.is_success());
/// let json: serde_json::Value = serde_json::from_slice(answer.body())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Answer<'a> {
    status: u16,
    signed: Signed<'a>,
}

impl<'a> Answer<'a> {
    /// Picks the signature headers out of an answer's headers, in any order and letter case. The body may be empty, as
    /// it is with 204.
    ///
    /// # Errors
    /// When one of [`crate::headers::ALL`] is repeated, empty, oversized or not visible ASCII; when one other than
    /// the signature type is missing; when the timestamp is not a decimal number.
    pub fn parse(
        status: u16,
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        body: &'a [u8],
    ) -> Result<Self, HeaderError> {
        Signed::parse(headers, body).map(|signed| Self { status, signed })
    }

    /// Proves that WeChat Pay signed these bytes less than 300 s before or after `now`. The status is not part of what
    /// is signed.
    ///
    /// # Errors
    /// As [`crate::Callback::verify`]. After any of them the outcome of the request is *unknown*, not a failure: ask for it.
    pub fn verify(self, keys: &PlatformKeys, now: UnixSeconds) -> Result<VerifiedAnswer<'a>, VerifyError> {
        self.signed.verify(keys, now)?;
        let Signed { unverified_timestamp: timestamp, unverified_body: body, .. } = self.signed;
        Ok(VerifiedAnswer { status: self.status, timestamp, serial: self.signed.unverified_serial(), body })
    }

    /// The HTTP status, which no signature covers.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The serial that the answer names, not verified: for logs, and to know that keys are to be refreshed.
    #[must_use]
    pub fn unverified_serial(&self) -> &'a str {
        self.signed.unverified_serial()
    }
}

impl fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("unverified_serial", &self.unverified_serial())
            .field("unverified_body_bytes", &self.signed.unverified_body.len())
            .finish_non_exhaustive()
    }
}

/// An answer whose body WeChat Pay signed, recently. There is one way to get it, [`Answer::verify`].
pub struct VerifiedAnswer<'a> {
    status: u16,
    timestamp: UnixSeconds,
    serial: &'a str,
    body: &'a [u8],
}

impl<'a> VerifiedAnswer<'a> {
    /// Whether the status is 2xx. 202 means "not finished: repeat the same request".
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The HTTP status, which no signature covers.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// When WeChat Pay signed it.
    #[must_use]
    pub fn timestamp(&self) -> UnixSeconds {
        self.timestamp
    }

    /// The serial of the key that signed, as sent.
    #[must_use]
    pub fn serial(&self) -> &'a str {
        self.serial
    }

    /// The raw body.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.body
    }
}

impl fmt::Debug for VerifiedAnswer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedAnswer")
            .field("status", &self.status)
            .field("timestamp", &self.timestamp)
            .field("serial", &self.serial)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}
