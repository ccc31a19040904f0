//! `paySign` of JSAPI and Mini Programs, and `sign` of apps: the same bytes.

use serde_json::json;
use wechatpay::{UnixSeconds, pay_sign, pay_sign_app, pay_sign_jsapi};

use crate::fixture::{INPUTS, NOW, Parties, checks};
use crate::generate;

checks! {
    Wechatpayv3 in wechatpayv3 { mini_programs_and_jsapi_are_signed_alike, apps_are_signed_alike }
    WechatpayAxiosPlugin in wechatpay_axios_plugin { mini_programs_and_jsapi_are_signed_alike, apps_are_signed_alike }
}

fn mini_programs_and_jsapi_are_signed_alike(parties: &mut Parties) {
    let key = parties.merchant_key();
    for (prepay_id, nonce, timestamp) in prepaid(parties) {
        let appid = parties.merchant.appid().to_owned();
        let package = format!("prepay_id={prepay_id}");
        let theirs = parties
            .ask_text("pay_sign", json!({ "lines": [appid, timestamp.0.to_string(), nonce, package] }));

        let mini_program = pay_sign(&appid, timestamp, &nonce, &prepay_id, &key).unwrap();
        assert_eq!(mini_program.pay_sign, theirs);
        assert_eq!(mini_program.package, package);
        let page = pay_sign_jsapi(&appid, timestamp, &nonce, &prepay_id, &key).unwrap();
        assert_eq!(page.payment, mini_program);
    }
}

fn apps_are_signed_alike(parties: &mut Parties) {
    let key = parties.merchant_key();
    for (prepay_id, nonce, timestamp) in prepaid(parties) {
        let appid = parties.merchant.appid().to_owned();
        let lines = json!([appid, timestamp.0.to_string(), nonce, prepay_id]);
        let theirs = parties.ask_text("pay_sign", json!({ "lines": lines }));
        let ours =
            pay_sign_app(&appid, parties.merchant.mchid(), timestamp, &nonce, &prepay_id, &key).unwrap();
        assert_eq!(ours.sign, theirs);
    }
}

/// Prepay id, nonce and time of payments.
fn prepaid(parties: &mut Parties) -> Vec<(String, String, UnixSeconds)> {
    let one = |number: usize| {
        let prepay_id = format!("wx{}", generate::alphanumeric(&mut parties.rng, 34));
        (prepay_id, parties.nonce(), UnixSeconds(NOW.0 + number as i64))
    };
    (0..INPUTS).map(one).collect()
}
