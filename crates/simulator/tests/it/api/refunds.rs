//! Refunds over the API: asked for, paid out, told, closed, sent another way.

use std::time::Duration;

use payonce_simulator::books::{Account, OrderKey, RefundKey, RefundStatus};
use payonce_simulator::keys::Mode;
use serde_json::{Value, json};
use wechatpay::{PlatformKey, Resource};

use crate::receiver::Receiver;
use crate::shop::{Answered, Shop, open, setup};

const REFUNDS: &str = "/v3/refund/domestic/refunds";

impl Shop {
    /// An order over 100 fen that somebody paid. Its number at WeChat's.
    async fn paid_number(&self, out_trade_no: &str) -> String {
        self.place(out_trade_no).await;
        self.simulator.pay(&self.order_key(out_trade_no), None).unwrap().transaction_id
    }

    async fn refund(&self, body: &Value) -> Answered {
        self.post(REFUNDS, body).await
    }

    async fn query_refund(&self, out_refund_no: &str) -> Answered {
        self.get(&format!("{REFUNDS}/{out_refund_no}")).await
    }

    fn end(&self, out_refund_no: &str, status: RefundStatus) {
        self.simulator.end_refund(&RefundKey::new(&self.mchid, out_refund_no), status).unwrap();
    }
}

fn asked(out_refund_no: &str, refund: i64) -> Value {
    json!({
        "out_trade_no": "ORDER1",
        "out_refund_no": out_refund_no,
        "reason": "商品已售完",
        "amount": { "refund": refund, "total": 100, "currency": "CNY" },
    })
}

#[tokio::test]
async fn a_refund_is_answered_as_accepted_and_later_as_paid_out() {
    let shop = Shop::open().await;
    let transaction_id = shop.paid_number("ORDER1").await;
    let answered = shop.refund(&asked("R1", 40)).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    shop.proven_by(&answered);
    let mut accepted = answered.json();
    assert_eq!(accepted["refund_id"].as_str().unwrap().len(), 29);
    let account = accepted["user_received_account"].take();
    assert_eq!(
        accepted,
        json!({
            "refund_id": accepted["refund_id"],
            "out_refund_no": "R1",
            "transaction_id": transaction_id,
            "out_trade_no": "ORDER1",
            "channel": "ORIGINAL",
            "user_received_account": null,
            "create_time": "2025-06-15T23:06:40+08:00",
            "status": "PROCESSING",
            "funds_account": "UNSETTLED",
            "amount": {
                "total": 100, "refund": 40, "payer_total": 100, "payer_refund": 40,
                "settlement_refund": 40, "settlement_total": 100, "discount_refund": 0,
                "currency": "CNY", "refund_fee": 0,
            },
        })
    );
    let order = shop.get(&format!("/v3/pay/transactions/out-trade-no/ORDER1?mchid={}", shop.mchid)).await;
    assert_eq!(order.json()["trade_state"], "REFUND");

    shop.simulator.step(Duration::from_secs(5));
    let queried = shop.query_refund("R1").await;
    shop.proven_by(&queried);
    let queried = queried.json();
    assert_eq!((&queried["status"], &queried["user_received_account"]), (&json!("SUCCESS"), &account));
    assert_eq!(queried["success_time"], "2025-06-15T23:06:45+08:00");
    let mut by_id = asked("R1", 40);
    by_id.as_object_mut().unwrap().remove("out_trade_no");
    by_id["transaction_id"] = transaction_id.into();
    assert_eq!(shop.refund(&by_id).await.json(), queried, "asked for again, by the other number");
}

#[tokio::test]
async fn the_end_of_a_refund_is_told_to_its_notify_url() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(500).await);
    shop.paid_number("ORDER1").await;
    let mut body = asked("R1", 100);
    body["notify_url"] = receiver.url().into();
    assert_eq!(shop.refund(&body).await.status, 200);
    shop.simulator.quiet().await;
    assert!(receiver.came().is_empty(), "nothing before the end");
    for (wait_seconds, attempts) in [(5, 1), (15, 2), (15, 3)] {
        shop.simulator.step(Duration::from_secs(wait_seconds));
        shop.simulator.quiet().await;
        assert_eq!(receiver.came().len(), attempts);
    }
    let told = open(&shop.ring, &receiver.came()[0]);
    assert_eq!(told.event_type, "REFUND.SUCCESS");
    let Resource::Refund(refund) = &told.resource else { panic!("{told:?}") };
    assert_eq!((refund.out_refund_no.as_str(), refund.refund_status.as_str()), ("R1", "SUCCESS"));
    let plaintext: Value = serde_json::from_str(&told.plaintext).unwrap();
    assert_eq!(plaintext["mchid"], shop.mchid);
    assert_eq!(
        plaintext["amount"],
        json!({ "total": 100, "refund": 100, "payer_total": 100, "payer_refund": 100 })
    );
}

