//! Why a callback does not verify or open: the true path first, then the known causes, each proved.
//!
//! [`diagnose`] walks the way that a server goes ([`Callback::parse`](crate::Callback::parse), `verify`, `open`) and
//! writes down each step. Where it stops, the known causes are undone one after the other, and a cause is named only if
//! what comes out does verify (or if the callback says so itself, as a missing header does).
//!
//! ```
//! use wechatpay::diagnosis::{Account, Captured, Class, diagnose};
//! # use wechatpay::{ApiV3Key, PlatformKey, PlatformKeys};
//! # let load = |text: &str| serde_json::from_str::<serde_json::Value>(text);
//! # let keys = load(include_str!("../../tests/vectors/keys.json"))?;
//! # let callbacks = load(include_str!("../../tests/vectors/callbacks.json"))?;
//! # let vector = &callbacks["vectors"][0];
//! # let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
//! # let (id, pem) = (text(&keys["public_key"]["id"]), text(&keys["public_key"]["public_pem"]));
//! # let platform_keys = PlatformKeys::new([PlatformKey::from_public_key_pem(&id, &pem)?]);
//! # let apiv3_key = ApiV3Key::new(&text(&keys["apiv3_key"]))?;
//! # let names = ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature", "Wechatpay-Serial"];
//! # let values = names.map(|name| text(&vector["headers"][name]));
//! # let headers: Vec<_> = names.iter().zip(&values).map(|(name, value)| (*name, value.as_bytes())).collect();
//! # let genuine = text(&vector["body"]);
//! // The body of a genuine callback, saved by an editor that ends every file with a newline.
//! let saved = format!("{genuine}\n");
//! let captured = Captured { headers: &headers, body: saved.as_bytes(), merchant: Some("1900000001") };
//! let account = Account::new("1900000001", &platform_keys, &apiv3_key);
//!
//! let diagnosis = diagnose(&captured, &[account], None);
//! assert_eq!(diagnosis.class, Class::Changed);
//! assert_eq!(diagnosis.causes[0].code(), "newline_added");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Invariants: no input makes it panic; the work is bounded (100,000 signatures over 256 MiB, and 64 MiB of bodies
//! written anew: a few seconds at the worst, for a forgery); no text in a [`Diagnosis`] holds a secret, a signature or anything decrypted, which is in
//! [`Diagnosis::notification`] alone. Deliberately absent: tables of Chinese charsets (a garbled `summary` is
//! proved by the texts that WeChat Pay writes there), and acting on what was found: a callback that verifies only after
//! it was mended stays refused.
//!
//! An XML body without the headers of a signature is a notice of APIv2, and checked as [`crate::v2`] does.

mod apiv2;
mod body;
mod budget;
mod cause;
mod class;
mod finding;
mod headers;
mod remedy;
mod search;
mod walk;

use crate::v2::ApiV2Key;
use crate::{ApiV3Key, MerchantKey, Notification, PlatformKeys, UnixSeconds};

pub use body::BodyChange;
pub use cause::Cause;
pub use class::Class;
pub use finding::diagnose;
pub use headers::HeaderChange;
pub use walk::{Check, Outcome, Step};

/// A callback as it was saved.
#[derive(Clone, Copy, Debug)]
pub struct Captured<'a> {
    /// Names and values as they came, in any order and letter case. A `Content-Length` among them tells a cut body.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body as it came.
    pub body: &'a [u8],
    /// The merchant that the request's path names, if that is known.
    pub merchant: Option<&'a str>,
}

/// A merchant and what is known of its keys.
#[derive(Clone, Debug)]
pub struct Account<'a> {
    mchid: &'a str,
    keys: &'a PlatformKeys,
    apiv3_key: &'a ApiV3Key,
    merchant_key: Option<&'a MerchantKey>,
    apiv2_key: Option<&'a ApiV2Key>,
}

impl<'a> Account<'a> {
    /// What a server needs to receive callbacks.
    #[must_use]
    pub fn new(mchid: &'a str, keys: &'a PlatformKeys, apiv3_key: &'a ApiV3Key) -> Self {
        Self { mchid, keys, apiv3_key, merchant_key: None, apiv2_key: None }
    }

    /// With the merchant's own private key, so that its public half in the place of WeChat Pay's is found out.
    #[must_use]
    pub fn with_merchant_key(self, key: &'a MerchantKey) -> Self {
        Self { merchant_key: Some(key), ..self }
    }

    /// With the merchant's APIv2 key, for notices of APIv2, and so that two keys in each other's place are found out.
    #[must_use]
    pub fn with_apiv2_key(self, key: &'a ApiV2Key) -> Self {
        Self { apiv2_key: Some(key), ..self }
    }

    /// The APIv2 key in the place of the APIv3 key: both have 32 ASCII characters.
    fn apiv2_key_as_v3(&self) -> Option<ApiV3Key> {
        ApiV3Key::new(std::str::from_utf8(self.apiv2_key?.bytes()).ok()?).ok()
    }
}

/// What was checked, and why it failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Diagnosis {
    /// In one word.
    pub class: Class,
    /// By whose keys it was looked at.
    pub merchant: Option<String>,
    /// As of when it was looked at; `None`: as of the time that its own header names.
    pub now: Option<UnixSeconds>,
    /// Every check of the true path, in its order.
    pub steps: Vec<Step>,
    /// Why it failed, the most telling first. Never empty unless [`Class::Accepted`].
    pub causes: Vec<Cause>,
    /// What it says, where it opens, be it after what was changed had been undone. It names the payer: not for logs.
    pub notification: Option<Notification>,
}
