//! `GET /_sim`: every control call, so that the API explains itself; and the answer for those that are not there.

use axum::Json;
use axum::http::{Method, Uri};
use serde_json::{Value, json};

use super::Problem;

/// Method, path, and what it does.
pub(super) const CALLS: &[(&str, &str, &str)] = &[
    ("GET", "/_sim", "this list"),
    ("GET", "/_sim/merchants", "merchants, their apps and the serials of their keys"),
    ("POST", "/_sim/merchants", "a merchant with fresh keys: mchid, name, role, appids, keys; all optional"),
    ("GET", "/_sim/merchants/{mchid}", "one merchant with all its keys"),
    ("POST", "/_sim/merchants/{mchid}/certificates", "begin a change to a new platform certificate"),
    (
        "DELETE",
        "/_sim/merchants/{mchid}/certificates",
        "end it: only the newest platform certificate is left",
    ),
    ("POST", "/_sim/merchants/{mchid}/public-key", "give the merchant a WeChat Pay public key, or a new one"),
    (
        "POST",
        "/_sim/merchants/{mchid}/api-certificate",
        "a further API certificate and key of the merchant's",
    ),
    ("PUT", "/_sim/merchants/{mchid}/grey", "grey switches: public_key_permille, new_certificate_permille"),
    (
        "PUT",
        "/_sim/merchants/{mchid}/refund-url",
        "where refunds are told that name no URL, in APIv2's words: url, or null",
    ),
    ("POST", "/_sim/tls", "a certificate for a receiver's own TLS, which the simulator trusts: hosts"),
    ("GET", "/_sim/users", "users and their openids"),
    ("POST", "/_sim/users", "the openid of a user in an app: user, appid"),
    ("POST", "/_sim/logins", "the code of wx.login for code2Session: user, appid"),
    ("GET", "/_sim/orders", "orders, the newest last; ?mchid= and ?out_trade_no= choose"),
    (
        "POST",
        "/_sim/pay",
        "pay an order: out_trade_no and mchid, or prepay_id, code_url, h5_url; user, despite_close",
    ),
    ("POST", "/_sim/cancel", "leave the cashier without paying"),
    ("POST", "/_sim/close", "close an order as its merchant would"),
    (
        "POST",
        "/_sim/refund",
        "refund an order as at the merchant platform: out_trade_no and mchid; refund_fen",
    ),
    ("GET", "/_sim/refunds", "refunds and what became of them; ?mchid= and ?out_trade_no= choose"),
    (
        "POST",
        "/_sim/refunds/end",
        "end a refund now: out_refund_no and mchid; status, SUCCESS, ABNORMAL or CLOSED",
    ),
    ("PUT", "/_sim/funds", "whether a merchant has too little money for refunds: mchid, short"),
    ("GET", "/_sim/notices", "notices with every attempt and answer; ?mchid= and ?out_trade_no= choose"),
    ("GET", "/_sim/notices/{number}", "one notice"),
    ("POST", "/_sim/notices/{number}/resend", "send it once more, now"),
    (
        "POST",
        "/_sim/quiet",
        "wait until no notice is on its way or due, and the state file is written: seconds_max",
    ),
    ("GET", "/_sim/clock", "business time and its pace"),
    ("PUT", "/_sim/clock", r#"let business time go otherwise: pace, as "by_hand" or {"times": 60}"#),
    ("POST", "/_sim/clock/step", "let business time pass, with every attempt that falls due in it: seconds"),
    ("GET", "/_sim/trouble", "the rules of trouble, and what they hit so far"),
    ("PUT", "/_sim/trouble", "these rules and no others: seed, notices, calls, as in a scenario file"),
    ("POST", "/_sim/trouble", "these rules, too"),
    ("DELETE", "/_sim/trouble", "no trouble any more"),
    ("DELETE", "/_sim/trouble/{name}", "one rule less"),
    ("POST", "/_sim/reset", "forget orders, notices and users; merchants, keys, clock and rules stay"),
];

pub(super) async fn calls() -> Json<Value> {
    let calls =
        CALLS.iter().map(|(method, path, does)| json!({ "call": format!("{method} {path}"), "does": does }));
    Json(json!({ "simulator": env!("CARGO_PKG_VERSION"), "calls": calls.collect::<Vec<_>>() }))
}

pub(super) async fn unknown(method: Method, uri: Uri) -> Problem {
    Problem::Call { method: method.to_string(), path: uri.path().to_owned() }
}
