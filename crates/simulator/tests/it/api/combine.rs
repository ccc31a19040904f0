//! Combined orders over the API: placed, asked for, paid and told as one, closed as one, refunded apart.

use std::time::Duration;

use payonce_simulator::books::{Account, OrderKey};
use payonce_simulator::keys::Mode;
use serde_json::{Value, json};
use wechatpay::Resource;

use crate::receiver::Receiver;
use crate::shop::{Answered, Shop, open, setup};

const HEAD: &str = "1900000001";
const OTHER: &str = "1900000002";
const APP: &str = "wx0123456789abcdef";
const JSAPI: &str = "/v3/combine-transactions/jsapi";
const WHOLE: &str = "/v3/combine-transactions/out-trade-no/WHOLE1";

/// Two merchants in one app; the first combines.
async fn together() -> Shop {
    let setup = setup()
        .with(Account::ordinary(HEAD, APP), Mode::PublicKey)
        .with(Account::ordinary(OTHER, APP), Mode::PublicKey);
    Shop::of(setup).await
}

fn part(mchid: &str, out_trade_no: &str, fen: i64) -> Value {
    json!({
        "mchid": mchid, "attach": "深圳分店", "out_trade_no": out_trade_no, "description": "腾讯充值中心-QQ会员充值",
        "amount": { "total_amount": fen, "currency": "CNY" },
        "settle_info": { "profit_sharing": false },
    })
}

fn whole(notify_url: &str) -> Value {
    json!({
        "combine_appid": APP, "combine_mchid": HEAD, "combine_out_trade_no": "WHOLE1",
        "sub_orders": [part(HEAD, "PART1", 100), part(OTHER, "PART2", 250)],
        "combine_payer_info": { "openid": "oALICE" },
        "scene_info": { "device_id": "POS1", "payer_client_ip": "14.17.22.32" },
        "notify_url": notify_url,
    })
}

fn named() -> Value {
    let name = |mchid: &str, number: &str| json!({ "mchid": mchid, "out_trade_no": number });
    json!({ "combine_appid": APP, "sub_orders": [name(HEAD, "PART1"), name(OTHER, "PART2")] })
}

async fn placed(shop: &Shop, notify_url: &str) {
    let answered = shop.post(JSAPI, &whole(notify_url)).await;
    assert_eq!(answered.status, 200, "{answered:?}");
}

#[tokio::test]
async fn what_is_paid_in_one_act_is_told_in_one_notice() {
    let (shop, receiver) = (together().await, Receiver::answering(204).await);
    let answered = shop.post(JSAPI, &whole(&receiver.url())).await;
    shop.proven_by(&answered);
    assert!(answered.json()["prepay_id"].as_str().unwrap().starts_with("up_wx2025"), "{answered:?}");
    let unpaid = shop.get(WHOLE).await;
    shop.proven_by(&unpaid);
    let unpaid = unpaid.json();
    assert_eq!(unpaid["sub_orders"][0]["trade_state"], "NOTPAY");
    for field in ["/combine_transaction_id", "/combine_payer_info", "/sub_orders/0/transaction_id"] {
        assert_eq!(unpaid.pointer(field), None, "{field}");
    }

    let payment = shop.simulator.pay(&OrderKey::new(OTHER, "PART2"), None).unwrap();
    shop.simulator.quiet().await;
    let came = receiver.came();
    assert_eq!(came.len(), 1);
    let told = open(&shop.ring, &came[0]);
    assert_eq!(told.event_type, "TRANSACTION.SUCCESS");
    let Resource::CombineTransaction(combine) = &told.resource else { panic!("{told:?}") };
    let totals: Vec<_> = combine.payments().map(|payment| payment.total.get()).collect();
    assert_eq!(totals, [100, 250]);
    let plaintext: Value = serde_json::from_str(&told.plaintext).unwrap();
    assert_eq!(shop.get(WHOLE).await.json(), plaintext);
    let id = plaintext["combine_transaction_id"].as_str().unwrap();
    let by_id = shop.get(&format!("/v3/combine-transactions/id/{id}")).await;
    assert_eq!(by_id.json(), plaintext);
    assert_eq!(
        plaintext["sub_orders"][1],
        json!({
            "mchid": OTHER, "out_trade_no": "PART2", "transaction_id": payment.transaction_id,
            "trade_type": "JSAPI", "trade_state": "SUCCESS", "bank_type": payment.bank_type,
            "attach": "深圳分店", "success_time": "2025-06-15T23:06:40+08:00",
            "amount": {
                "total_amount": 250, "payer_amount": 250, "currency": "CNY", "payer_currency": "CNY",
            },
        })
    );
    assert_eq!(plaintext["combine_payer_info"], json!({ "openid": "oALICE" }));
    assert_eq!(plaintext["scene_info"], json!({ "device_id": "POS1" }));

    let ordinary = format!("/v3/pay/transactions/out-trade-no/WHOLE1?mchid={HEAD}");
    assert_eq!(shop.get(&ordinary).await.refusal().1, "ORDER_NOT_EXIST");
    let part = format!("/v3/pay/transactions/out-trade-no/PART1?mchid={HEAD}");
    assert_eq!(shop.get(&part).await.refusal().1, "ORDER_NOT_EXIST");
}

