//! APIv2 over HTTP: XML with signs of both kinds, refunds over mutual TLS aside, and its notices.

use std::time::Duration;

use payonce_simulator::books::{OrderKey, Progress, RefundKey, RefundStatus};
use serde_json::{Value, json};
use wechatpay::v2::{
    ACK_BODY, ApiV2Key, Callback, Fields, Notice, SignType, VerifiedFields, fail_body, parse_xml, sign,
    write_xml,
};

use crate::receiver::Receiver;
use crate::shop::{Answered, Shop};

impl Shop {
    fn apiv2_key(&self) -> ApiV2Key {
        ApiV2Key::new(self.ring.apiv2_key()).unwrap()
    }

    /// Fields with those of every request, signed.
    fn v2(&self, own: &[(&str, &str)], sign_type: SignType) -> Fields {
        let mut fields = Fields::default();
        fields.insert("appid", self.appid.as_str());
        fields.insert("mch_id", self.mchid.as_str());
        fields.insert("nonce_str", "5K8264ILTKCH16CQ");
        if sign_type == SignType::HmacSha256 {
            fields.insert("sign_type", "HMAC-SHA256");
        }
        own.iter().for_each(|(name, value)| fields.insert(name, *value));
        let made = sign(&fields, sign_type, &self.apiv2_key());
        fields.insert("sign", made);
        fields
    }

    async fn send_xml(&self, path: &str, body: &str) -> Answered {
        let request = http::Request::post(path).header("host", self.simulator.addr().to_string());
        self.send(request.body(body.to_owned()).unwrap()).await
    }

    /// What is answered to a request as it should be. Asserts that the answer is signed as the request is.
    pub(crate) async fn call(&self, path: &str, own: &[(&str, &str)], sign_type: SignType) -> VerifiedFields {
        let body = write_xml(&self.v2(own, sign_type)).unwrap();
        let answered = self.send_xml(path, &body).await;
        assert_eq!(answered.status, 200);
        let fields = parse_xml(&answered.body).unwrap();
        assert_eq!(
            fields.get("return_code"),
            Some("SUCCESS"),
            "{:?}",
            String::from_utf8_lossy(&answered.body)
        );
        fields.verify(&self.apiv2_key(), Some(sign_type)).unwrap()
    }

    async fn md5(&self, path: &str, own: &[(&str, &str)]) -> VerifiedFields {
        self.call(path, own, SignType::Md5).await
    }

    /// What is said against a request that is not taken.
    async fn said(&self, path: &str, body: &str) -> String {
        let answered = self.send_xml(path, body).await;
        assert_eq!(answered.status, 200);
        let fields = parse_xml(&answered.body).unwrap();
        assert_eq!((fields.get("return_code"), fields.get("sign")), (Some("FAIL"), None));
        fields.get("return_msg").unwrap().to_owned()
    }

    pub(crate) fn v2_order<'a>(&self, number: &'a str, url: &'a str) -> Vec<(&'a str, &'a str)> {
        vec![
            ("body", "腾讯充值中心-QQ会员充值"),
            ("out_trade_no", number),
            ("total_fee", "88"),
            ("spbill_create_ip", "123.12.12.123"),
            ("notify_url", url),
            ("trade_type", "JSAPI"),
            ("openid", "oALICE"),
            ("attach", "深圳分店"),
        ]
    }
}

const UNIFIED: &str = "/pay/unifiedorder";
const NOWHERE: &str = "http://127.0.0.1:1/notify";

fn code(fields: &VerifiedFields) -> &str {
    assert_eq!(fields.get("result_code"), Some("FAIL"));
    assert!(fields.get("err_code_des").is_some());
    fields.get("err_code").unwrap()
}

#[tokio::test]
async fn an_order_is_placed_asked_for_and_closed_with_both_signs() {
    let shop = Shop::open().await;
    for (number, sign_type) in [("ORDER1", SignType::Md5), ("ORDER2", SignType::HmacSha256)] {
        let order = shop.v2_order(number, NOWHERE);
        let placed = shop.call(UNIFIED, &order, sign_type).await;
        assert_eq!((placed.get("result_code"), placed.get("trade_type")), (Some("SUCCESS"), Some("JSAPI")));
        assert!(placed.get("prepay_id").unwrap().starts_with("wx2025061523"));
        assert_eq!(
            (placed.get("appid"), placed.get("mch_id")),
            (Some(shop.appid.as_str()), Some(shop.mchid.as_str()))
        );
        let by_number = [("out_trade_no", number)];
        let unpaid = shop.call("/pay/orderquery", &by_number, sign_type).await;
        assert_eq!((unpaid.get("trade_state"), unpaid.get("total_fee")), (Some("NOTPAY"), None));
        let closed = shop.call("/pay/closeorder", &by_number, sign_type).await;
        assert_eq!(closed.get("result_code"), Some("SUCCESS"));
        assert_eq!(code(&shop.call("/pay/closeorder", &by_number, sign_type).await), "ORDERCLOSED");
        assert_eq!(code(&shop.call(UNIFIED, &order, sign_type).await), "ORDERCLOSED");
    }
}

