//! What WeChat Pay's codes mean, and what to do: two tables, by numeric code and by code.
//!
//! Invariant: codes are compared without underscores, as WeChat Pay spells several both ways. Deliberately absent:
//! WeChat Pay's own texts, of which one code has many.

use super::Retry;

/// What a code means, and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    /// What is the matter.
    pub meaning: &'static str,
    /// What to do.
    pub fix: &'static str,
}

impl Hint {
    /// By the digits at the end of `Request-Id`.
    #[must_use]
    pub fn of_numeric_code(code: u64) -> Option<&'static Self> {
        NUMERIC.iter().find(|(known, _)| *known == code).map(|(_, hint)| hint)
    }

    /// By `code`, in either spelling.
    #[must_use]
    pub fn of_code(code: &str) -> Option<&'static Self> {
        row_of(code).map(|row| &row.hint)
    }
}

/// Underscores and letter case aside.
pub(crate) fn is_same_code(one: &str, other: &str) -> bool {
    let plain = |code: &str| {
        code.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_uppercase()).collect()
    };
    let (one, other): (Vec<u8>, Vec<u8>) = (plain(one), plain(other));
    one == other
}

/// What may be done after a code, before it is asked what the call does.
pub(super) fn retry_of_code(code: &str) -> Option<Retry> {
    row_of(code).map(|row| row.retry)
}

fn row_of(code: &str) -> Option<&'static Row> {
    CODES.iter().find(|row| row.codes.iter().any(|known| is_same_code(known, code)))
}

struct Row {
    codes: &'static [&'static str],
    retry: Retry,
    hint: Hint,
}

const fn row(codes: &'static [&'static str], retry: Retry, meaning: &'static str, fix: &'static str) -> Row {
    Row { codes, retry, hint: Hint { meaning, fix } }
}

const fn numeric(code: u64, meaning: &'static str, fix: &'static str) -> (u64, Hint) {
    (code, Hint { meaning, fix })
}

#[rustfmt::skip] // a table
const CODES: &[Row] = &[
    row(&["PARAM_ERROR"], Retry::No, "a parameter is missing or malformed", "see detail for the field; amounts are whole fen, times RFC 3339"),
    row(&["INVALID_REQUEST"], Retry::No, "the format is right but a rule is broken", "most often a number is used again with other parameters, or the order's state does not allow it; for a bill's file, ask for a new URL"),
    row(&["SIGN_ERROR"], Retry::No, "the signature was refused", "check that serial and private key belong together, that the clock is right within 5 minutes, and that path, query and body are signed as they are sent"),
    row(&["NO_AUTH"], Retry::No, "the merchant has no right to this", "open the product, have the sub-merchant authorise it, or use the merchant that the bill belongs to"),
    row(&["APPID_MCHID_NOT_MATCH"], Retry::No, "the appid is not bound to the merchant", "bind them on the merchant platform and wait some minutes"),
    row(&["MCH_NOT_EXISTS"], Retry::No, "there is no such merchant", "check the merchant's number"),
    row(&["OPENID_MISMATCH"], Retry::No, "the openid belongs to another appid", "log the user in under the appid of the order"),
    row(&["USER_NOT_EXISTS", "USER_NOT_EXIST"], Retry::No, "there is no such user under this appid, or the account is closed", "obtain the openid anew under the appid of the call"),
    row(&["OUT_TRADE_NO_USED"], Retry::Query, "the number was used with other parameters, for another kind of prepay, or is finished", "query the order; then send the same parameters as at first, or close it and use a new number"),
    row(&["ORDER_PAID"], Retry::Query, "the order is paid", "query it and take it as paid once the signed answer says so; refund instead of closing"),
    row(&["ORDER_CLOSED"], Retry::New, "the order is closed for ever", "use a new number"),
    row(&["ORDER_REVERSED"], Retry::New, "the order was reversed", "use a new number"),
    row(&["ORDER_NOT_EXIST"], Retry::No, "this merchant has no such order at WeChat Pay", "check number and merchant; a prepay with this number never succeeded and may be sent again"),
    row(&["INVALID_TRANSACTIONID"], Retry::No, "the transaction_id is malformed", "use the one of the notification or of a query"),
    row(&["TRADE_ERROR"], Retry::No, "the payment failed for a business reason", "see the message"),
    row(&["RULE_LIMIT"], Retry::No, "a limit or a risk rule forbids it", "see the message; the merchant platform shows limits"),
    row(&["REQUEST_BLOCKED"], Retry::No, "the refund is refused", "see the message"),
    row(&["ACCOUNT_ERROR"], Retry::No, "the payer's account is in no state to pay", "have the user pay in another way"),
    row(&["USER_ACCOUNT_ABNORMAL"], Retry::No, "the payer's account is closed", "pay the user back outside WeChat Pay"),
    row(&["NOT_ENOUGH"], Retry::No, "the merchant's balance is too low", "top it up, then send the same number with the same parameters"),
    row(&["RESOURCE_NOT_EXISTS"], Retry::No, "there is no such thing at WeChat Pay", "for a refund's query: it was never accepted, send the same refund again; for a refund: the order is unknown or unpaid; for certificates: the merchant has WeChat Pay's public key only"),
    row(&["REFUND_NOT_EXISTS", "REFUNDNOTEXIST"], Retry::No, "the refund was never accepted", "send the same refund again, with the same number"),
    row(&["RESOURCE_ALREADY_EXISTS", "ALREADY_EXISTS"], Retry::Query, "it exists already", "query it"),
    row(&["NOT_FOUND"], Retry::No, "neither this path nor what it names exists", "check the path and the numbers in it"),
    row(&["TRADE_OVERDUE"], Retry::No, "the payment is more than a year ago", "pay the user back outside WeChat Pay"),
    row(&["REFUND_FEE_MISMATCH"], Retry::No, "the amounts differ from the first call with this number", "send the amounts of the first call"),
    row(&["BIZ_ERR_NEED_RETRY"], Retry::Same, "another operation on the order is under way", "send the same call again"),
    row(&["NO_STATEMENT_EXIST"], Retry::No, "nothing happened that day", "take it as an empty bill"),
    row(&["STATEMENT_CREATING"], Retry::Later, "the bill is not ready", "ask again every 30 minutes; bills are there from about 10:00 Beijing time of the next day"),
    row(&["FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED", "FREQUENCY_LIMIT_EXCEED"], Retry::Later, "too many calls", "slow down; a refund may have been accepted nevertheless, so query it"),
    row(&["USER_PAYING"], Retry::Query, "the user is entering the password", "query every 5 seconds"),
    row(&["AUTH_CODE_INVALID"], Retry::No, "this is no payment code of WeChat's", "scan the code anew"),
    row(&["AUTH_CODE_EXPIRE"], Retry::No, "the payment code has expired", "scan the code anew, and use a new number"),
    row(&["BANK_ERROR"], Retry::Query, "the bank has trouble", "query; then send the same call again"),
    row(&["SYSTEM_ERROR"], Retry::Same, "WeChat Pay has trouble; the outcome is unknown", "send the same call again with the same number; query a refund first"),
    row(&["SERVICE_UNAVAILABLE"], Retry::Later, "WeChat Pay is overloaded or offline", "send the same call after a pause, to the backup host too"),
    row(&["ERROR"], Retry::Query, "a fault of an older product", "see the message, and query"),
    row(&["CONTRACT_NOT_EXIST"], Retry::No, "there is no such contract", "have the user sign it"),
    row(&["CONTRACT_ERROR"], Retry::No, "the contract is in a state that forbids it", "query the contract"),
    row(&["CONTRACT_EXISTED"], Retry::No, "the user has signed already", "query the contract"),
    row(&["CONTRACT_NOT_CONFIRMED"], Retry::No, "the user has not confirmed the contract", "have the user confirm it"),
    row(&["USER_NOT_REGISTERED"], Retry::No, "the user is not registered", "check the user's id"),
    row(&["PHONE_NOT_EXIST"], Retry::No, "there is no such telephone number", "check the number"),
    row(&["ACCOUNT_NOT_VERIFIED"], Retry::No, "the bank card is not verified yet", "wait until it is"),
];

