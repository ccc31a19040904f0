//! Who asks: each way to get `Authorization` wrong has its own answer, and which part of the API it is makes a difference.

use http::HeaderValue;
use payonce_simulator::books::Account;
use payonce_simulator::keys::Mode;
use serde_json::json;
use wechatpay::UnixSeconds;

use crate::fixture::NOW;
use crate::shop::{Shop, setup};

/// Of the calls about payments.
const PAY: &str = "/v3/pay/transactions/jsapi";
/// Of the others.
const ECHO: &str = "/v3/security/echo";

const GRAMMAR: &str = "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》";
const UNREADABLE: &str = "签名信息错误，验签失败";

#[tokio::test]
async fn table_of_what_is_wrong_with_the_header() {
    let shop = Shop::open().await;
    type Change = fn(String) -> Option<String>;
    let changes: [(&str, Change, &str, &str); 9] = [
        ("none", |_| None, UNREADABLE, GRAMMAR),
        ("empty", |_| Some(String::new()), UNREADABLE, GRAMMAR),
        (
            "other scheme",
            |header| Some(header.replacen("WECHATPAY2-SHA256-RSA2048", "Bearer", 1)),
            UNREADABLE,
            "HTTP头Authorization认证类型不正确",
        ),
        ("no quotes", |header| Some(header.replace('"', "")), UNREADABLE, GRAMMAR),
        ("blanks", |header| Some(header.replace(',', ", ")), UNREADABLE, GRAMMAR),
        ("milliseconds", |header| Some(header.replace("timestamp=\"", "timestamp=\"x")), UNREADABLE, GRAMMAR),
        (
            "other serial",
            |header| Some(header.replace("serial_no=\"", "serial_no=\"0")),
            "商户证书序列号有误。请使用签名私钥匹配的证书序列号",
            "商户证书序列号有误。请使用签名私钥匹配的证书序列号",
        ),
        (
            "other merchant",
            |header| Some(header.replace("mchid=\"", "mchid=\"9")),
            "商户证书序列号有误。请使用签名私钥匹配的证书序列号",
            "商户证书序列号有误。请使用签名私钥匹配的证书序列号",
        ),
        (
            "other nonce",
            |header| Some(header.replace("nonce_str=\"5", "nonce_str=\"6")),
            "签名错误，请检查后再试",
            "签名错误，请检查后再试",
        ),
    ];
    for (what, change, of_pay, of_echo) in changes {
        for (url, message) in [(PAY, of_pay), (ECHO, of_echo)] {
            let mut request = shop.request("POST", url, "{}");
            let header = request.headers()["authorization"].to_str().unwrap().to_owned();
            match change(header) {
                None => drop(request.headers_mut().remove("authorization")),
                Some(changed) => {
                    let changed = HeaderValue::from_str(&changed).unwrap();
                    request.headers_mut().insert("authorization", changed);
                }
            }
            let answered = shop.send(request).await;
            let number = (url == ECHO).then_some(268_443_699);
            assert_eq!(answered.refusal(), (401, "SIGN_ERROR".to_owned(), number), "{what} {url}");
            assert_eq!(answered.json()["message"], message, "{what} {url}");
        }
    }
}

#[tokio::test]
async fn a_clock_may_be_off_by_less_than_five_minutes() {
    let shop = Shop::open().await;
    for (off_seconds, status) in [(-299, 404), (299, 404), (-300, 401), (300, 401)] {
        let at = UnixSeconds(NOW.0 + off_seconds);
        let answered = shop.send(shop.signed_at(at, "GET", "/v3/certificates", "")).await;
        assert_eq!(answered.status, status, "{off_seconds}");
        if status == 401 {
            let message = &answered.json()["message"];
            assert_eq!(message, "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟");
        }
    }
}

/// WeChat shows its own signing string, so that the merchant can lay it beside his.
#[tokio::test]
async fn a_wrong_signature_is_answered_with_what_should_have_been_signed() {
    let shop = Shop::open().await;
    let body = json!({ "appid": shop.appid, "mchid": shop.mchid }).to_string();
    let mut request = shop.request("POST", PAY, &body);
    *request.body_mut() += " ";
    let detail = shop.send(request).await.json()["detail"].clone();
    let message = format!("POST\n{PAY}\n{}\n593BEC0C930BF1AFEB40B4A08C8FB242\n{{\"appid\"\n", NOW.0);
    let whole = message.len() - "{\"appid\"".len() + body.len() + 1;
    assert_eq!(
        detail,
        json!({
            "detail": { "issue": "sign not match" },
            "field": "signature",
            "location": "authorization",
            "sign_information": {
                "method": "POST",
                "sign_message_length": whole,
                "truncated_sign_message": message,
                "url": PAY,
            },
        })
    );
}

#[tokio::test]
async fn the_signature_is_over_the_url_as_it_was_sent() {
    let shop = Shop::open().await;
    let url = format!("/v3/pay/transactions/out-trade-no/ORDER%7C2026?mchid={}", shop.mchid);
    assert_eq!(shop.get(&url).await.status, 404, "signed and understood");
    let mut request = shop.request("GET", &url.replace("%7C", "%7c"), "");
    *request.uri_mut() = url.parse().unwrap();
    assert_eq!(shop.send(request).await.status, 401);
}

#[tokio::test]
async fn who_is_not_named_is_refused_and_where_says_when() {
    let shop = Shop::open().await;
    for header in ["accept", "user-agent"] {
        for (url, unsigned_status) in [(PAY, 401), (ECHO, 400)] {
            let mut request = shop.request("POST", url, "{}");
            request.headers_mut().remove(header);
            let answered = shop.send(request.clone()).await;
            assert_eq!(answered.refusal(), (400, "INVALID_REQUEST".to_owned(), Some(0)), "{header} {url}");
            assert_eq!(answered.json()["message"], "Http头缺少Accept或User-Agent");

            request.headers_mut().remove("authorization");
            assert_eq!(shop.send(request).await.status, unsigned_status, "{header} {url}");
        }
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_with_nothing() {
    let shop = Shop::open().await;
    for (method, url, status) in [
        ("GET", "/v3/pay/transactions", 404),
        ("GET", "/v3", 404),
        // `/` is the page for people.
        ("GET", "/pay", 404),
        ("POST", "/", 405),
        ("GET", PAY, 405),
        ("POST", "/v3/certificates", 405),
        ("DELETE", ECHO, 405),
    ] {
        let answered = shop.send(shop.request(method, url, "")).await;
        assert_eq!((answered.status, answered.body.len()), (status, 0), "{method} {url}");
        assert_eq!(answered.header("wechatpay-signature"), None);
    }
}

#[tokio::test]
async fn each_merchant_signs_for_itself() {
    let setup = setup()
        .with(Account::ordinary("1900000001", "wx0000000000000001"), Mode::PublicKey)
        .with(Account::ordinary("1900000002", "wx0000000000000002"), Mode::PublicKey);
    let shop = Shop::of(setup).await;
    let mut order = shop.order("ORDER1");
    order["mchid"] = "1900000002".into();
    let answered = shop.post(PAY, &order).await;
    assert_eq!(answered.refusal().1, "PARAM_ERROR");
    assert_eq!(answered.json()["message"], "http header中的mchid与post payload中的mchid不匹配");
}
