//! What the merchant's page, Mini Program or app hands to WeChat so that the user can confirm a payment.
//!
//! Invariants: four lines are signed, by the merchant's RSA key; the signature type is none of them. Who has one of these
//! can start the payment, so `Debug` shows no signature. Deliberately absent: H5 and Native, which sign nothing, and 国密:
//! the cashier's `signType` is documented as RSA and nothing else, so an SM2 signature would only fail at the user's.

use std::fmt;

use serde::Serialize;

use crate::{KeyError, MerchantKey, Suite, UnixSeconds};

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
/// used at prepay), `nonce` has at most 32 characters, `key` is an RSA key of the merchant that the prepay was for: in
/// partner mode the provider's.
///
/// ```
/// use wechatpay::{MerchantKey, UnixSeconds, pay_sign};
///
/// # let keys: serde_json::Value = serde_json::from_str(include_str!("../../tests/vectors/keys.json"))?;
/// # let text = |name: &str| keys["merchant"][name].as_str().unwrap_or_default().to_owned();
/// # let (serial, pem) = (text("serial"), text("private_pem"));
/// let key = MerchantKey::from_pkcs8_pem(&serial, &pem)?;
/// // The nonce is random; the prepay id is what the prepay was answered.
/// let (nonce, prepay_id) = ("593BEC0C930BF1AFEB40B4A08C8FB242", "wx201410272009395522657a690389285100");
/// let payment = pay_sign("wx0123456789abcdef", UnixSeconds(1_772_414_107), nonce, prepay_id, &key)?;
/// let for_the_page = serde_json::to_value(&payment)?; // wx.requestPayment takes it as it is
/// assert_eq!(for_the_page["package"], "prepay_id=wx201410272009395522657a690389285100");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`KeyError::PaymentNeedsRsa`], with an SM2 key.
pub fn pay_sign(
    appid: &str,
    timestamp: UnixSeconds,
    nonce: &str,
    prepay_id: &str,
    key: &MerchantKey,
) -> Result<MiniProgramPayment, KeyError> {
    let package = format!("prepay_id={prepay_id}");
    let pay_sign = sign(&pay_sign_message(appid, timestamp, nonce, &package), key)?;
    Ok(MiniProgramPayment {
        time_stamp: timestamp.0.to_string(),
        nonce_str: nonce.to_owned(),
        package,
        sign_type: "RSA",
        pay_sign,
    })
}

fn sign(message: &[u8], key: &MerchantKey) -> Result<String, KeyError> {
    match key.suite() {
        Suite::Rsa => Ok(key.sign(message)),
        Suite::Sm => Err(KeyError::PaymentNeedsRsa),
    }
}

/// Signs a payment for a page inside WeChat (JSAPI): as [`pay_sign`], with the appid for the page.
///
/// # Errors
/// [`KeyError::PaymentNeedsRsa`], with an SM2 key.
pub fn pay_sign_jsapi(
    appid: &str,
    timestamp: UnixSeconds,
    nonce: &str,
    prepay_id: &str,
    key: &MerchantKey,
) -> Result<JsapiPayment, KeyError> {
    let payment = pay_sign(appid, timestamp, nonce, prepay_id, key)?;
    Ok(JsapiPayment { app_id: appid.to_owned(), payment })
}

/// Signs a payment for a mobile app. `partnerid` is the merchant, in partner mode the provider; it is not signed.
///
/// # Errors
/// [`KeyError::PaymentNeedsRsa`], with an SM2 key.
pub fn pay_sign_app(
    appid: &str,
    partnerid: &str,
    timestamp: UnixSeconds,
    nonce: &str,
    prepay_id: &str,
    key: &MerchantKey,
) -> Result<AppPayment, KeyError> {
    Ok(AppPayment {
        appid: appid.to_owned(),
        partnerid: partnerid.to_owned(),
        prepayid: prepay_id.to_owned(),
        package: "Sign=WXPay",
        noncestr: nonce.to_owned(),
        timestamp: timestamp.0.to_string(),
        sign: sign(&pay_sign_message(appid, timestamp, nonce, prepay_id), key)?,
    })
}
