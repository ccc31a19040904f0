//! What is handed to the cashier: fields, and a signature over just the known strings.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};
use wechatpay::{
    MerchantKey, PlatformKey, UnixSeconds, pay_sign, pay_sign_app, pay_sign_jsapi, pay_sign_message,
};

use crate::fixture::key_text;

const APPID: &str = "wx2421b1c4370ec43b";
const AT: UnixSeconds = UnixSeconds(1_554_208_460);
const NONCE: &str = "593BEC0C930BF1AFEB40B4A08C8FB242";
const PREPAY_ID: &str = "wx201410272009395522657a690389285100";
const PACKAGE: &str = "prepay_id=wx201410272009395522657a690389285100";

fn key() -> MerchantKey {
    MerchantKey::from_pkcs8_pem(key_text("merchant", "serial"), key_text("merchant", "private_pem")).unwrap()
}

fn assert_signed(message: &[u8], signature: &Value) {
    let key = PlatformKey::from_public_key_pem("PUB_KEY_ID_1", key_text("merchant", "public_pem")).unwrap();
    key.verify(message, signature.as_str().unwrap()).unwrap();
}

fn sha256(message: &[u8]) -> String {
    digest(&SHA256, message).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_strings_are_the_known_ones() {
    let page = pay_sign_message(APPID, AT, NONCE, PACKAGE);
    assert_eq!(page.len(), 110);
    assert_eq!(sha256(&page), "bf5c0eab11b7710ea376aaa5038ad079fb8175af60d6cbf676fa3bcc4d218bcb");
    let app = pay_sign_message(APPID, AT, NONCE, PREPAY_ID);
    assert_eq!(app.len(), 100);
    assert_eq!(sha256(&app), "24bea8d9042023a0a50bdf8580f0e52570033d68244bd66ec63df7cc25a9073c");
}

#[test]
fn a_page_gets_the_appid_and_a_mini_program_does_not() {
    let mini_program = serde_json::to_value(pay_sign(APPID, AT, NONCE, PREPAY_ID, &key()).unwrap()).unwrap();
    assert_signed(&pay_sign_message(APPID, AT, NONCE, PACKAGE), &mini_program["paySign"]);
    let mut expected = json!({
        "timeStamp": "1554208460", "nonceStr": NONCE, "package": PACKAGE, "signType": "RSA",
        "paySign": mini_program["paySign"],
    });
    assert_eq!(mini_program, expected);

    let page = pay_sign_jsapi(APPID, AT, NONCE, PREPAY_ID, &key()).unwrap();
    expected["appId"] = json!(APPID);
    assert_eq!(serde_json::to_value(&page).unwrap(), expected);
    assert!(!format!("{page:?}").contains(&page.payment.pay_sign));
}

#[test]
fn an_app_gets_the_bare_prepay_id_signed() {
    let app = pay_sign_app(APPID, "1900000001", AT, NONCE, PREPAY_ID, &key()).unwrap();
    let value = serde_json::to_value(&app).unwrap();
    assert_signed(&pay_sign_message(APPID, AT, NONCE, PREPAY_ID), &value["sign"]);
    let expected = json!({
        "appid": APPID, "partnerid": "1900000001", "prepayid": PREPAY_ID, "package": "Sign=WXPay",
        "noncestr": NONCE, "timestamp": "1554208460", "sign": value["sign"],
    });
    assert_eq!(value, expected);
    assert!(!format!("{app:?}").contains(&app.sign));
}
