//! The life of an order over the API: placed, asked for, closed, paid.

use payonce_simulator::books::{Account, OrderKey};
use payonce_simulator::keys::Mode;
use serde_json::{Value, json};

use crate::shop::{Answered, Shop, setup};

impl Shop {
    async fn query(&self, out_trade_no: &str) -> Answered {
        self.get(&format!("/v3/pay/transactions/out-trade-no/{out_trade_no}?mchid={}", self.mchid)).await
    }

    async fn close(&self, out_trade_no: &str) -> Answered {
        let url = format!("/v3/pay/transactions/out-trade-no/{out_trade_no}/close");
        self.post(&url, &json!({ "mchid": self.mchid })).await
    }
}

#[tokio::test]
async fn each_way_of_paying_has_its_own_ticket() {
    let shop = Shop::open().await;
    let scene = json!({ "payer_client_ip": "203.0.113.7", "h5_info": { "type": "Wap" } });
    for (way, field, beginning) in [
        ("jsapi", "prepay_id", "wx"),
        ("app", "prepay_id", "wx"),
        ("native", "code_url", "weixin://wxpay/bizpayurl?pr="),
        ("h5", "h5_url", "https://wx.tenpay.com/"),
    ] {
        let mut order = shop.order(&format!("ORDER-{way}"));
        if way != "jsapi" {
            order.as_object_mut().unwrap().remove("payer");
            order["scene_info"] = scene.clone();
        }
        if way != "h5" {
            order.as_object_mut().unwrap().remove("scene_info");
        }
        let answered = shop.post(&format!("/v3/pay/transactions/{way}"), &order).await;
        assert_eq!(answered.status, 200, "{way} {answered:?}");
        let json = answered.json();
        assert_eq!(json.as_object().unwrap().len(), 1);
        assert!(json[field].as_str().unwrap().starts_with(beginning), "{json}");
        shop.proven_by(&answered);
        assert!(answered.header("request-id").unwrap().starts_with("08"));
    }
}

#[tokio::test]
async fn an_unpaid_order_lacks_what_payment_brings() {
    let shop = Shop::open().await;
    shop.place("ORDER1").await;
    let answered = shop.query("ORDER1").await;
    shop.proven_by(&answered);
    assert_eq!(
        answered.json(),
        json!({
            "appid": shop.appid,
            "mchid": shop.mchid,
            "out_trade_no": "ORDER1",
            "trade_state": "NOTPAY",
            "trade_state_desc": "订单未支付",
            "amount": { "total": 100, "currency": "CNY", "payer_currency": "CNY" },
        })
    );
}

#[tokio::test]
async fn a_paid_order_is_told_alike_by_either_number() {
    let shop = Shop::open().await;
    shop.place("ORDER1").await;
    let payment = shop.simulator.pay(&shop.order_key("ORDER1"), None).unwrap();
    let id = &payment.transaction_id;
    let by_id = shop.get(&format!("/v3/pay/transactions/id/{id}?mchid={}", shop.mchid)).await;
    let answered = shop.query("ORDER1").await;
    shop.proven_by(&answered);
    assert_eq!(answered.json(), by_id.json());
    assert_eq!(
        answered.json(),
        json!({
            "appid": shop.appid,
            "mchid": shop.mchid,
            "out_trade_no": "ORDER1",
            "transaction_id": id,
            "trade_type": "JSAPI",
            "trade_state": "SUCCESS",
            "trade_state_desc": "支付成功",
            "bank_type": payment.bank_type,
            "attach": "桌 7",
            "success_time": "2025-06-15T23:06:40+08:00",
            "payer": { "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o" },
            "amount": { "total": 100, "payer_total": 100, "currency": "CNY", "payer_currency": "CNY" },
        })
    );
}

#[tokio::test]
async fn placing_again_is_judged_by_the_parameters_and_not_by_how_they_are_written() {
    let shop = Shop::open().await;
    let order = shop.order("ORDER1");
    shop.place("ORDER1").await;
    let spaced = serde_json::to_string_pretty(&order).unwrap();
    let again = shop.send(shop.request("POST", "/v3/pay/transactions/jsapi", &spaced)).await;
    assert_eq!(again.status, 200, "{again:?}");

    let changed = |field: &str, value: Value| {
        let mut order = order.clone();
        order[field] = value;
        order
    };
    for other in [
        changed("amount", json!({ "total": 101, "currency": "CNY" })),
        changed("description", json!("coffee")),
        changed("notify_url", json!("http://127.0.0.1:1/other")),
        changed("time_expire", json!("2025-06-16T10:34:56+08:00")),
    ] {
        let answered = shop.post("/v3/pay/transactions/jsapi", &other).await;
        let number = Some(268_498_688);
        assert_eq!(answered.refusal(), (400, "INVALID_REQUEST".to_owned(), number), "{other}");
        assert_eq!(answered.json()["message"], "请求重入时，参数与首次请求时不一致");
    }
    let mut native = order.clone();
    native.as_object_mut().unwrap().remove("payer");
    let answered = shop.post("/v3/pay/transactions/native", &native).await;
    assert_eq!(answered.refusal(), (403, "OUT_TRADE_NO_USED".to_owned(), Some(268_498_688)));
}

