//! `result_code` `FAIL`: what went wrong in WeChat Pay's business, what to do, and whether to try again.
//!
//! The list of codes is open. Invariants: a code of orders or refunds that APIv3 has too asks for the same here as there;
//! codes are compared without underscores and letter case, as WeChat Pay spells several both ways. Deliberately absent:
//! judging by `err_code_des`, whose wording WeChat Pay changes.

use std::fmt;

use super::VerifiedFields;
use crate::answer::is_same_code;

/// What may be done after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retry {
    /// Send the same again, same numbers and same parameters, after a few seconds.
    Same,
    /// Send the same again, but only after a minute or more.
    Later,
    /// Ask for the order or refund first: it may have happened.
    Query,
    /// Only as a new order under a new number.
    New,
    /// Not at all: something must be mended first.
    No,
}

/// A verified failure.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure {
    /// Such as `ORDERPAID`; an open list; empty where WeChat Pay names none.
    pub err_code: String,
    /// WeChat Pay's words, mostly Chinese; may be empty.
    pub err_code_des: String,
}

impl Failure {
    /// The failure that verified fields tell of.
    pub(super) fn of(fields: &VerifiedFields) -> Option<Self> {
        let owned = |name| fields.owned(name).unwrap_or_default();
        (fields.get("result_code") == Some("FAIL"))
            .then(|| Self { err_code: owned("err_code"), err_code_des: owned("err_code_des") })
    }

    /// What may be done next. An unknown code leaves the outcome open: ask.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.row().map_or(Retry::Query, |(_, retry, _)| *retry)
    }

    /// Whether it does not say what became of the call: WeChat Pay is busy, in trouble or not done, or it names a code that
    /// is not known here. Every other failure is a no.
    #[must_use]
    pub fn leaves_outcome_open(&self) -> bool {
        match self.retry() {
            Retry::Same | Retry::Later => true,
            Retry::Query => !NO_BUT_QUERY.iter().any(|code| is_same_code(code, &self.err_code)),
            Retry::New | Retry::No => false,
        }
    }

    /// What to do, in English.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.row()
            .map_or("a code that is not known here; see err_code_des and WeChat Pay's manual", |row| row.2)
    }

    fn row(&self) -> Option<&'static (&'static str, Retry, &'static str)> {
        TABLE.iter().find(|(code, _, _)| is_same_code(code, &self.err_code))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WeChat Pay: {:?} {:?}; {}", self.err_code, self.err_code_des, self.hint())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure").field("err_code", &self.err_code).finish_non_exhaustive()
    }
}

impl std::error::Error for Failure {}

/// These say no; the query is for what the order is instead.
const NO_BUT_QUERY: [&str; 3] = ["ORDERPAID", "TRADE_STATE_ERROR", "OUT_TRADE_NO_USED"];

/// The codes of APIv2 that are documented for orders, refunds and code payment, spelled as WeChat Pay spells them.
const TABLE: &[(&str, Retry, &str)] = &[
    ("SYSTEMERROR", Retry::Same, "WeChat Pay does not know the outcome; send the same again, or query"),
    ("BIZERR_NEED_RETRY", Retry::Same, "two refunds at once; send the same again, under the same number"),
    ("FREQUENCY_LIMITED", Retry::Later, "too many calls; wait a minute, then send the same again"),
    ("INVALID_REQ_TOO_MUCH", Retry::Later, "too many faulty calls; wait a minute and mend them"),
    ("ORDER_NOT_READY", Retry::Later, "the order is being processed; send the same again later"),
    ("ORDERPAID", Retry::Query, "the order is paid already; query it"),
    ("TRADE_STATE_ERROR", Retry::Query, "the order's state does not allow this; query it"),
    (
        "OUT_TRADE_NO_USED",
        Retry::Query,
        "the number has other parameters, or is finished; query, then use those, or close it and take a new number",
    ),
    ("USERPAYING", Retry::Query, "the user is entering the password; query every 5 to 10 seconds"),
    ("BANKERROR", Retry::Query, "the bank did not answer in time; query the order"),
    ("ERROR", Retry::Query, "see err_code_des; query before anything else"),
    ("ORDERCLOSED", Retry::New, "the order is closed; place a new one under a new number"),
    ("ORDERREVERSED", Retry::New, "the order was reversed; place a new one under a new number"),
    ("BUYER_MISMATCH", Retry::New, "another user began to pay this order; place a new one"),
    ("AUTHCODEEXPIRE", Retry::New, "the payment code expired; scan a fresh one"),
    ("AUTH_CODE_ERROR", Retry::New, "the payment code was used; scan a fresh one"),
    ("AUTH_CODE_INVALID", Retry::New, "this is no payment code of WeChat's; scan one of 18 digits"),
    ("NOTSUPORTCARD", Retry::New, "the card is not supported; the user must choose another"),
    ("NOAUTH", Retry::No, "the merchant may not use this product; apply for it on the merchant platform"),
    (
        "NOTENOUGH",
        Retry::No,
        "too little money: top up the merchant's balance, or use another card; then the same again, same number",
    ),
    ("REFUNDNOTEXIST", Retry::No, "the refund was never accepted; send the same refund again, same number"),
    ("ORDERNOTEXIST", Retry::No, "no such order, or it is not paid; check number, appid and mch_id"),
    ("INVALID_REQUEST", Retry::No, "parameters differ from the first call's, or the format is wrong"),
    ("APPID_NOT_EXIST", Retry::No, "check appid"),
    ("MCHID_NOT_EXIST", Retry::No, "check mch_id"),
    ("APPID_MCHID_NOT_MATCH", Retry::No, "bind the appid to the merchant on the merchant platform"),
    ("LACK_PARAMS", Retry::No, "a field is missing; see err_code_des"),
    ("SIGNERROR", Retry::No, "check the APIv2 key, sign_type, and that every field sent is signed"),
    ("XML_FORMAT_ERROR", Retry::No, "the request is not WeChat Pay's XML"),
    ("POST_DATA_EMPTY", Retry::No, "the request has no body"),
    ("NOT_UTF8", Retry::No, "the request is not UTF-8"),
    ("REQUIRE_POST_METHOD", Retry::No, "the request must be a POST"),
    ("PARAM_ERROR", Retry::No, "a field has a bad value; see err_code_des"),
    ("TRADE_ERROR", Retry::No, "the payment failed for the user; see err_code_des"),
    ("RULELIMIT", Retry::No, "refused by risk control or a limit; see err_code_des"),
    ("CERT_ERROR", Retry::No, "the client certificate is not valid: check apiclient_cert and its merchant"),
    ("TRADE_OVERDUE", Retry::No, "over a year since the payment; refund by other means"),
    ("USER_ACCOUNT_ABNORMAL", Retry::No, "the payer's account is closed; refund by other means"),
    ("INVALID_TRANSACTIONID", Retry::No, "the payment number is malformed"),
    ("REFUND_FEE_MISMATCH", Retry::No, "the amounts differ from the first call's under this number"),
    ("REVERSE_EXPIRE", Retry::No, "over 7 days since the payment; refund it instead"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_is_listed_twice() {
        for (at, (code, _, _)) in TABLE.iter().enumerate() {
            assert!(TABLE[at + 1..].iter().all(|(other, _, _)| !is_same_code(code, other)), "{code}");
        }
        assert_eq!(TABLE.len(), 41);
    }
}
