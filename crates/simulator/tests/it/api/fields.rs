//! Parameters that break a rule: WeChat's code, number and words, and a pointer to the field.

use serde_json::{Value, json};
use wechatpay::PlatformKey;

use crate::shop::Shop;

const JSAPI: &str = "/v3/pay/transactions/jsapi";

/// Puts a value into a place; none takes the field out.
fn with(mut order: Value, pointer: &str, value: Option<Value>) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    let parent = order.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => drop(parent.insert(field.to_owned(), value)),
        None => drop(parent.remove(field)),
    }
    order
}

const ILLEGAL: u32 = 268_435_461;
const RANGE: u32 = 268_435_464;
const EXTRA: u32 = 270_924_358;

/// A field, what is put into it, the number, the value that WeChat shows, and its words.
type Row = (&'static str, Option<Value>, u32, Value, &'static str);

fn amounts() -> Vec<Row> {
    const NO_INTEGER: &str = "无法将 JSON 输入源“/body/amount/total”映射到目标字段“总金额”中，此字段需要一个合法的 64 位有符号整数";
    const TOO_SMALL: &str = "输入源“/body/amount/total”映射到数值字段“总金额”规则校验失败，值低于最小值 1";
    let total = "/amount/total";
    vec![
        (total, Some(json!(0.01)), ILLEGAL, json!(0.01), NO_INTEGER),
        (total, Some(json!("100")), ILLEGAL, json!("100"), NO_INTEGER),
        (total, Some(json!(0)), RANGE, json!(0), TOO_SMALL),
        (total, Some(json!(-1)), RANGE, json!(-1), TOO_SMALL),
        (
            "/amount/currency",
            Some(json!("USD")),
            ILLEGAL,
            json!("USD"),
            "输入源“/body/amount/currency”映射到值字段“货币类型”字符串规则校验失败，值不在允许的范围内",
        ),
    ]
}

fn numbers() -> Vec<Row> {
    let (field, long) = ("/out_trade_no", "x".repeat(33));
    vec![
        (
            field,
            Some(json!("12345")),
            RANGE,
            json!(5),
            "输入源“/body/out_trade_no”映射到值字段“商户订单号”字符串规则校验失败，字符数 5，小于最小值 6",
        ),
        (
            field,
            Some(json!(long)),
            RANGE,
            json!(33),
            "输入源“/body/out_trade_no”映射到值字段“商户订单号”字符串规则校验失败，字符数 33，大于最大值 32",
        ),
        (
            field,
            Some(json!("ORDER 1")),
            ILLEGAL,
            json!("ORDER 1"),
            "输入源“/body/out_trade_no”映射到值字段“商户订单号”字符串规则校验失败，含有不允许的字符",
        ),
    ]
}

fn other_fields() -> Vec<Row> {
    let url = "https://shop.example/notify?token=1";
    vec![
        (
            "/description",
            None,
            ILLEGAL,
            json!(""),
            "输入源“/body/description”映射到字段“商品描述”必填性规则校验失败，此字段为必填项",
        ),
        (
            "/attach",
            Some(Value::Null),
            ILLEGAL,
            Value::Null,
            "无法将 JSON 输入源“/body/attach”映射到目标字段“附加数据”中，此字段需要一个合法的字符串",
        ),
        (
            "/time_expire",
            Some(json!("2025-06-15 23:06:40")),
            ILLEGAL,
            json!("2025-06-15 23:06:40"),
            "无法将 JSON 输入源“/body/time_expire”映射到目标字段“交易结束时间”中，此字段需要一个合法的 RFC 3339 时间",
        ),
        (
            "/notify_url",
            Some(json!(url)),
            ILLEGAL,
            json!(url),
            "无法将 JSON 输入源“/body/notify_url”映射到目标字段“通知地址”中，此字段需要一个合法的 URL",
        ),
        ("/total_fee", Some(json!(1)), EXTRA, json!(1), "参数中含有非法的额外参数“/body/total_fee”"),
        (
            "/amount/payer_total",
            Some(json!(1)),
            EXTRA,
            json!(1),
            "参数中含有非法的额外参数“/body/amount/payer_total”",
        ),
    ]
}

#[tokio::test]
async fn table_of_fields() {
    let shop = Shop::open().await;
    for (pointer, value, number, shown, message) in [amounts(), numbers(), other_fields()].concat() {
        let answered = shop.post(JSAPI, &with(shop.order("ORDER1"), pointer, value)).await;
        assert_eq!(answered.refusal(), (400, "PARAM_ERROR".to_owned(), Some(number)), "{pointer}");
        let json = answered.json();
        assert_eq!(json["message"], message, "{pointer}");
        let detail = &json["detail"];
        assert_eq!((&detail["field"], &detail["value"]), (&json!(pointer), &shown), "{pointer}");
        assert_eq!(detail["location"], "body");
    }
    assert_eq!(shop.simulator.read(|books| books.orders().count()), 0);
}

