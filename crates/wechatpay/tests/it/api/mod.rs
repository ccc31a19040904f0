//! The calls of APIv3: the exact bytes of each, its answer, and what its errors say.

mod bills;
mod combine;
mod errors;
mod login;
mod orders;
mod pay_sign;
mod prepay;
mod readme;
mod refunds;
mod security;
mod upload;

use serde_json::Value;
use wechatpay::Fen;
use wechatpay::api::{Account, Call, InvalidField, Merchant, Rule};

const APPID: &str = "wx0123456789abcdef";
const NOTIFY_URL: &str = "https://pay.example.com/notify/v3/1900000001";

fn fen(fen: i64) -> Fen {
    Fen::new(fen).unwrap()
}

fn ordinary() -> Merchant {
    Merchant::ordinary("1900000001").unwrap()
}

fn partner() -> Merchant {
    Merchant::partner("1900000001", "1900000109").unwrap()
}

fn account() -> Account {
    Account::ordinary(APPID, "1900000001").unwrap()
}

fn partner_account(sub_appid: Option<&str>) -> Account {
    Account::partner(APPID, "1900000001", sub_appid, "1900000109").unwrap()
}

/// What goes on the wire: method, path and query, body.
fn sent(call: &impl Call) -> (String, String) {
    let body = call.body().map(|body| String::from_utf8(body).unwrap()).unwrap_or_default();
    assert_eq!(call.body().is_none(), call.method() == "GET");
    (format!("{} {}", call.method(), call.path_and_query()), body)
}

/// Holds a call against its row of `SUPPORTED` and against the bytes expected.
#[track_caller]
fn assert_sent(call: &impl Call, line: &str, body: &str) {
    assert_eq!(sent(call), (line.to_owned(), body.to_owned()));
    assert!(readme::is_supported(line), "no row of SUPPORTED for {line}");
}

/// Bytes are JSON with just these fields, in any order.
#[track_caller]
fn assert_json(call: &impl Call, expected: &Value) {
    let body: Value = serde_json::from_slice(&call.body().unwrap()).unwrap();
    assert_eq!(&body, expected);
}

#[track_caller]
fn assert_invalid<T>(result: Result<T, InvalidField>, field: &str, rule: &Rule) {
    let error = result.err().expect("a value that breaks a rule was taken");
    assert_eq!((error.field, &error.rule), (field, rule));
    assert!(error.to_string().starts_with(&format!("{field}: ")), "{error}");
}