#[rustfmt::skip] // a table
const NUMERIC: &[(u64, Hint)] = &[
    numeric(268512771, "the order does not exist, or is not paid", "check the number to the letter, and that the merchant is the one of the prepay; query before a refund or a close"),
    numeric(268447840, "too many calls", "pause longer after each refusal; a higher limit can be applied for"),
    numeric(268435461, "a parameter is malformed", "look for yuan in place of fen, a time that is not RFC 3339, a missing field, an unknown word, or invisible characters (full-width blank, BOM)"),
    numeric(268449538, "the order is paid", "query first; refund instead of closing; a new order needs a new number"),
    numeric(270924358, "the body has a field that the endpoint does not know", "remove it; fields of APIv2 do not belong into APIv3"),
    numeric(268443715, "the merchant is frozen or closed", "see the merchant platform"),
    numeric(268447843, "the order belongs to another merchant", "keep the merchant's number with each order, and call as that merchant"),
    numeric(268443705, "sub_mchid is the provider's own number", "give the sub-merchant's"),
    numeric(268447914, "the order is no longer valid", "after a close use a new number; for a prepay_id older than 2 hours send the same prepay again; look at time_expire"),
    numeric(268443704, "sub_mchid is missing", "always give it in partner mode"),
    numeric(268448010, "the merchant's or the provider's right to collect is restricted", "see the notice of violation on the merchant platform, and appeal"),
    numeric(268449641, "an order by payment code cannot be closed", "reverse it; refund it once it is paid"),
    numeric(268447845, "the order belongs to another sub-merchant", "keep sub_mchid with each order"),
    numeric(268443699, "the signature is wrong", "check the Authorization header, that serial and private key belong together, how the signed string is put together, and the clock"),
    numeric(268501013, "JSAPI needs payer.openid", "log the user in under the same appid to obtain it"),
    numeric(268443701, "the sub-merchant has not authorised this product for the provider", "invite it to; that takes effect after some 10 minutes"),
    numeric(268498688, "the number was used before with other parameters", "send the same parameters as at first, or close the order and use a new number"),
    numeric(268498689, "the order is paid", "query first; refund instead of closing; a new order needs a new number"),
    numeric(268445527, "the appid is not bound to the merchant", "bind them (in partner mode sp_appid to sp_mchid), and wait some minutes"),
    numeric(268435464, "a parameter is out of range", "check the limits of amounts and lengths"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_is_listed_twice() {
        let codes: Vec<&str> = CODES.iter().flat_map(|row| row.codes.iter().copied()).collect();
        for (at, code) in codes.iter().enumerate() {
            assert!(codes[at + 1..].iter().all(|other| !is_same_code(code, other)), "{code}");
        }
        let numbers: std::collections::BTreeSet<u64> = NUMERIC.iter().map(|(code, _)| *code).collect();
        assert_eq!((codes.len(), numbers.len(), NUMERIC.len()), (49, 20, 20));
    }
}
