//! Prepay: bytes by channel and mode, every optional field, every refusal, answers.

use serde_json::json;
use wechatpay::Serial;
use wechatpay::api::{
    Account, Call, Goods, H5, H5Type, Identity, IdentityType, InvalidField, LimitPay, Merchant, NewOrder,
    Operation, OrderDetail, Rule, Scene, Store,
};

use super::*;

fn order() -> NewOrder {
    NewOrder::new(&account(), "ORDER|2026*A", "Coffee 咖啡", fen(5990), NOTIFY_URL).unwrap()
}

fn partner_order(sub_appid: Option<&str>) -> NewOrder {
    NewOrder::new(&partner_account(sub_appid), "ORDER-1", "Coffee", fen(1), NOTIFY_URL).unwrap()
}

const COMMON: &str = concat!(
    r#"{"appid":"wx0123456789abcdef","mchid":"1900000001","description":"Coffee 咖啡","#,
    r#""out_trade_no":"ORDER|2026*A","notify_url":"https://pay.example.com/notify/v3/1900000001","#,
    r#""amount":{"total":5990,"currency":"CNY"}"#,
);

const COMMON_PARTNER: &str = concat!(
    r#"{"sp_appid":"wx0123456789abcdef","sp_mchid":"1900000001","sub_mchid":"1900000109","#,
    r#""description":"Coffee","out_trade_no":"ORDER-1","#,
    r#""notify_url":"https://pay.example.com/notify/v3/1900000001","amount":{"total":1,"currency":"CNY"}"#,
);

fn user() -> Scene {
    Scene::new().payer_client_ip("14.23.150.211".parse().unwrap()).unwrap()
}

