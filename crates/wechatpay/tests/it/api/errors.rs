//! Errors: every shape of body, the numeric code, hints, and what may be done after each, by operation.

use wechatpay::answer::{ApiError, Hint, Retry};
use wechatpay::api::Operation;

const OPERATIONS: [Operation; 6] = [
    Operation::Query,
    Operation::Prepay,
    Operation::Close,
    Operation::Refund,
    Operation::Bill,
    Operation::Other,
];

fn of_code(status: u16, code: &str) -> ApiError {
    ApiError::new(status, None, format!(r#"{{"code":"{code}","message":"m"}}"#).as_bytes())
}

#[test]
fn a_parameter_error_says_which_field() {
    let body = r#"{"code":"PARAM_ERROR","message":"参数错误","detail":{"field":"/amount/currency","value":"XYZ",
        "issue":"Currency code is invalid","location":"body"}}"#;
    let error = ApiError::new(400, Some("08F7-268435461"), body.as_bytes());
    assert_eq!((error.status, error.code.as_deref()), (400, Some("PARAM_ERROR")));
    let detail = error.detail.as_ref().unwrap();
    assert_eq!(detail.field.as_deref(), Some("/amount/currency"));
    assert_eq!(detail.issue.as_deref(), Some("Currency code is invalid"));
    assert_eq!((detail.location.as_deref(), &detail.whole["value"]), (Some("body"), &"XYZ".into()));
    let said = error.to_string();
    for part in ["400", "PARAM_ERROR", "参数错误", "/amount/currency", "08F7-268435461", "yuan"] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains("XYZ") && !format!("{error:?}").contains("XYZ"));
}