#[tokio::test]
async fn a_part_is_refunded_by_its_own_merchant() {
    let shop = together().await;
    placed(&shop, "http://127.0.0.1:1/notify").await;
    shop.simulator.pay(&shop.order_key("WHOLE1"), None).unwrap();
    let refund = |number: &str, total: i64| {
        json!({
            "out_trade_no": number, "out_refund_no": "R1",
            "amount": { "refund": 50, "total": total, "currency": "CNY" },
        })
    };
    let url = "/v3/refund/domestic/refunds";
    let foreign = shop.post(url, &refund("PART2", 250)).await;
    assert_eq!(foreign.refusal().1, "RESOURCE_NOT_EXISTS", "another merchant's part");
    assert_eq!(shop.post(url, &refund("WHOLE1", 350)).await.refusal().1, "RESOURCE_NOT_EXISTS");
    assert_eq!(shop.post(url, &refund("PART1", 100)).await.status, 200);
    shop.simulator.step(Duration::from_secs(5));
    let parts = shop.get(WHOLE).await.json()["sub_orders"].clone();
    assert_eq!((&parts[0]["trade_state"], &parts[1]["trade_state"]), (&json!("REFUND"), &json!("SUCCESS")));
}

#[tokio::test]
async fn closing_names_every_part() {
    let shop = together().await;
    placed(&shop, "http://127.0.0.1:1/notify").await;
    let close = format!("{WHOLE}/close");
    let mut one = named();
    one["sub_orders"].as_array_mut().unwrap().pop();
    assert_eq!(shop.post(&close, &one).await.refusal().1, "INVALID_REQUEST");
    one["sub_orders"] = json!([]);
    assert_eq!(shop.post(&close, &one).await.refusal().1, "PARAM_ERROR");
    for _ in 0..2 {
        let answered = shop.post(&close, &named()).await;
        assert_eq!((answered.status, answered.body.len()), (204, 0), "{answered:?}");
        shop.proven_by(&answered);
    }
    assert_eq!(shop.get(WHOLE).await.json()["sub_orders"][1]["trade_state"], "CLOSED");
    let again = shop.post(JSAPI, &whole("http://127.0.0.1:1/notify")).await;
    assert_eq!(again.refusal(), (400, "ORDER_CLOSED".to_owned(), Some(268_447_914)));
}

