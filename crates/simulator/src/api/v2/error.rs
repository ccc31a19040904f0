//! What is wrong with a request of APIv2, in WeChat's words.

use crate::books::Refusal;

/// Why there is no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Error {
    /// `return_code` is FAIL, and this is `return_msg`. Nothing signs it.
    Said(String),
    /// The books say no: `result_code` is FAIL.
    Refused(Refusal),
    /// There is no bill: `return_msg` and `error_code`.
    NoBill { return_msg: &'static str, error_code: &'static str },
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Error {
    pub(super) fn said(text: &str) -> Self {
        Self::Said(text.to_owned())
    }

    pub(super) fn missing(field: &str) -> Self {
        Self::Said(format!("缺少参数{field}"))
    }

    pub(super) fn invalid(field: &str) -> Self {
        Self::Said(format!("invalid {field}"))
    }
}
