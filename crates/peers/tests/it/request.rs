//! The `Authorization` of requests: theirs and ours over the same request, by the same key. RSASSA-PKCS1-v1_5 is
//! deterministic, so the signatures are the same bytes.

use std::collections::BTreeMap;

use rand::Rng as _;
use serde_json::json;
use wechatpay::{RequestToSign, UnixSeconds};

use crate::fixture::{INPUTS, NOW, Parties, checks};
use crate::generate;

checks! {
    Wechatpayv3 in wechatpayv3 { requests_are_signed_alike }
    WechatpayAxiosPlugin in wechatpay_axios_plugin { requests_are_signed_alike }
}

fn requests_are_signed_alike(parties: &mut Parties) {
    let key = parties.merchant_key();
    for number in 0..INPUTS {
        let method = ["GET", "POST", "PUT", "PATCH", "DELETE"][number % 5];
        let body = if method == "GET" { String::new() } else { generate::body(&mut parties.rng, number) };
        let url = url(parties, number);
        let timestamp = UnixSeconds(NOW.0 + parties.rng.random_range(0..100_000_000));
        let nonce = parties.nonce();
        let given = json!({
            "method": method, "url": url, "timestamp": timestamp.0, "nonce": nonce, "body": body,
        });
        let theirs = parties.ask_text("authorization", given);

        let request = RequestToSign { method, url: &url, timestamp, nonce: &nonce, body: body.as_bytes() };
        let ours = request.authorization(parties.merchant.mchid(), &key);
        assert_eq!(split(&ours), split(&theirs), "{method} {url} {body:?}");
    }
}

/// A path with a query as it goes on the wire, every third time without one.
fn url(parties: &mut Parties, number: usize) -> String {
    let order = generate::alphanumeric(&mut parties.rng, 20);
    let path = format!("/v3/pay/transactions/out-trade-no/{order}");
    match number % 3 {
        0 => path,
        1 => format!("{path}?mchid={}", parties.merchant.mchid()),
        _ => format!("{path}?mchid={}&note=%E6%94%AF%E4%BB%98+%26&empty=", parties.merchant.mchid()),
    }
}

/// The scheme, and the parameters by name: the SDKs have them in different orders, which HTTP leaves free.
fn split(authorization: &str) -> (&str, BTreeMap<&str, &str>) {
    let (scheme, parameters) = authorization.split_once(' ').unwrap();
    let parameters: Vec<_> = parameters.split(',').map(|one| one.split_once('=').unwrap()).collect();
    assert_eq!(parameters.len(), 5);
    (scheme, parameters.into_iter().collect())
}