#[tokio::test]
async fn table_of_refused_wholes() {
    let shop = together().await;
    let url = "http://127.0.0.1:1/notify";
    let with = |pointer: &str, value: Value| {
        let mut body = whole(url);
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        match body.pointer_mut(parent).unwrap() {
            Value::Array(items) => items[field.parse::<usize>().unwrap()] = value,
            other => drop(other.as_object_mut().unwrap().insert(field.to_owned(), value)),
        }
        body
    };
    let many = |count: usize| (0..count).map(|n| part(HEAD, &format!("P{n}"), 1)).collect::<Value>();
    for (body, expected, field) in [
        (with("/sub_orders", many(1)), (400, "PARAM_ERROR", Some(268_435_464)), "/sub_orders"),
        (with("/sub_orders", many(11)), (400, "PARAM_ERROR", Some(268_435_464)), "/sub_orders"),
        (with("/sub_orders", many(0)), (400, "PARAM_ERROR", Some(268_435_461)), "/sub_orders"),
        (
            with("/sub_orders/1/amount/total_amount", json!(0)),
            (400, "PARAM_ERROR", Some(268_435_464)),
            "/sub_orders/1/amount/total_amount",
        ),
        (
            with("/sub_orders/1/total", json!(0)),
            (400, "PARAM_ERROR", Some(270_924_358)),
            "/sub_orders/1/total",
        ),
        (with("/combine_payer_info", json!({})), (400, "PARAM_ERROR", Some(268_501_013)), ""),
        (with("/combine_mchid", json!(OTHER)), (400, "PARAM_ERROR", Some(0)), ""),
        (with("/combine_appid", json!("wx0")), (400, "APPID_MCHID_NOT_MATCH", Some(268_445_527)), ""),
        (with("/sub_orders/1", part("1999999999", "PART2", 1)), (400, "MCH_NOT_EXISTS", Some(0)), ""),
        (with("/sub_orders/1", part(HEAD, "PART1", 1)), (403, "OUT_TRADE_NO_USED", Some(268_498_688)), ""),
    ] {
        let answered: Answered = shop.post(JSAPI, &body).await;
        let (status, code, number) = answered.refusal();
        assert_eq!((status, code.as_str(), number), expected, "{body}");
        if !field.is_empty() {
            assert_eq!(answered.json()["detail"]["field"], field);
        }
    }
    assert_eq!(shop.simulator.read(|books| books.orders().count()), 0, "nothing by halves");
    placed(&shop, url).await;
    placed(&shop, url).await;
    let settled = with("/sub_orders/0/settle_info", json!({ "profit_sharing": true }));
    assert_eq!(shop.post(JSAPI, &settled).await.json()["message"], "重复下单且结算信息不一致");
    let dearer = with("/sub_orders/0/amount/total_amount", json!(101));
    assert_eq!(shop.post(JSAPI, &dearer).await.refusal().2, Some(268_498_688));
}

#[tokio::test]
async fn each_way_of_paying_together_has_its_ticket() {
    let shop = together().await;
    for (way, field, beginning) in [
        ("app", "prepay_id", "up_wx"),
        ("native", "code_url", "weixin://wxpay/bizpayurl?pr="),
        ("h5", "h5_url", "https://wx.tenpay.com/"),
    ] {
        let mut body = whole("http://127.0.0.1:1/notify");
        body["combine_out_trade_no"] = format!("WHOLE-{way}").into();
        body["sub_orders"][0]["out_trade_no"] = format!("PART1-{way}").into();
        body["sub_orders"][1]["out_trade_no"] = format!("PART2-{way}").into();
        body.as_object_mut().unwrap().remove("combine_payer_info");
        if way == "h5" {
            let url = "/v3/combine-transactions/h5";
            assert_eq!(shop.post(url, &body).await.json()["detail"]["field"], "/scene_info/h5_info");
            body["scene_info"]["h5_info"] = json!({ "type": "Wap" });
        }
        let answered = shop.post(&format!("/v3/combine-transactions/{way}"), &body).await;
        assert!(answered.json()[field].as_str().unwrap().starts_with(beginning), "{way} {answered:?}");
    }
}