#[test]
fn a_wrong_signature_says_what_was_verified() {
    for (issue, length) in
        [(r#""detail":{"issue":"sign not match"}"#, "285"), (r#""issue":"sign not match""#, r#""285""#)]
    {
        let body = format!(
            r#"{{"code":"SIGN_ERROR","message":"签名错误","detail":{{"field":"signature","location":"authorization",
            {issue},"sign_information":{{"method":"POST","url":"/v3/pay/transactions/jsapi",
            "truncated_sign_message":"POST\n/v3/pay/transactions/jsapi\n1554208460\nabc\n{{\"openid\":\"oSEC","#
        ) + &format!(r#""sign_message_length":{length}}}}}}}"#);
        let error = ApiError::new(401, None, body.as_bytes());
        let detail = error.detail.as_ref().unwrap();
        assert_eq!(detail.issue.as_deref(), Some("sign not match"), "{body}");
        let information = detail.sign_information.as_ref().unwrap();
        assert_eq!(information.method.as_deref(), Some("POST"));
        assert_eq!(information.url.as_deref(), Some("/v3/pay/transactions/jsapi"));
        assert_eq!(information.sign_message_length, Some(285));
        assert!(information.truncated_sign_message.as_ref().unwrap().starts_with("POST\n"));
        assert!(!format!("{error} {error:?}").contains("oSEC"));
    }
}

#[test]
fn any_body_makes_an_error() {
    for body in [
        &b""[..],
        b"<html><head><title>502 Bad Gateway</title></head></html>",
        b"null",
        b"[]",
        b"\xFF\xFE",
        br#"{"code":null}"#,
        br#"{"code":["a"],"message":{}}"#,
        br#"{"code":"","message":""}"#,
    ] {
        let error = ApiError::new(502, Some(""), body);
        assert_eq!((&error.code, &error.message, &error.request_id), (&None, &None, &None));
        assert_eq!((error.hint(), error.retry(Operation::Prepay)), (None, Retry::Later));
        assert_eq!(error.to_string(), "WeChat Pay answered 502");
    }
    for detail in ["null", "\"text\"", "[1]", "7", r#"{"field":[],"sign_information":"x"}"#] {
        let body = format!(r#"{{"code":"PARAM_ERROR","detail":{detail}}}"#);
        let error = ApiError::new(400, None, body.as_bytes());
        assert!(error.is("PARAM_ERROR") && error.detail.is_none_or(|detail| detail.field.is_none()));
    }
    assert_eq!(ApiError::new(400, None, br#"{"code":404}"#).code.as_deref(), Some("404"));
}

#[test]
fn table_of_numeric_codes() {
    for (request_id, expected) in [
        (Some("08E68E97CC0610DF-8C92-268512771"), Some(268_512_771)),
        (Some("08E68E97CC0610DF-0"), Some(0)),
        (Some("08E68E97CC0610DF"), None),
        (Some("08E68E97-"), None),
        (Some("08E68E97-2685x"), None),
        (Some("08E68E97-99999999999999999999999"), None),
        (Some(""), None),
        (None, None),
    ] {
        assert_eq!(ApiError::new(400, request_id, b"").numeric_code(), expected, "{request_id:?}");
    }
}

#[test]
fn the_numeric_code_has_the_finer_hint() {
    let body = br#"{"code":"INVALID_REQUEST","message":"m"}"#;
    let coarse = ApiError::new(400, Some("08F7-1"), body).hint().unwrap();
    let fine = ApiError::new(400, Some("08F7-268447845"), body).hint().unwrap();
    assert!(coarse.meaning.contains("rule") && fine.meaning.contains("another sub-merchant"));
    assert_eq!(ApiError::new(400, None, br#"{"code":"CODE_OF_TOMORROW"}"#).hint(), None);
}

#[test]
fn every_listed_number_has_a_hint() {
    for (number, word) in [
        (268_512_771, "does not exist"),
        (268_447_840, "too many"),
        (268_435_461, "malformed"),
        (268_449_538, "is paid"),
        (270_924_358, "does not know"),
        (268_443_715, "frozen"),
        (268_447_843, "another merchant"),
        (268_443_705, "provider's own"),
        (268_447_914, "no longer valid"),
        (268_443_704, "sub_mchid is missing"),
        (268_448_010, "restricted"),
        (268_449_641, "payment code"),
        (268_447_845, "another sub-merchant"),
        (268_443_699, "signature"),
        (268_501_013, "payer.openid"),
        (268_443_701, "not authorised"),
        (268_498_688, "other parameters"),
        (268_498_689, "is paid"),
        (268_445_527, "not bound"),
        (268_435_464, "out of range"),
    ] {
        let hint = Hint::of_numeric_code(number).unwrap();
        assert!(hint.meaning.contains(word) && !hint.fix.is_empty(), "{number}: {hint:?}");
    }
}

#[test]
fn both_spellings_are_one_code() {
    for (one, other) in [
        ("ORDER_NOT_EXIST", "ORDERNOTEXIST"),
        ("NO_AUTH", "NOAUTH"),
        ("ORDER_PAID", "ORDERPAID"),
        ("ORDER_CLOSED", "ORDERCLOSED"),
        ("USER_PAYING", "USERPAYING"),
        ("SYSTEM_ERROR", "SYSTEMERROR"),
        ("RULE_LIMIT", "RULELIMIT"),
        ("ORDER_REVERSED", "ORDERREVERSED"),
    ] {
        let hint = Hint::of_code(one);
        assert!(hint.is_some() && hint == Hint::of_code(other), "{one}");
        assert!(of_code(400, one).is(other) && of_code(400, other).is(one));
        for operation in OPERATIONS {
            assert_eq!(of_code(400, one).retry(operation), of_code(400, other).retry(operation));
        }
    }
    assert!(!of_code(400, "ORDER_PAID").is("ORDER_CLOSED"));
}

#[test]
fn table_of_retries() {
    use Retry::{Later, New, No, Query, Same};
    // query, prepay, close, refund, bill, anything else
    let table: &[(u16, &str, [Retry; 6])] = &[
        (400, "PARAM_ERROR", [No, No, No, Query, No, No]),
        (400, "INVALID_REQUEST", [No, No, No, Query, No, No]),
        (401, "SIGN_ERROR", [No, No, No, Query, No, No]),
        (403, "NO_AUTH", [No, No, No, Query, No, No]),
        (400, "APPID_MCHID_NOT_MATCH", [No, No, No, Query, No, No]),
        (500, "OPENID_MISMATCH", [No, No, No, Query, No, No]),
        (500, "INVALID_TRANSACTIONID", [No, No, No, Query, No, No]),
        (403, "OUT_TRADE_NO_USED", [Same, Query, Query, Query, Same, Query]),
        (400, "ORDER_PAID", [Same, Query, Query, Query, Same, Query]),
        (400, "ORDER_CLOSED", [No, New, No, Query, No, New]),
        (404, "ORDER_NOT_EXIST", [No, No, No, Query, No, No]),
        (404, "RESOURCE_NOT_EXISTS", [No, No, No, Query, No, No]),
        (403, "RULE_LIMIT", [No, No, No, Query, No, No]),
        (403, "NOT_ENOUGH", [No, No, No, Query, No, No]),
        (500, "BIZ_ERR_NEED_RETRY", [Same, Same, Same, Query, Same, Query]),
        (400, "NO_STATEMENT_EXIST", [No, No, No, Query, No, No]),
        (400, "STATEMENT_CREATING", [Later, Later, Later, Query, Later, Query]),
        (429, "FREQUENCY_LIMITED", [Later, Later, Later, Query, Later, Query]),
        (429, "RATELIMIT_EXCEEDED", [Later, Later, Later, Query, Later, Query]),
        (429, "PARAM_ERROR", [Later, Later, Later, Query, Later, Query]),
        (202, "USERPAYING", [Same, Query, Query, Query, Same, Query]),
        (500, "BANK_ERROR", [Same, Query, Query, Query, Same, Query]),
        (500, "SYSTEM_ERROR", [Same, Same, Same, Query, Same, Query]),
        (503, "SERVICE_UNAVAILABLE", [Later, Later, Later, Query, Later, Query]),
        // Unknown codes go by their status.
        (202, "TOMORROW", [Later, Later, Later, Query, Later, Query]),
        (307, "TOMORROW", [No, No, No, Query, No, No]),
        (400, "TOMORROW", [No, No, No, Query, No, No]),
        (401, "TOMORROW", [No, No, No, Query, No, No]),
        (404, "", [No, No, No, Query, No, No]),
        (500, "TOMORROW", [Same, Same, Same, Query, Same, Query]),
        (502, "", [Later, Later, Later, Query, Later, Query]),
    ];
    for (status, code, expected) in table {
        let found = OPERATIONS.map(|operation| of_code(*status, code).retry(operation));
        assert_eq!(found, *expected, "{status} {code}");
    }
    let silence = OPERATIONS.map(Retry::after_silence);
    assert_eq!(silence, [Same, Same, Same, Query, Same, Query]);
}