#[tokio::test]
async fn an_abnormal_refund_is_told_and_sent_to_another_card() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(204).await);
    shop.paid_number("ORDER1").await;
    let mut body = asked("R1", 100);
    body["notify_url"] = receiver.url().into();
    let refund_id = shop.refund(&body).await.json()["refund_id"].as_str().unwrap().to_owned();
    shop.end("R1", RefundStatus::Abnormal);
    assert_eq!(shop.query_refund("R1").await.json()["status"], "ABNORMAL");

    let url = format!("{REFUNDS}/{refund_id}/apply-abnormal-refund");
    let key = shop.ring.public_key().unwrap();
    let sealing = PlatformKey::from_public_key_pem(key.serial(), key.public_key_pem()).unwrap();
    let card = json!({
        "out_refund_no": "R1", "type": "USER_BANK_CARD", "bank_type": "ICBC_DEBIT",
        "bank_account": sealing.encrypt("6225750000000000").unwrap(),
        "real_name": sealing.encrypt("王小明").unwrap(),
    });
    let missing = shop.post(&url, &card).await;
    assert_eq!(missing.refusal().1, "PARAM_ERROR", "no Wechatpay-Serial");
    let with_serial = |body: &Value| {
        let mut request = shop.request("POST", &url, &body.to_string());
        request.headers_mut().insert("wechatpay-serial", key.serial().parse().unwrap());
        request
    };
    let mut open_card = card.clone();
    open_card["bank_account"] = "6225750000000000".into();
    assert_eq!(shop.send(with_serial(&open_card)).await.json()["detail"]["field"], "/bank_account");
    let answered = shop.send(with_serial(&card)).await.json();
    assert_eq!((&answered["status"], &answered["channel"]), (&json!("PROCESSING"), &json!("OTHER_BANKCARD")));
    assert_eq!(answered["user_received_account"], "工商银行借记卡0403");

    shop.simulator.step(Duration::from_secs(5));
    shop.simulator.quiet().await;
    let told: Vec<_> = receiver.came().iter().map(|came| open(&shop.ring, came).event_type).collect();
    assert_eq!(told, ["REFUND.ABNORMAL", "REFUND.SUCCESS"]);
}

#[tokio::test]
async fn a_closed_refund_is_told_and_its_number_is_burnt() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(204).await);
    shop.paid_number("ORDER1").await;
    let mut body = asked("R1", 100);
    body["notify_url"] = receiver.url().into();
    assert_eq!(shop.refund(&body).await.status, 200);
    shop.end("R1", RefundStatus::Closed);
    shop.simulator.quiet().await;
    assert_eq!(open(&shop.ring, &receiver.came()[0]).event_type, "REFUND.CLOSED");
    assert_eq!(shop.refund(&body).await.json()["status"], "CLOSED");
    body["out_refund_no"] = "R2".into();
    assert_eq!(shop.refund(&body).await.json()["status"], "PROCESSING");
}

