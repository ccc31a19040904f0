//! The merchant's side: signing requests to WeChat Pay, and the payment that a Mini Program asks the user to confirm.
//!
//! Invariant: what is signed is exactly the bytes given; nothing is encoded, ordered or trimmed. Deliberately absent:
//! sending, and making nonces (at most 32 letters and digits from a good source of randomness).

use std::fmt;

use serde::Serialize;

use crate::{MerchantKey, UnixSeconds};

/// A request to WeChat Pay, as it goes on the wire.
#[derive(Clone, Copy, Debug)]
pub struct RequestToSign<'a> {
    /// In upper case, such as `POST`.
    pub method: &'a str,
    /// Absolute path and query, percent-encoded exactly as sent; no host, no fragment.
    pub url: &'a str,
    /// Now: WeChat allows 5 minutes either way.
    pub timestamp: UnixSeconds,
    /// Random, fresh for each attempt.
    pub nonce: &'a str,
    /// The raw body; empty for GET; for an upload, the JSON of its `meta` part.
    pub body: &'a [u8],
}

impl RequestToSign<'_> {
    /// The signing string: method, url, timestamp, nonce and body, each ended by a newline.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let Self { method, url, timestamp: UnixSeconds(timestamp), nonce, body } = self;
        let mut message = format!("{method}\n{url}\n{timestamp}\n{nonce}\n").into_bytes();
        message.extend_from_slice(body);
        message.push(b'\n');
        message
    }

    /// The value of the `Authorization` header; its scheme is that of the key's suite. `mchid` is the caller's merchant number; neither it nor the nonce may
    /// hold a double quote, which WeChat allows in neither.
    #[must_use]
    pub fn authorization(&self, mchid: &str, key: &MerchantKey) -> String {
        let Self { timestamp: UnixSeconds(timestamp), nonce, .. } = self;
        let (scheme, signature, serial) = (key.suite(), key.sign(&self.message()), key.serial());
        format!(
            "{scheme} mchid=\"{mchid}\",nonce_str=\"{nonce}\",signature=\"{signature}\",\
             timestamp=\"{timestamp}\",serial_no=\"{serial}\""
        )
    }
}

/// The arguments of `wx.requestPayment` in a Mini Program; serializes under the names that it wants.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MiniProgramPayment {
    /// Unix seconds, as text.
    pub time_stamp: String,
    /// The nonce that was signed.
    pub nonce_str: String,
    /// `prepay_id=…`.
    pub package: String,
    /// `RSA`.
    pub sign_type: &'static str,
    /// The signature, base64.
    pub pay_sign: String,
}

impl fmt::Debug for MiniProgramPayment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MiniProgramPayment").field("package", &self.package).finish_non_exhaustive()
    }
}

/// The string signed for a payment: appid, timestamp, nonce and package, each ended by a newline. `package` is
/// `prepay_id=…` in a Mini Program and the bare prepay id in an app.
#[must_use]
pub fn pay_sign_message(appid: &str, timestamp: UnixSeconds, nonce: &str, package: &str) -> Vec<u8> {
    let UnixSeconds(timestamp) = timestamp;
    format!("{appid}\n{timestamp}\n{nonce}\n{package}\n").into_bytes()
}

/// Signs a payment for a Mini Program. The signature type is not part of what is signed. The key must be an RSA key:
/// WeChat Pay documents no other for payments, also for merchants whose requests are signed with SM2.
#[must_use]
pub fn pay_sign(
    appid: &str,
    timestamp: UnixSeconds,
    nonce: &str,
    prepay_id: &str,
    key: &MerchantKey,
) -> MiniProgramPayment {
    let package = format!("prepay_id={prepay_id}");
    let pay_sign = key.sign(&pay_sign_message(appid, timestamp, nonce, &package));
    MiniProgramPayment {
        time_stamp: timestamp.0.to_string(),
        nonce_str: nonce.to_owned(),
        package,
        sign_type: "RSA",
        pay_sign,
    }
}
