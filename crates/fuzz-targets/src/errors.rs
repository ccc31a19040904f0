//! Target `errors`: an answer that is no success. The first line is its HTTP status, the second its `Request-Id`, the
//! rest its body.
//!
//! Held: any body makes an error; code and message are those of the body, detail is whatever is under that name; what
//! may be done next never repeats a call that moves money before it was asked for; nothing of the request is shown.

use serde_json::Value;
use wechatpay::answer::{ApiError, Detail, Hint, Retry};
use wechatpay::api::Operation;

use crate::input::canary::{self, assert_hidden};
use crate::input::lines;
use crate::{Stage, Target};

/// See the module.
pub const TARGET: Target = Target {
    name: "errors",
    run,
    stages: &["none of WeChat Pay's", "a code", "a hint", "a detail", "a signed string"],
};

const OPERATIONS: [Operation; 6] = [
    Operation::Query,
    Operation::Prepay,
    Operation::Close,
    Operation::Refund,
    Operation::Bill,
    Operation::Other,
];

/// What of a detail quotes the request, at whatever depth. Method and path of it may be shown.
const QUOTES: [&str; 2] = ["value", "truncated_sign_message"];

fn run(input: &[u8]) -> Stage {
    let (status, rest) = lines::first_text(input);
    let (request_id, body) = lines::first_text(rest);
    let status: u16 = status.parse().unwrap_or(500);
    let error = ApiError::new(status, Some(&request_id), body);
    let said = serde_json::from_slice::<Value>(body).ok().filter(Value::is_object).unwrap_or_default();
    assert_eq!(error.status, status);
    is_text(error.code.as_deref(), &said["code"]);
    is_text(error.message.as_deref(), &said["message"]);
    assert_eq!(error.request_id.as_deref(), Some(request_id.as_str()).filter(|id| !id.is_empty()));
    assert_eq!(error.detail.as_ref().map_or(&Value::Null, |detail| &detail.whole), &said["detail"]);
    numeric_code(&error, &request_id);
    what_may_be_done(&error);
    shown(&error, &said);
    stage(&error)
}

/// A text, or a number as text; nothing else.
fn is_text(read: Option<&str>, said: &Value) {
    match said {
        Value::String(text) => assert_eq!(read.unwrap_or_default(), text),
        Value::Number(number) => assert_eq!(read, Some(number.to_string().as_str())),
        _ => assert_eq!(read, None),
    }
}

fn numeric_code(error: &ApiError, request_id: &str) {
    let digits = request_id.rsplit('-').next().filter(|_| request_id.contains('-'));
    let digits =
        digits.filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    // Beyond `u64` it is no code.
    assert_eq!(error.numeric_code(), digits.and_then(|digits| digits.parse::<u64>().ok()));
}

fn what_may_be_done(error: &ApiError) {
    for operation in OPERATIONS {
        let retry = error.retry(operation);
        match operation {
            Operation::Refund => assert_eq!(retry, Retry::Query),
            Operation::Other => assert!(!matches!(retry, Retry::Same | Retry::Later)),
            Operation::Query | Operation::Bill => assert!(!matches!(retry, Retry::Query | Retry::New)),
            _ => {}
        }
    }
    if let Some(code) = &error.code {
        assert!(error.is(code) && error.is(&code.replace('_', "")));
        assert!(error.hint().is_some() || Hint::of_code(code).is_none());
    }
}

fn shown(error: &ApiError, said: &Value) {
    let shown = format!("{error} {error:?}");
    assert!(shown.starts_with(&format!("WeChat Pay answered {}", error.status)));
    let is_elsewhere = canary::is_beside(said, &QUOTES)
        || error.request_id.as_ref().is_some_and(|id| canary::is_in(id.as_bytes()));
    if !is_elsewhere {
        assert_hidden(&shown);
    }
}

fn stage(error: &ApiError) -> Stage {
    match &error.detail {
        Some(Detail { sign_information: Some(_), .. }) => "a signed string",
        Some(_) => "a detail",
        None if error.hint().is_some() => "a hint",
        None if error.code.is_some() => "a code",
        None => "none of WeChat Pay's",
    }
}
