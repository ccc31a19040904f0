//! The merchant's side: signing requests to WeChat Pay, and the payment that the user is asked to confirm.
//!
//! Invariant: what is signed is exactly the bytes given; nothing is encoded, ordered or trimmed. Deliberately absent:
//! sending, and making nonces (at most 32 letters and digits from a good source of randomness).

mod pay_sign;

pub use pay_sign::{
    AppPayment, JsapiPayment, MiniProgramPayment, pay_sign, pay_sign_app, pay_sign_jsapi, pay_sign_message,
};

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