#[tokio::test]
async fn each_way_of_paying_has_its_own_fields() {
    let shop = Shop::open().await;
    for (number, trade_type, needs, url) in [
        ("ORDER1", "NATIVE", "product_id", Some("code_url")),
        ("ORDER2", "MWEB", "scene_info", Some("mweb_url")),
        ("ORDER3", "APP", "", None),
    ] {
        let mut order = shop.v2_order(number, NOWHERE);
        order.retain(|(name, _)| !["openid", "trade_type"].contains(name));
        order.push(("trade_type", trade_type));
        if !needs.is_empty() {
            let body = write_xml(&shop.v2(&order, SignType::Md5)).unwrap();
            assert_eq!(shop.said(UNIFIED, &body).await, format!("缺少参数{needs}"));
            order.push((needs, r#"{"h5_info":{"type":"Wap"}}"#));
        }
        let placed = shop.md5(UNIFIED, &order).await;
        assert!(placed.get("prepay_id").unwrap().starts_with("wx"), "{trade_type}");
        assert!(url.is_none_or(|url| placed.get(url).is_some()), "{trade_type}");
        let leads = json!({ "prepay_id": placed.get("prepay_id").unwrap() });
        assert_eq!(shop.sim("POST /_sim/pay", leads).await["out_trade_no"], number, "{trade_type}");
    }
}

/// What an endpoint never sees is refused in XML and with 200 all the same.
#[tokio::test]
async fn what_is_no_request_is_answered_in_xml_too() {
    let shop = Shop::open().await;
    let asked = |method: &str, body: Vec<u8>| {
        let request = http::Request::builder().method(method).uri(UNIFIED);
        request.header("host", shop.simulator.addr().to_string()).body(body).unwrap()
    };
    let gbk = b"<xml><body>\xb2\xe8</body></xml>".to_vec();
    for (request, said) in [
        (asked("GET", Vec::new()), "请使用post方法"),
        (asked("DELETE", Vec::new()), "请使用post方法"),
        (asked("POST", gbk), "请使用UTF-8编码"),
        (asked("POST", vec![b' '; 70_000]), "XML格式错误"),
    ] {
        let answered = shop.send(request).await;
        assert_eq!(answered.status, 200);
        let fields = parse_xml(&answered.body).unwrap();
        assert_eq!((fields.get("return_code"), fields.get("return_msg")), (Some("FAIL"), Some(said)));
    }
}

/// An order of APIv3 may hold what XML does not: line ends of two characters.
#[tokio::test]
async fn what_apiv3_took_is_told_by_apiv2() {
    let shop = Shop::open().await;
    let mut order = shop.order("ORDER1");
    order["attach"] = "table\t7\r\nwindow".into();
    assert_eq!(shop.post("/v3/pay/transactions/jsapi", &order).await.status, 200);
    shop.simulator.pay(&shop.order_key("ORDER1"), None).unwrap();
    let told = shop.md5("/pay/orderquery", &[("out_trade_no", "ORDER1")]).await;
    assert_eq!(told.get("attach"), Some("table\t7\nwindow"));
}

/// Which algorithm signs is no part of what was ordered.
#[tokio::test]
async fn an_order_is_placed_again_under_the_other_sign() {
    let shop = Shop::open().await;
    let order = shop.v2_order("ORDER1", NOWHERE);
    for sign_type in [SignType::Md5, SignType::HmacSha256] {
        let placed = shop.call(UNIFIED, &order, sign_type).await;
        assert_eq!(placed.get("result_code"), Some("SUCCESS"), "{placed:?}");
    }
}

#[tokio::test]
async fn table_of_values_that_unified_orders_do_not_have() {
    let shop = Shop::open().await;
    for (name, value, said) in [
        ("limit_pay", "foo", "invalid limit_pay"),
        ("profit_sharing", "maybe", "invalid profit_sharing"),
        ("receipt", "Q", "invalid receipt"),
        ("detail", "{broken", "invalid detail"),
        ("scene_info", "[]", "invalid scene_info"),
        ("spbill_create_ip", "nope", "invalid spbill_create_ip"),
        ("time_expire", "20990101000000", "invalid time_expire"),
        ("time_expire", "20250615230000", "invalid time_expire"),
        ("body", &"x".repeat(128), "body参数长度有误"),
    ] {
        let mut order = shop.v2_order("ORDER1", NOWHERE);
        order.retain(|(known, _)| *known != name);
        order.extend([(name, value), ("time_start", "20250615230640")]);
        let body = write_xml(&shop.v2(&order, SignType::Md5)).unwrap();
        assert_eq!(shop.said(UNIFIED, &body).await, said, "{value}");
    }
    let long = "茶".repeat(127);
    let mut order = shop.v2_order("ORDER1", NOWHERE);
    order[0] = ("body", &long);
    order.extend([
        ("limit_pay", "no_credit"),
        ("profit_sharing", "N"),
        ("receipt", "Y"),
        ("detail", r#"{"goods_detail":[]}"#),
        ("scene_info", r#"{"store_info":{"id":"SZTX001"}}"#),
        ("time_expire", "20250616000000"),
    ]);
    order.retain(|(name, _)| *name != "spbill_create_ip");
    order.push(("spbill_create_ip", "2001:db8::1"));
    assert_eq!(shop.md5(UNIFIED, &order).await.get("result_code"), Some("SUCCESS"));
}

#[tokio::test]
async fn table_of_what_is_not_even_taken() {
    let shop = Shop::open().await;
    let order = shop.v2_order("ORDER1", NOWHERE);
    let whole = shop.v2(&order, SignType::Md5);
    let with = |name: &str, value: &str| {
        let changed: Vec<_> =
            order.iter().map(|(known, old)| (*known, if *known == name { value } else { old })).collect();
        write_xml(&shop.v2(&changed, SignType::Md5)).unwrap()
    };
    let unsigned = |name: &str, value: &str| {
        let mut fields = whole.clone();
        fields.insert(name, value);
        write_xml(&fields).unwrap()
    };
    for (body, said) in [
        (String::new(), "post数据为空"),
        ("{}".to_owned(), "XML格式错误"),
        ("<!DOCTYPE xml [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><xml></xml>".to_owned(), "XML格式错误"),
        (unsigned("total_fee", "1"), "签名错误"),
        (unsigned("sign_type", "HMAC-SHA256"), "签名错误"),
        (unsigned("sign", ""), "缺少参数sign"),
        (unsigned("nonce_str", ""), "缺少参数nonce_str"),
        (unsigned("mch_id", "1999999999"), "商户号mch_id不存在"),
        (with("total_fee", "0.88"), "invalid total_fee"),
        (with("total_fee", "0"), "invalid total_fee"),
        (with("total_fee", ""), "缺少参数total_fee"),
        (with("openid", ""), "JSAPI支付必须传openid"),
        (with("trade_type", "MICROPAY"), "invalid trade_type"),
        (with("out_trade_no", "short"), "out_trade_no参数长度有误"),
        (with("out_trade_no", "ORDER 1"), "invalid out_trade_no"),
        (with("notify_url", "https://a.example/n?x=1"), "invalid notify_url"),
    ] {
        assert_eq!(shop.said(UNIFIED, &body).await, said, "{body}");
    }
    assert_eq!(shop.simulator.read(|books| books.orders().count()), 0);
}

#[tokio::test]
async fn what_the_books_refuse_is_signed_with_a_code() {
    let shop = Shop::open().await;
    let order = shop.v2_order("ORDER1", NOWHERE);
    shop.md5(UNIFIED, &order).await;
    shop.md5(UNIFIED, &order).await;
    let mut other = order.clone();
    other[2] = ("total_fee", "89");
    assert_eq!(code(&shop.md5(UNIFIED, &other).await), "INVALID_REQUEST");
    other.push(("appid", "wx0"));
    assert_eq!(code(&shop.md5(UNIFIED, &other).await), "APPID_MCHID_NOT_MATCH");
    let nowhere = [("out_trade_no", "ORDER9")];
    assert_eq!(code(&shop.md5("/pay/orderquery", &nowhere).await), "ORDERNOTEXIST");
    assert_eq!(code(&shop.md5("/pay/closeorder", &nowhere).await), "ORDERNOTEXIST");
    assert_eq!(code(&shop.md5("/pay/refundquery", &nowhere).await), "ORDERNOTEXIST");
    assert_eq!(code(&shop.md5("/pay/refundquery", &[("out_refund_no", "R9")]).await), "REFUNDNOTEXIST");
    shop.simulator.pay(&shop.order_key("ORDER1"), None).unwrap();
    assert_eq!(code(&shop.md5(UNIFIED, &order).await), "ORDERPAID");
    assert_eq!(code(&shop.md5("/pay/closeorder", &[("out_trade_no", "ORDER1")]).await), "ORDERPAID");
}

/// The whole body is read, and only `return_code` in it counts; what is told stays the same over all attempts.
#[tokio::test]
async fn a_payment_is_told_in_xml_until_xml_acknowledges_it() {
    for sign_type in [SignType::Md5, SignType::HmacSha256] {
        let (shop, receiver) = (Shop::open().await, Receiver::answering(200).await);
        shop.call(UNIFIED, &shop.v2_order("ORDER1", &receiver.url()), sign_type).await;
        let paid = shop.simulator.pay(&shop.order_key("ORDER1"), None).unwrap();
        shop.simulator.quiet().await;
        receiver.answer_with(&fail_body("busy"));
        shop.simulator.step(Duration::from_secs(15));
        shop.simulator.quiet().await;
        receiver.answer_with(ACK_BODY);
        shop.simulator.step(Duration::from_secs(15));
        shop.simulator.quiet().await;
        let progress = shop.simulator.read(|books| books.notices.entries().next().unwrap().1.progress);
        assert_eq!((progress, receiver.came().len()), (Progress::Acknowledged, 3));
        let came = receiver.came();
        assert!(came.iter().all(|again| again.body == came[0].body));
        assert_eq!(came[0].headers["content-type"], "text/xml");

        let Callback::Signed(signed) = Callback::parse(&came[0].body).unwrap() else { panic!("{came:?}") };
        let verified = signed.verify(&shop.apiv2_key(), Some(sign_type)).unwrap();
        let Notice::Paid(told) = verified.notice().unwrap() else { panic!("not paid") };
        assert_eq!((told.transaction_id.as_str(), told.total_fee.get()), (paid.transaction_id.as_str(), 88));
        assert_eq!(
            (told.attach.as_deref(), told.time_end.as_deref()),
            (Some("深圳分店"), Some("20250615230640"))
        );
        let queried = shop.md5("/pay/orderquery", &[("transaction_id", &paid.transaction_id)]).await;
        assert_eq!((queried.get("trade_state"), queried.get("openid")), (Some("SUCCESS"), Some("oALICE")));
    }
}

/// Asked for by APIv3 without a URL, and told as the merchant platform is set: in XML, sealed.
#[tokio::test]
async fn a_refund_without_a_url_is_told_by_the_platforms_setting() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(200).await);
    receiver.answer_with(ACK_BODY);
    shop.simulator.set_refund_url(&shop.mchid, Some(&receiver.url()));
    shop.place("ORDER1").await;
    shop.simulator.pay(&shop.order_key("ORDER1"), None).unwrap();
    let refund = |number: &str| {
        json!({
            "out_trade_no": "ORDER1", "out_refund_no": number,
            "amount": { "refund": 10, "total": 100, "currency": "CNY" },
        })
    };
    let refunds = "/v3/refund/domestic/refunds";
    assert_eq!(shop.post(refunds, &refund("R1")).await.status, 200);
    shop.simulator.end_refund(&RefundKey::new(&shop.mchid, "R1"), RefundStatus::Abnormal).unwrap();
    shop.simulator.quiet().await;
    let came = receiver.came();
    let Callback::Sealed(sealed) = Callback::parse(&came[0].body).unwrap() else { panic!("{came:?}") };
    let told = sealed.open(&shop.apiv2_key()).unwrap();
    assert_eq!((told.out_refund_no.as_str(), told.refund_status.as_str()), ("R1", "CHANGE"));
    assert_eq!((told.refund_fee.get(), told.total_fee.get()), (10, 100));
    assert_eq!(told.unverified_mch_id.as_deref(), Some(shop.mchid.as_str()));

    for number in 2..=12 {
        let answered: Value = shop.post(refunds, &refund(&format!("R{number}"))).await.json();
        assert_eq!(answered["status"].as_str(), (number < 11).then_some("PROCESSING"), "{answered}");
    }
    let page = shop.md5("/pay/refundquery", &[("out_trade_no", "ORDER1")]).await;
    assert_eq!((page.get("total_refund_count"), page.get("refund_count")), (Some("10"), Some("10")));
    assert_eq!((page.get("out_refund_no_0"), page.get("refund_status_0")), (Some("R1"), Some("CHANGE")));
    let rest = shop.md5("/pay/refundquery", &[("out_trade_no", "ORDER1"), ("offset", "9")]).await;
    assert_eq!((rest.get("refund_count"), rest.get("out_refund_no_0")), (Some("1"), Some("R10")));
}

#[tokio::test]
async fn a_refund_needs_tls_and_a_bill_is_the_file_itself() {
    let shop = Shop::open().await;
    let refused = shop.send_xml("/secapi/pay/refund", "<xml></xml>").await;
    assert_eq!(refused.status, 400);
    assert!(String::from_utf8_lossy(&refused.body).contains("No required SSL certificate was sent"));

    shop.md5(UNIFIED, &shop.v2_order("ORDER1", NOWHERE)).await;
    shop.simulator.pay(&OrderKey::new(&shop.mchid, "ORDER1"), None).unwrap();
    shop.simulator.step(Duration::from_secs(24 * 3600));
    let asked = |own: &[(&str, &str)]| write_xml(&shop.v2(own, SignType::Md5)).unwrap();
    for (own, said, error_code) in [
        (&[("bill_date", "20250614")][..], "No Bill Exist", "20002"),
        (&[("bill_date", "20250616")], "data format error", "20001"),
        (&[("bill_date", "2025-06-15")], "data format error", "20001"),
        (&[("bill_date", "20250615"), ("bill_type", "SOME")], "invalid bill_type", "20001"),
        (&[], "missing parameter", "20001"),
    ] {
        let answered = shop.send_xml("/pay/downloadbill", &asked(own)).await;
        let fields = parse_xml(&answered.body).unwrap();
        assert_eq!((fields.get("return_msg"), fields.get("error_code")), (Some(said), Some(error_code)));
    }
    let bill = shop.send_xml("/pay/downloadbill", &asked(&[("bill_date", "20250615")])).await;
    assert!(bill.body.starts_with("\u{feff}交易时间,".as_bytes()), "{bill:?}");
    let zipped = [("bill_date", "20250615"), ("tar_type", "GZIP")];
    assert_eq!(shop.send_xml("/pay/downloadbill", &asked(&zipped)).await.body[..2], [0x1f, 0x8b]);
}

/// No page says which `error_code` a bill has that is not ready: with an empty day's, a client would take it for one.
#[tokio::test]
async fn a_bill_that_is_not_ready_is_no_empty_day() {
    let shop = Shop::open().await;
    shop.md5(UNIFIED, &shop.v2_order("ORDER1", NOWHERE)).await;
    shop.simulator.pay(&OrderKey::new(&shop.mchid, "ORDER1"), None).unwrap();
    let nine_in_the_morning = Duration::from_secs(9 * 3600 + 53 * 60 + 20);
    shop.simulator.step(nine_in_the_morning);
    let asked = write_xml(&shop.v2(&[("bill_date", "20250615")], SignType::Md5)).unwrap();
    let answered = shop.send_xml("/pay/downloadbill", &asked).await;
    let fields = parse_xml(&answered.body).unwrap();
    assert_eq!((fields.get("return_msg"), fields.get("error_code")), (Some("Bill Creating"), None));
}

/// Some frameworks wrap their answers; WeChat reads all of it.
#[tokio::test]
async fn a_long_acknowledgement_is_one() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(200).await);
    let padded = ACK_BODY.replace("OK", &"好".repeat(700));
    assert!(padded.len() > 2000);
    receiver.answer_with(&padded);
    shop.md5(UNIFIED, &shop.v2_order("ORDER1", &receiver.url())).await;
    shop.simulator.pay(&shop.order_key("ORDER1"), None).unwrap();
    shop.simulator.quiet().await;
    assert_eq!(shop.progress(), [Progress::Acknowledged]);
    assert!((1000..=1024).contains(&shop.last_heard().body.len()), "only its beginning is kept");
}

#[tokio::test]
async fn a_refund_of_the_merchant_platform_says_so() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(200).await);
    receiver.answer_with(ACK_BODY);
    shop.md5(UNIFIED, &shop.v2_order("ORDER1", &receiver.url())).await;
    shop.simulator.pay(&shop.order_key("ORDER1"), None).unwrap();
    shop.sim("POST /_sim/refund", json!({ "out_trade_no": "ORDER1" })).await;
    shop.sim("POST /_sim/clock/step", json!({ "seconds": 5 })).await;
    let Callback::Sealed(sealed) = Callback::parse(&receiver.came()[1].body).unwrap() else {
        panic!("not sealed")
    };
    let told = sealed.open(&shop.apiv2_key()).unwrap();
    assert_eq!(told.refund_request_source.as_deref(), Some("VENDOR_PLATFORM"));
}
