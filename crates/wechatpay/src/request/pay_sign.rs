//! What the merchant's page, Mini Program or app hands to WeChat so that the user can confirm a payment.
//!
//! Invariants: four lines are signed, by the key that signed the prepay; the signature type is none of them. Who has one
//! of these can start the payment, so `Debug` shows no signature. Deliberately absent: H5 and Native, which sign nothing.

use std::fmt;

use serde::Serialize;

use crate::{MerchantKey, UnixSeconds};

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

/// The arguments of `getBrandWCPayRequest` in a page inside WeChat: those of a Mini Program, and the appid.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JsapiPayment {
    /// The service account's, or whichever app was given at prepay.
    pub app_id: String,
    /// All else.
    #[serde(flatten)]
    pub payment: MiniProgramPayment,
}

/// The fields of `PayReq` in a mobile app.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct AppPayment {
    /// The app's.
    pub appid: String,
    /// The merchant; in partner mode the provider.
    pub partnerid: String,
    /// As the prepay answered it.
    pub prepayid: String,
    /// `Sign=WXPay`.
    pub package: &'static str,
    /// The nonce that was signed.
    pub noncestr: String,
    /// Unix seconds, as text.
    pub timestamp: String,
    /// The signature, base64.
    pub sign: String,
}

impl fmt::Debug for MiniProgramPayment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MiniProgramPayment").field("package", &self.package).finish_non_exhaustive()
    }
}

impl fmt::Debug for JsapiPayment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let package = &self.payment.package;
        f.debug_struct("JsapiPayment").field("package", package).finish_non_exhaustive()
    }
}

impl fmt::Debug for AppPayment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppPayment").field("prepayid", &self.prepayid).finish_non_exhaustive()
    }
}

/// The string signed for a payment: appid, timestamp, nonce and package, each ended by a newline. `package` is
/// `prepay_id=…` in a Mini Program or a page, and the bare prepay id in an app.
#[must_use]
pub fn pay_sign_message(appid: &str, timestamp: UnixSeconds, nonce: &str, package: &str) -> Vec<u8> {
    let UnixSeconds(timestamp) = timestamp;
    format!("{appid}\n{timestamp}\n{nonce}\n{package}\n").into_bytes()
}

/// Signs a payment for a Mini Program. `appid` is the Mini Program's (in partner mode `sub_appid`, if `sub_openid` was
/// used at prepay), `nonce` has at most 32 characters, `key` is the one that signed the prepay: in partner mode the
/// provider's.
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

/// Signs a payment for a page inside WeChat (JSAPI): as [`pay_sign`], with the appid for the page.
#[must_use]
pub fn pay_sign_jsapi(
    appid: &str,
    timestamp: UnixSeconds,
    nonce: &str,
    prepay_id: &str,
    key: &MerchantKey,
) -> JsapiPayment {
    let payment = pay_sign(appid, timestamp, nonce, prepay_id, key);
    JsapiPayment { app_id: appid.to_owned(), payment }
}

/// Signs a payment for a mobile app. `partnerid` is the merchant, in partner mode the provider; it is not signed.
#[must_use]
pub fn pay_sign_app(
    appid: &str,
    partnerid: &str,
    timestamp: UnixSeconds,
    nonce: &str,
    prepay_id: &str,
    key: &MerchantKey,
) -> AppPayment {
    AppPayment {
        appid: appid.to_owned(),
        partnerid: partnerid.to_owned(),
        prepayid: prepay_id.to_owned(),
        package: "Sign=WXPay",
        noncestr: nonce.to_owned(),
        timestamp: timestamp.0.to_string(),
        sign: key.sign(&pay_sign_message(appid, timestamp, nonce, prepay_id)),
    }
}