#[tokio::test]
async fn what_is_paid_is_neither_placed_nor_closed() {
    let shop = Shop::open().await;
    shop.place("ORDER1").await;
    shop.simulator.pay(&shop.order_key("ORDER1"), None).unwrap();
    let placed = shop.post("/v3/pay/transactions/jsapi", &shop.order("ORDER1")).await;
    assert_eq!(placed.refusal(), (400, "ORDER_PAID".to_owned(), Some(268_498_689)));
    assert_eq!(shop.close("ORDER1").await.refusal(), (400, "ORDER_PAID".to_owned(), Some(268_449_538)));
}

#[tokio::test]
async fn closing_is_answered_204_signed_again_and_again() {
    let shop = Shop::open().await;
    shop.place("ORDER1").await;
    for _ in 0..2 {
        let answered = shop.close("ORDER1").await;
        assert_eq!((answered.status, answered.body.len()), (204, 0));
        assert_eq!(answered.header("content-type"), None);
        shop.proven_by(&answered);
    }
    assert_eq!(shop.query("ORDER1").await.json()["trade_state"], "CLOSED");
    let placed = shop.post("/v3/pay/transactions/jsapi", &shop.order("ORDER1")).await;
    assert_eq!(placed.refusal(), (400, "ORDER_CLOSED".to_owned(), Some(268_447_914)));
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let shop = Shop::open().await;
    let not_found = (404, "ORDER_NOT_EXIST".to_owned(), Some(268_512_771));
    assert_eq!(shop.query("ORDER1").await.refusal(), not_found);
    assert_eq!(shop.close("ORDER1").await.refusal(), not_found);
    let by_id = |id: &str| format!("/v3/pay/transactions/id/{id}?mchid={}", shop.mchid);
    assert_eq!(shop.get(&by_id("4200000000000000000000000000")).await.refusal(), not_found);
    let malformed = shop.get(&by_id("4200%20")).await;
    assert_eq!(malformed.refusal(), (500, "INVALID_TRANSACTIONID".to_owned(), Some(0)));
}

#[tokio::test]
async fn an_appid_that_is_not_bound_is_refused() {
    let shop = Shop::open().await;
    let mut order = shop.order("ORDER1");
    order["appid"] = "wx0000000000000000".into();
    let answered = shop.post("/v3/pay/transactions/jsapi", &order).await;
    assert_eq!(answered.refusal(), (400, "APPID_MCHID_NOT_MATCH".to_owned(), Some(268_445_527)));
}

#[tokio::test]
async fn a_provider_sells_for_its_sub_merchants_only() {
    let (provider, sub) = ("1900000100", "1900000109");
    let setup = setup()
        .with(Account::provider(provider, "wxsp"), Mode::PublicKey)
        .with(Account::sub_merchant(sub, provider, Some("wxsub")), Mode::PublicKey);
    let shop = Shop::of(setup).await;
    let order = json!({
        "sp_appid": "wxsp",
        "sp_mchid": provider,
        "sub_appid": "wxsub",
        "sub_mchid": sub,
        "description": "tea",
        "out_trade_no": "ORDER1",
        "notify_url": "http://127.0.0.1:1/notify",
        "amount": { "total": 100 },
        "payer": { "sub_openid": "oSUB" },
    });
    let jsapi = "/v3/pay/partner/transactions/jsapi";
    assert_eq!(shop.post(jsapi, &order).await.status, 200);
    let mut foreign = order.clone();
    foreign["sub_mchid"] = "1999999999".into();
    assert_eq!(shop.post(jsapi, &foreign).await.refusal().1, "MCH_NOT_EXISTS");
    let mut own = order.clone();
    own["sub_mchid"] = provider.into();
    let refused = (400, "INVALID_REQUEST".to_owned(), Some(268_443_705));
    assert_eq!(shop.post(jsapi, &own).await.refusal(), refused);

    let mut both = order.clone();
    both["payer"]["sp_openid"] = "oPROVIDERS".into();
    assert_eq!(
        shop.post(jsapi, &both).await.json()["detail"]["field"],
        "/payer/sub_openid",
        "one of the two"
    );

    let payment = shop.simulator.pay(&OrderKey::new(provider, "ORDER1"), None).unwrap();
    let base = "/v3/pay/partner/transactions/out-trade-no/ORDER1";
    let answered = shop.get(&format!("{base}?sp_mchid={provider}&sub_mchid={sub}")).await;
    shop.proven_by(&answered);
    let json = answered.json();
    assert_eq!(json["payer"], json!({ "sp_openid": payment.openid, "sub_openid": "oSUB" }));
    assert_eq!((&json["sp_appid"], &json["sub_appid"]), (&json!("wxsp"), &json!("wxsub")));
    let other = shop.get(&format!("{base}?sp_mchid={provider}&sub_mchid=1999999999")).await;
    assert_eq!(other.refusal(), (400, "INVALID_REQUEST".to_owned(), Some(268_447_845)));
}
