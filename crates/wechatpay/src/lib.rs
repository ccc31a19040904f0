//! WeChat Pay's wire protocol (APIv3): callbacks are verified and opened, requests are signed.
//!
//! Invariants: nothing is believed before its signature is verified, which the types enforce: [`Callback`] becomes
//! [`VerifiedCallback`] becomes [`Notification`], and each step consumes the one before. No input makes it panic.
//! Deliberately absent: I/O, async, clock and randomness (the time and every nonce are arguments; encrypting a field is
//! the one exception, see [`PlatformKey::encrypt`]), trust in a certificate's issuer (a platform key is trusted because
//! the caller configured it or the APIv3 key decrypted it).
//!
//! The feature `sm` adds 国密, the suite of SM2, SM3 and SM4, from crates in pure Rust: see [`Suite`].
//!
//! ```
//! use wechatpay::{ApiV3Key, Callback, Fen, PlatformKey, PlatformKeys, Product, UnixSeconds};
//!
//! # let load = |text: &str| serde_json::from_str::<serde_json::Value>(text);
//! # let keys = load(include_str!("../tests/vectors/keys.json"))?;
//! # let callbacks = load(include_str!("../tests/vectors/callbacks.json"))?;
//! # let vector = &callbacks["vectors"][0];
//! # let text = |value: &'static str| vector["headers"][value].as_str().unwrap_or_default();
//! # let (id, pem) = (&keys["public_key"]["id"], &keys["public_key"]["public_pem"]);
//! # let (id, pem) = (id.as_str().unwrap_or_default(), pem.as_str().unwrap_or_default());
//! # let apiv3_key = keys["apiv3_key"].as_str().unwrap_or_default();
//! # let body = vector["body"].as_str().unwrap_or_default().as_bytes();
//! # let now = UnixSeconds(text("Wechatpay-Timestamp").parse()?);
//! # let headers = ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature", "Wechatpay-Serial"];
//! # let headers = headers.map(|name| (name, text(name).as_bytes()));
//! // Once: the keys of the merchant.
//! let platform_keys = PlatformKeys::new([PlatformKey::from_public_key_pem(id, pem)?]);
//! let apiv3_key = ApiV3Key::new(apiv3_key)?;
//!
//! // For each request: its headers, its raw body and the time at which it came.
//! let notification = Callback::parse(headers, body)?.verify(&platform_keys, now)?.open(&apiv3_key)?;
//!
//! assert_eq!(notification.product, Product::Payment);
//! // Ordinary, partner and combine payments alike; of other products see `notification.resource`.
//! for payment in notification.resource.payments() {
//!     assert_eq!((payment.state, payment.total), ("SUCCESS", Fen::new(100)?));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod answer;
pub mod api;
pub mod bill;
mod callback;
pub mod diagnosis;
mod error;
mod keys;
mod money;
mod request;
mod resource;
mod suite;
mod time;
pub mod v2;

pub use callback::{Callback, Notification, VerifiedCallback, callback_message, fail_body_v3, headers};
pub use error::{FieldError, HeaderError, KeyError, OpenError, VerifyError};
pub use keys::{ApiV3Key, MerchantCertificate, MerchantKey, PlatformKey, PlatformKeys, Serial};
pub use money::{Fen, NegativeAmount};
pub use request::{
    AppPayment, JsapiPayment, MiniProgramPayment, RequestToSign, pay_sign, pay_sign_app, pay_sign_jsapi,
    pay_sign_message,
};
pub use resource::{
    Amount, AuthorizationClosed, CombineTransaction, PartnerPayer, PartnerTransaction, Payer, Payment,
    Product, ProfitSharing, Refund, RefundAmount, Resource, SUPPORTED_NOTICES, SecurityEcho, ShareReceiver,
    SubOrder, SubOrderAmount, SupportedNotice, Transaction, TransferAuthorization, TransferBatch,
    TransferBill,
};
pub use suite::Suite;
pub use time::UnixSeconds;