/// A field, and what is put into it: no page of WeChat's has it so.
fn words() -> Vec<(&'static str, Value)> {
    let goods = |id: &str| json!([{ "merchant_goods_id": id, "quantity": 1, "unit_price": 1 }]);
    let subsidy = |plan: Value| json!([{ "subsidy_period_type": "PERIOD", "subsidy_plan": plan }]);
    let plan = |num: i64, percent: i64| {
        subsidy(json!([{ "subsidy_installment_num": num, "subsidy_percent": percent }]))
    };
    vec![
        ("/scene_info/payer_client_ip", json!("abc")),
        ("/detail/goods_detail", json!([])),
        ("/detail/goods_detail/0/merchant_goods_id", goods("a b")),
        ("/subsidy_info/subsidy_detail", json!("x")),
        ("/subsidy_info/subsidy_detail/0/subsidy_plan/0/subsidy_installment_num", plan(4, 100)),
        ("/subsidy_info/subsidy_detail/0/subsidy_plan/0/subsidy_percent", plan(3, 50)),
        ("/attach", json!("a\u{1}b")),
        ("/description", json!("tea\u{0}")),
    ]
}

#[tokio::test]
async fn table_of_values_that_no_page_has() {
    let shop = Shop::open().await;
    for (pointer, value) in words() {
        // The last field in the pointer that is not inside of the value.
        let place = pointer.split_once("/0/").map_or(pointer, |(place, _)| place);
        let mut order = shop.order("ORDER1");
        let parent = place.rsplit_once('/').unwrap().0;
        if !parent.is_empty() {
            order[&parent[1..]] = json!({});
        }
        let answered = shop.post(JSAPI, &with(order, place, Some(value))).await;
        assert_eq!(answered.refusal().1, "PARAM_ERROR", "{pointer}");
        assert_eq!(answered.json()["detail"]["field"], pointer);
    }
    for attach in ["line\nand\ttab\r\n", "茶 🍵"] {
        let number = format!("ORDER{}", attach.len());
        let order = with(shop.order(&number), "/attach", Some(json!(attach)));
        assert_eq!(shop.post(JSAPI, &order).await.status, 200, "{attach}");
    }
}

/// As `toString` of Java's times writes them, too: it leaves out seconds that are none, and adds the zone.
#[tokio::test]
async fn times_are_rfc_3339_to_the_letter() {
    let shop = Shop::open().await;
    for time in [
        "2025-06-16T10:34+08:00",
        "2025-06-16T10:34:56+08:00[Asia/Shanghai]",
        "2025-06-16T10:34:56+08",
        "2025-06-16T10:34:56+0800",
        "2025-06-16T10:34:56",
        "2025-06-16 10:34:56Z",
        "20250616T103456Z",
        "+002025-06-16T10:34:56Z",
        "2025-06-31T10:34:56Z",
        "2025-06-16T10:34:56.Z",
        "2025-06-16t10:34:56z",
    ] {
        let answered = shop.post(JSAPI, &with(shop.order("ORDER1"), "/time_expire", Some(json!(time)))).await;
        assert_eq!(answered.refusal(), (400, "PARAM_ERROR".to_owned(), Some(ILLEGAL)), "{time}");
    }
    for (number, time) in [
        ("ORDER-Z", "2025-06-16T02:34:56Z"),
        ("ORDER-8", "2025-06-16T10:34:56+08:00"),
        ("ORDER-F", "2025-06-16T10:34:56.789+08:00"),
    ] {
        let order = with(shop.order(number), "/time_expire", Some(json!(time)));
        assert_eq!(shop.post(JSAPI, &order).await.status, 200, "{time}");
    }
}

/// A real name is sealed for the key that the request names.
#[tokio::test]
async fn who_pays_by_real_name_is_named_sealed() {
    let shop = Shop::open().await;
    let key = shop.ring.public_key().unwrap();
    let sealing = PlatformKey::from_public_key_pem(key.serial(), key.public_key_pem()).unwrap();
    let sealed = || sealing.encrypt("440305199001010011").unwrap();
    let named = |identity: Value| {
        let order = with(shop.order("ORDER1"), "/payer/identity", Some(identity));
        let mut request = shop.request("POST", JSAPI, &order.to_string());
        request.headers_mut().insert("wechatpay-serial", key.serial().parse().unwrap());
        request
    };
    for (identity, pointer) in [
        (json!({}), "/payer/identity/type"),
        (json!({ "type": "PASSPORT" }), "/payer/identity/type"),
        (json!({ "type": "IDCARD", "number": "440305199001010011" }), "/payer/identity/number"),
        (json!({ "type": "IDCARD", "number": sealed(), "name": 5 }), "/payer/identity/name"),
    ] {
        let answered = shop.send(named(identity)).await;
        assert_eq!(answered.refusal().1, "PARAM_ERROR", "{pointer}");
        assert_eq!(answered.json()["detail"]["field"], pointer);
    }
    let whole = json!({ "type": "IDCARD", "number": sealed(), "name": sealing.encrypt("王小明").unwrap() });
    assert_eq!(shop.send(named(whole)).await.status, 200);
}