#[tokio::test]
async fn table_of_refused_refunds() {
    let shop = Shop::open().await;
    shop.paid_number("ORDER1").await;
    shop.place("UNPAID").await;
    shop.refund(&asked("R0", 60)).await;
    let with = |pointer: &str, value: Value| {
        let mut body = asked("R1", 40);
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let again = |refund: i64| asked("R0", refund);
    for (body, expected) in [
        (with("/out_trade_no", json!("ORDER9")), (404, "RESOURCE_NOT_EXISTS", Some(268_512_771))),
        (with("/out_trade_no", json!("UNPAID")), (404, "RESOURCE_NOT_EXISTS", Some(268_512_771))),
        (with("/amount/refund", json!(41)), (400, "INVALID_REQUEST", Some(0))),
        (with("/amount/total", json!(99)), (400, "INVALID_REQUEST", Some(0))),
        (again(59), (400, "REFUND_FEE_MISMATCH", Some(0))),
        (
            {
                let mut other = again(60);
                other["reason"] = "other".into();
                other
            },
            (400, "INVALID_REQUEST", Some(268_498_688)),
        ),
        (with("/amount/refund", json!(0)), (400, "PARAM_ERROR", Some(268_435_464))),
        (with("/amount/refund", json!(0.4)), (400, "PARAM_ERROR", Some(268_435_461))),
        (with("/amount/currency", json!("USD")), (400, "PARAM_ERROR", Some(268_435_461))),
        (with("/out_refund_no", json!("R 1")), (400, "PARAM_ERROR", Some(268_435_461))),
        (with("/reason", json!("长".repeat(81))), (400, "PARAM_ERROR", Some(268_435_464))),
    ] {
        let (status, code, number) = shop.refund(&body).await.refusal();
        assert_eq!((status, code.as_str(), number), expected, "{body}");
    }
    shop.simulator.set_short_of_funds(&shop.mchid, true);
    let refused = shop.refund(&asked("R1", 40)).await;
    assert_eq!(refused.refusal(), (403, "NOT_ENOUGH".to_owned(), Some(0)));
    let unknown = shop.query_refund("R1").await;
    assert_eq!(unknown.refusal(), (404, "RESOURCE_NOT_EXISTS".to_owned(), Some(0)), "never accepted");
    assert_eq!(shop.simulator.read(|books| books.refunds().count()), 1);
}

#[tokio::test]
async fn fields_of_a_refund_are_held_against_each_other() {
    let shop = Shop::open().await;
    shop.paid_number("ORDER1").await;
    let with = |pointer: &str, value: Value| {
        let mut body = asked("R1", 40);
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        parent.insert(field.to_owned(), value);
        body
    };
    let part = |amount: i64| json!([{ "account": "AVAILABLE", "amount": amount }]);
    let mut neither = asked("R1", 40);
    neither.as_object_mut().unwrap().remove("out_trade_no");
    let mut both = with("/amount/from", part(40));
    both["funds_account"] = "AVAILABLE".into();
    for (body, field) in [
        (neither, "/transaction_id"),
        (both, "/funds_account"),
        (with("/amount/from", part(39)), "/amount/from"),
        (with("/amount/from", json!([{ "account": "BASIC", "amount": 40 }])), "/amount/from/0/account"),
        (with("/funds_account", json!("BASIC")), "/funds_account"),
        (with("/notify_url", json!("ftp://a/b")), "/notify_url"),
        (with("/refund_fee", json!(40)), "/refund_fee"),
        (with("/goods_detail", json!([{ "merchant_goods_id": "1" }])), "/goods_detail/0/unit_price"),
    ] {
        let answered = shop.refund(&body).await;
        assert_eq!(answered.refusal().1, "PARAM_ERROR", "{body}");
        assert_eq!(answered.json()["detail"]["field"], field);
    }
    let answered = shop.refund(&with("/amount/from", part(40))).await.json();
    assert_eq!(answered["amount"]["from"], part(40));
}

#[tokio::test]
async fn a_provider_refunds_in_the_name_of_its_sub_merchant() {
    let (provider, sub) = ("1900000100", "1900000109");
    let setup = setup()
        .with(Account::provider(provider, "wxsp"), Mode::PublicKey)
        .with(Account::sub_merchant(sub, provider, None), Mode::PublicKey);
    let (shop, receiver) = (Shop::of(setup).await, Receiver::answering(204).await);
    let order = json!({
        "sp_appid": "wxsp", "sp_mchid": provider, "sub_mchid": sub, "description": "tea",
        "out_trade_no": "ORDER1", "notify_url": "http://127.0.0.1:1/notify", "amount": { "total": 100 },
        "payer": { "sp_openid": "oPROVIDERS" },
    });
    assert_eq!(shop.post("/v3/pay/partner/transactions/jsapi", &order).await.status, 200);
    shop.simulator.pay(&OrderKey::new(provider, "ORDER1"), None).unwrap();
    let mut body = asked("R1", 100);
    body["notify_url"] = receiver.url().into();
    assert_eq!(shop.refund(&body).await.refusal(), (400, "PARAM_ERROR".to_owned(), Some(268_443_704)));
    body["sub_mchid"] = "1999999999".into();
    assert_eq!(shop.refund(&body).await.refusal(), (400, "INVALID_REQUEST".to_owned(), Some(268_447_845)));
    body["sub_mchid"] = sub.into();
    assert_eq!(shop.refund(&body).await.status, 200);
    assert_eq!(shop.query_refund(&format!("R1?sub_mchid={sub}")).await.json()["status"], "PROCESSING");

    shop.simulator.step(Duration::from_secs(5));
    shop.simulator.quiet().await;
    let told = open(&shop.ring, receiver.came().last().unwrap());
    let plaintext: Value = serde_json::from_str(&told.plaintext).unwrap();
    assert_eq!((&plaintext["sp_mchid"], &plaintext["sub_mchid"]), (&json!(provider), &json!(sub)));
}