#[test]
fn bytes_of_an_ordinary_order() {
    let base = "POST /v3/pay/transactions";
    let jsapi = order().jsapi("oUpF8").unwrap();
    assert_sent(&jsapi, &format!("{base}/jsapi"), &format!(r#"{COMMON},"payer":{{"openid":"oUpF8"}}}}"#));
    assert_sent(&order().app(), &format!("{base}/app"), &format!("{COMMON}}}"));
    assert_sent(&order().native(), &format!("{base}/native"), &format!("{COMMON}}}"));
    let h5 = order().scene(user()).h5(H5::new(H5Type::Wap)).unwrap();
    let scene = r#""scene_info":{"payer_client_ip":"14.23.150.211","h5_info":{"type":"Wap"}}"#;
    assert_sent(&h5, &format!("{base}/h5"), &format!("{COMMON},{scene}}}"));
    assert_eq!((jsapi.operation(), jsapi.signer()), (Operation::Prepay, Some("1900000001")));
    assert!(jsapi.answer_is_signed() && jsapi.encrypted_for().is_none());
}

#[test]
fn bytes_of_a_partners_order() {
    let base = "POST /v3/pay/partner/transactions";
    let jsapi = partner_order(None).jsapi("oUpF8").unwrap();
    let payer = r#""payer":{"sp_openid":"oUpF8"}"#;
    assert_sent(&jsapi, &format!("{base}/jsapi"), &format!("{COMMON_PARTNER},{payer}}}"));
    assert_sent(&partner_order(None).app(), &format!("{base}/app"), &format!("{COMMON_PARTNER}}}"));
    assert_sent(&partner_order(None).native(), &format!("{base}/native"), &format!("{COMMON_PARTNER}}}"));
    let h5 = partner_order(None).scene(user()).h5(H5::new(H5Type::Ios)).unwrap();
    let scene = r#""scene_info":{"payer_client_ip":"14.23.150.211","h5_info":{"type":"iOS"}}"#;
    assert_sent(&h5, &format!("{base}/h5"), &format!("{COMMON_PARTNER},{scene}}}"));
    assert_eq!((jsapi.signer(), jsapi.merchant()), (Some("1900000001"), &partner()));

    let sub = partner_order(Some("wxsub")).jsapi_sub("oSub").unwrap();
    let body = COMMON_PARTNER.replacen(r#","sp_mchid""#, r#","sub_appid":"wxsub","sp_mchid""#, 1);
    assert_sent(&sub, &format!("{base}/jsapi"), &format!(r#"{body},"payer":{{"sub_openid":"oSub"}}}}"#));
}

#[test]
fn every_optional_field() {
    let goods = Goods::new("1246464644", 1, fen(528_800)).unwrap();
    let goods = goods.wechatpay_goods_id("1001").unwrap().goods_name("iPhone").unwrap();
    let detail = OrderDetail::new([goods]).unwrap().cost_price(fen(608_800)).invoice_id("微信123").unwrap();
    let store = Store::new("0001").unwrap().name("腾讯大厦").unwrap();
    let store = store.area_code("440305").unwrap().address("科技中一道").unwrap();
    let scene = Scene::new().payer_client_ip("2001:db8::1".parse().unwrap()).unwrap();
    let h5 = H5::new(H5Type::from("Harmony")).app_name("王者荣耀").unwrap();
    let h5 = h5.app_url("https://pay.example.com").unwrap().bundle_id("com.example").unwrap();
    let serial = Serial::parse("PUB_KEY_ID_1").unwrap();
    let identity = Identity::new(IdentityType::IdCard, Some("cipher1"), Some("cipher2"), serial.clone());
    let call = order()
        .time_expire("2018-06-08T10:34:56+08:00")
        .and_then(|order| order.attach("桌 7"))
        .and_then(|order| order.goods_tag("WXG"))
        .and_then(|order| order.detail(detail))
        .unwrap()
        .limit_pay([LimitPay::NoCredit, LimitPay::from("no_tomorrow")])
        .support_fapiao(true)
        .scene(scene.device_id("013467007045764").unwrap().store(store))
        .profit_sharing(true)
        .subsidy_amount(fen(10))
        .subsidy("DAILY", [(3, 100), (6, 0)])
        .identity(identity)
        .h5(h5.package_name("com.example.android").unwrap())
        .unwrap();
    assert_eq!(call.encrypted_for(), Some(&serial));
    assert_json(
        &call,
        &json!({
            "appid": APPID, "mchid": "1900000001", "description": "Coffee 咖啡", "out_trade_no": "ORDER|2026*A",
            "time_expire": "2018-06-08T10:34:56+08:00", "attach": "桌 7", "notify_url": NOTIFY_URL,
            "goods_tag": "WXG", "limit_pay": ["no_credit", "no_tomorrow"], "support_fapiao": true,
            "amount": {"total": 5990, "currency": "CNY"},
            "payer": {"identity": {"type": "IDCARD", "number": "cipher1", "name": "cipher2"}},
            "detail": {"cost_price": 608_800, "invoice_id": "微信123", "goods_detail": [{
                "merchant_goods_id": "1246464644", "wechatpay_goods_id": "1001", "goods_name": "iPhone",
                "quantity": 1, "unit_price": 528_800,
            }]},
            "scene_info": {
                "payer_client_ip": "2001:db8::1", "device_id": "013467007045764",
                "store_info": {"id": "0001", "name": "腾讯大厦", "area_code": "440305", "address": "科技中一道"},
                "h5_info": {
                    "type": "Harmony", "app_name": "王者荣耀", "app_url": "https://pay.example.com",
                    "bundle_id": "com.example", "package_name": "com.example.android",
                },
            },
            "settle_info": {"profit_sharing": true, "subsidy_amount": 10},
            "subsidy_info": {"subsidy_detail": [{"subsidy_period_type": "DAILY", "subsidy_plan": [
                {"subsidy_installment_num": 3, "subsidy_percent": 100},
                {"subsidy_installment_num": 6, "subsidy_percent": 0},
            ]}]},
        }),
    );
}

#[test]
fn a_repeated_call_repeats_its_bytes() {
    let call = order().attach("a").unwrap().jsapi("oUpF8").unwrap();
    assert_eq!((sent(&call), sent(&call)), (sent(&call.clone()), sent(&call)));
}

fn new(number: &str, description: &str, total: i64, url: &str) -> Result<NewOrder, InvalidField> {
    NewOrder::new(&account(), number, description, fen(total), url)
}

#[test]
fn what_wechat_pay_would_refuse_is_not_made() {
    let length = |chars, min, max| Rule::Length { chars, min, max };
    let allowed = Rule::Characters { allowed: "digits, ASCII letters, and _ - | *" };
    let long = |chars| "店".repeat(chars);

    assert!(new("A1_-|*", &long(127), i64::MAX, NOTIFY_URL).is_ok());
    assert_invalid(new("ORDER", "a", 1, NOTIFY_URL), "out_trade_no", &length(5, 6, 32));
    assert_invalid(new(&"1".repeat(33), "a", 1, NOTIFY_URL), "out_trade_no", &length(33, 6, 32));
    for number in ["ORDER@1", "ORDER 1", "ORDER/1", "ORDER店1", "ORDER.1", "ORDER%7C"] {
        assert_invalid(new(number, "a", 1, NOTIFY_URL), "out_trade_no", &allowed);
    }
    assert_invalid(new("ORDER1", "", 1, NOTIFY_URL), "description", &length(0, 1, 127));
    assert_invalid(new("ORDER1", &long(128), 1, NOTIFY_URL), "description", &length(128, 1, 127));
    let rule = Rule::Amount { fen: 0, min: 1, max: i64::MAX };
    assert_invalid(new("ORDER1", "a", 0, NOTIFY_URL), "amount.total", &rule);
    assert_invalid(new("ORDER1", "a", 1, "http://pay.example.com/n"), "notify_url", &Rule::Https);
    assert_invalid(new("ORDER1", "a", 1, "https://pay.example.com/?a"), "notify_url", &Rule::UrlQuery);

    assert!(order().attach(&long(128)).is_ok());
    assert_invalid(order().attach(&long(129)), "attach", &length(129, 1, 128));
    assert_invalid(order().time_expire("2018-06-08 10:34:56"), "time_expire", &Rule::Time);
    assert_invalid(order().goods_tag(&long(33)), "goods_tag", &length(33, 1, 32));
    assert_invalid(order().jsapi(""), "payer.openid", &length(0, 1, 128));
    assert_invalid(partner_order(None).jsapi(&long(129)), "payer.sp_openid", &length(129, 1, 128));
    assert_invalid(partner_order(None).jsapi_sub("o"), "payer.sub_openid", &Rule::NeedsSubAppid);
    assert_invalid(order().jsapi_sub("o"), "payer.sub_openid", &Rule::NeedsSubAppid);
}

#[test]
fn scenes_and_goods_are_checked() {
    let h5 = || H5::new(H5Type::Wap);
    assert_invalid(order().h5(h5()), "scene_info.payer_client_ip", &Rule::Missing);
    assert_invalid(order().scene(Scene::new()).h5(h5()), "scene_info.payer_client_ip", &Rule::Missing);
    for ip in ["127.0.0.1", "127.1.2.3", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1"] {
        let scene = Scene::new().payer_client_ip(ip.parse().unwrap());
        assert_invalid(scene, "scene_info.payer_client_ip", &Rule::NotTheUsers);
    }
    let count = Rule::Count { count: 0, min: 1, max: 6000 };
    assert_invalid(OrderDetail::new([]), "detail.goods_detail", &count);
    let goods = || Goods::new("a_-1", 1, fen(1)).unwrap().goods_name(&"n".repeat(256)).unwrap();
    let detail = |count| OrderDetail::new(std::iter::repeat_with(goods).take(count)).unwrap();
    assert!(order().detail(detail(18)).is_ok());
    // 328 bytes for each, a comma between two, 19 around all.
    let rule = Rule::Bytes { bytes: 20 * 328 + 19 + 19, max: 6_144 };
    assert_invalid(order().detail(detail(20)), "detail", &rule);
    let allowed = Rule::Characters { allowed: "digits, ASCII letters, and _ -" };
    assert_invalid(Goods::new("a|b", 1, fen(1)), "detail.goods_detail.merchant_goods_id", &allowed);
}

#[test]
fn merchants_and_appids_are_checked() {
    let digits = Rule::Characters { allowed: "digits" };
    let length = Rule::Length { chars: 0, min: 1, max: 32 };
    assert_invalid(Merchant::ordinary("19000o0001"), "mchid", &digits);
    assert_invalid(Merchant::ordinary(""), "mchid", &length);
    assert_invalid(Merchant::partner("1", "x"), "sub_mchid", &digits);
    assert_invalid(Account::partner(APPID, "1", None, "1"), "sub_mchid", &Rule::SameAsProvider);
    let letters = Rule::Characters { allowed: "ASCII letters and digits" };
    assert_invalid(Account::ordinary("wx 1", "1"), "appid", &letters);
    assert_invalid(Account::partner(APPID, "1", Some("wx-1"), "2"), "sub_appid", &letters);
}

#[test]
fn answers_are_read() {
    let jsapi = order().jsapi("oUpF8").unwrap();
    let answer = jsapi.read(br#"{"prepay_id":"up_wx26112221580621e9b071c00d9e093b0000","new":1}"#).unwrap();
    assert_eq!(answer.prepay_id, "up_wx26112221580621e9b071c00d9e093b0000");
    let url = "weixin://wxpay/bizpayurl?pr=p4lpSuKzz";
    let answer = order().native().read(json!({ "code_url": url }).to_string().as_bytes()).unwrap();
    assert_eq!(answer.code_url, url);
    let h5 = order().scene(user()).h5(H5::new(H5Type::Wap)).unwrap();
    let url = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx2016121516420242444321ca";
    let answer = h5.read(json!({ "h5_url": url }).to_string().as_bytes()).unwrap();
    assert_eq!(answer.h5_url, url);
    for body in [&b"{}"[..], b"", b"<html>", br#"{"prepay_id":null}"#, br#"{"prepay_id":1}"#] {
        assert!(jsapi.read(body).is_err(), "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn debug_and_errors_do_not_name_the_payer() {
    let serial = Serial::parse("01").unwrap();
    let identity = Identity::new(IdentityType::IdCard, Some("NUMBER"), Some("NAME"), serial);
    let call = order().attach("SECRET").unwrap().identity(identity).jsapi("oOPENID").unwrap();
    let scene = Scene::new().payer_client_ip("14.23.150.211".parse().unwrap()).unwrap();
    let said = format!("{call:?} {:?} {scene:?}", order().attach("SECRET").unwrap());
    for secret in ["oOPENID", "NUMBER", "NAME", "SECRET", "14.23.150"] {
        assert!(!said.contains(secret), "{said}");
    }
    assert!(said.contains("ORDER|2026*A") && said.contains("5990"), "{said}");
    let error = call.read(br#"{"prepay_id":{"oOPENID":"oOPENID"}}"#).unwrap_err();
    assert!(!error.to_string().contains("oOPENID"), "{error}");
}