#[tokio::test]
async fn what_is_no_json_object_is_refused() {
    let shop = Shop::open().await;
    for body in ["", "[]", "{", "\u{feff}{}", "null", "amount=1"] {
        let answered = shop.send(shop.request("POST", JSAPI, body)).await;
        assert_eq!(answered.refusal(), (400, "PARAM_ERROR".to_owned(), Some(268_435_461)), "{body}");
    }
}

#[tokio::test]
async fn a_mini_program_order_needs_its_payer() {
    let shop = Shop::open().await;
    for payer in [None, Some(json!({})), Some(json!({ "openid": "" }))] {
        let answered = shop.post(JSAPI, &with(shop.order("ORDER1"), "/payer", payer)).await;
        assert_eq!(answered.refusal(), (400, "PARAM_ERROR".to_owned(), Some(268_501_013)));
        assert_eq!(answered.json()["message"], "JSAPI支付必须传openid");
    }
}

#[tokio::test]
async fn h5_needs_the_users_address_and_where_they_come_from() {
    let shop = Shop::open().await;
    let order = with(shop.order("ORDER1"), "/payer", None);
    let scene = json!({ "payer_client_ip": "203.0.113.7", "h5_info": { "type": "Wap" } });
    let whole = with(order.clone(), "/scene_info", Some(scene));
    for (order, pointer) in [
        (order, "/scene_info"),
        (with(whole.clone(), "/scene_info/payer_client_ip", None), "/scene_info/payer_client_ip"),
        (with(whole.clone(), "/scene_info/h5_info", None), "/scene_info/h5_info"),
        (with(whole.clone(), "/scene_info/h5_info/type", None), "/scene_info/h5_info/type"),
        (with(whole.clone(), "/scene_info/h5_info/type", Some(json!("WAP"))), "/scene_info/h5_info/type"),
    ] {
        let answered = shop.post("/v3/pay/transactions/h5", &order).await;
        assert_eq!(answered.refusal().0, 400);
        assert_eq!(answered.json()["detail"]["field"], pointer);
    }
    let answered = shop.post("/v3/pay/transactions/h5", &whole).await;
    assert!(answered.json()["h5_url"].as_str().unwrap().starts_with("https://wx.tenpay.com/"));
}

#[tokio::test]
async fn a_query_names_its_merchant() {
    let shop = Shop::open().await;
    let answered = shop.get("/v3/pay/transactions/out-trade-no/ORDER1").await;
    assert_eq!(answered.refusal(), (400, "PARAM_ERROR".to_owned(), Some(268_435_461)));
    let detail = answered.json()["detail"].clone();
    assert_eq!((&detail["field"], &detail["location"]), (&json!("mchid"), &json!("query")));
    let answered = shop.get("/v3/pay/transactions/out-trade-no/ORDER1?mchid=1999999999").await;
    assert_eq!(answered.refusal().1, "PARAM_ERROR");
}

#[tokio::test]
async fn everything_that_wechats_pages_have_is_taken() {
    let shop = Shop::open().await;
    let more = json!({
        "time_expire": "2025-06-16T10:34:56+08:00",
        "goods_tag": "WXG",
        "limit_pay": ["no_credit"],
        "support_fapiao": false,
        "detail": {
            "cost_price": 608_800,
            "invoice_id": "微信123",
            "goods_detail": [{
                "merchant_goods_id": "1246464644",
                "wechatpay_goods_id": "1001",
                "goods_name": "iPhoneX 256G",
                "quantity": 1,
                "unit_price": 528_800,
            }],
        },
        "scene_info": {
            "payer_client_ip": "14.23.150.211",
            "device_id": "013467007045764",
            "store_info": { "id": "0001", "name": "腾讯大厦分店", "area_code": "440305", "address": "深圳" },
        },
        "settle_info": { "profit_sharing": false },
    });
    let mut order = shop.order("ORDER1");
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answered = shop.post(JSAPI, &order).await;
    assert!(answered.json()["prepay_id"].as_str().unwrap().starts_with("wx2025061523"), "{answered:?}");
}
