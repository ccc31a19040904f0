//! What a prepay answers, and for how long it can be used. Deliberately absent: checks of a prefix, which differ.

use std::fmt;

use serde::Deserialize;

/// Of JSAPI and App: valid for 2 hours, whatever `time_expire` says. Expired, the same call gives another.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PrepayId {
    /// For [`crate::pay_sign`] and its siblings.
    pub prepay_id: String,
}

/// Of Native: valid for 2 hours; another prepay makes the former one invalid.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct CodeUrl {
    /// `weixin://wxpay/…`, to be shown as a QR code.
    pub code_url: String,
}

/// Of H5: valid for 5 minutes, for one user.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct H5Url {
    /// Where to send the user's browser, from a page on the registered domain; `&redirect_url=…`, percent-encoded, may
    /// be added.
    pub h5_url: String,
}

// Who has one of these can pay with it: not for logs.
impl fmt::Debug for CodeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeUrl([REDACTED])")
    }
}

impl fmt::Debug for H5Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("H5Url([REDACTED])")
    }
}
