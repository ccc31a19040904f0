//! Payments of APIv2 as a client asks the user to confirm them.
//!
//! The algorithm is the messages'; the names of the fields are the client's own. Deliberately absent: red packets,
//! whose fields are encoded before they are signed.

use std::fmt;

use serde::Serialize;

use super::{ApiV2Key, Fields, SignType, sign};
use crate::{MiniProgramPayment, UnixSeconds};

/// Signs a payment for a Mini Program or a page within WeChat (JSAPI). `sign_type` must be the order's; it is part of
/// what is signed, unlike APIv3's.
#[must_use]
pub fn pay_sign(
    appid: &str,
    timestamp: UnixSeconds,
    nonce: &str,
    prepay_id: &str,
    sign_type: SignType,
    key: &ApiV2Key,
) -> MiniProgramPayment {
    let (time_stamp, package) = (timestamp.0.to_string(), format!("prepay_id={prepay_id}"));
    let mut fields = Fields::default();
    fields.insert("appId", appid);
    fields.insert("timeStamp", time_stamp.as_str());
    fields.insert("nonceStr", nonce);
    fields.insert("package", package.as_str());
    fields.insert("signType", sign_type.as_str());
    MiniProgramPayment {
        time_stamp,
        nonce_str: nonce.to_owned(),
        package,
        sign_type: sign_type.as_str(),
        pay_sign: sign(&fields, sign_type, key),
    }
}

/// The arguments of a payment in an app; serializes under the names that WeChat's SDK wants.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct AppPayment {
    /// The app.
    pub appid: String,
    /// The merchant.
    pub partnerid: String,
    /// The prepay id.
    pub prepayid: String,
    /// `Sign=WXPay`.
    pub package: &'static str,
    /// The nonce that was signed.
    pub noncestr: String,
    /// Unix seconds, as text.
    pub timestamp: String,
    /// The sign.
    pub sign: String,
}

impl fmt::Debug for AppPayment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppPayment").field("prepayid", &self.prepayid).finish_non_exhaustive()
    }
}

/// Signs a payment for an app. `sign_type` must be the order's; here it is not part of what is signed.
#[must_use]
pub fn app_pay_sign(
    appid: &str,
    mch_id: &str,
    timestamp: UnixSeconds,
    nonce: &str,
    prepay_id: &str,
    sign_type: SignType,
    key: &ApiV2Key,
) -> AppPayment {
    let mut payment = AppPayment {
        appid: appid.to_owned(),
        partnerid: mch_id.to_owned(),
        prepayid: prepay_id.to_owned(),
        package: "Sign=WXPay",
        noncestr: nonce.to_owned(),
        timestamp: timestamp.0.to_string(),
        sign: String::new(),
    };
    let mut fields = Fields::default();
    fields.insert("appid", payment.appid.as_str());
    fields.insert("partnerid", payment.partnerid.as_str());
    fields.insert("prepayid", payment.prepayid.as_str());
    fields.insert("package", payment.package);
    fields.insert("noncestr", payment.noncestr.as_str());
    fields.insert("timestamp", payment.timestamp.as_str());
    payment.sign = sign(&fields, sign_type, key);
    payment
}
