//! What a user does at the cashier, by either number of the order.

use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::shop::Shop;

#[tokio::test]
async fn an_order_is_listed_cancelled_and_paid() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(204).await);
    shop.place_for("ORDER1", &receiver.url()).await;
    let orders = shop.sim("GET /_sim/orders", Value::Null).await;
    let order = &orders["orders"][0];
    for (field, value) in [
        ("mchid", json!(shop.mchid)),
        ("out_trade_no", json!("ORDER1")),
        ("trade_state", json!("NOTPAY")),
        ("trade_type", json!("JSAPI")),
        ("amount_fen", json!(100)),
        ("payer", json!("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o")),
        ("placed_at", json!("2025-06-15T23:06:40+08:00")),
        ("cancelled_at", json!([])),
        ("paid_at", Value::Null),
    ] {
        assert_eq!(order[field], value, "{field}");
    }
    let prepay_id = &order["ticket"];
    let cancelled = shop.sim("POST /_sim/cancel", json!({ "prepay_id": prepay_id })).await;
    assert_eq!(cancelled["cancelled_at"], json!(["2025-06-15T23:06:40+08:00"]));
    assert_eq!(cancelled["trade_state"], "NOTPAY", "the order is there still");
    assert_eq!(receiver.came().len(), 0, "nobody is told");

    let paid = shop.sim("POST /_sim/pay", json!({ "prepay_id": prepay_id })).await;
    assert_eq!((&paid["trade_state"], &paid["openid"]), (&json!("SUCCESS"), &order["payer"]));
    shop.sim("POST /_sim/quiet", Value::Null).await;
    assert_eq!(receiver.came().len(), 1);
    let (status, again) = shop.control("POST /_sim/pay", &json!({ "out_trade_no": "ORDER1" })).await;
    assert_eq!(
        (status, &again["error"]["code"], &again["error"]["wechat_code"]),
        (409, &json!("refused"), &json!("ORDER_PAID"))
    );
}

/// The merchant was told that its order is closed, and the payment comes all the same: the race that some lose.
#[tokio::test]
async fn a_closed_order_is_paid_when_both_happened_in_one_moment() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(204).await);
    shop.place_for("ORDER1", &receiver.url()).await;
    let named = json!({ "mchid": shop.mchid, "out_trade_no": "ORDER1" });
    let closed = shop.sim("POST /_sim/close", named.clone()).await;
    assert_eq!(closed["trade_state"], "CLOSED");
    let (status, refused) = shop.control("POST /_sim/pay", &named).await;
    assert_eq!((status, &refused["error"]["wechat_code"]), (409, &json!("ORDER_CLOSED")));
    let paid = shop.sim("POST /_sim/pay", json!({ "out_trade_no": "ORDER1", "despite_close": true })).await;
    assert_eq!(paid["trade_state"], "SUCCESS");
    shop.sim("POST /_sim/quiet", Value::Null).await;
    assert_eq!(receiver.came().len(), 1);
}

/// After it the same seed makes the same numbers again; who was on file is on file.
#[tokio::test]
async fn a_reset_forgets_what_was_done_and_keeps_who_is_there() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(204).await);
    let mut numbers = Vec::new();
    for _ in 0..2 {
        shop.sim("POST /_sim/reset", Value::Null).await;
        assert_eq!(shop.sim("GET /_sim/orders", Value::Null).await, json!({ "orders": [] }));
        assert_eq!(shop.sim("GET /_sim/notices", Value::Null).await, json!({ "notices": [] }));
        shop.place_for("ORDER1", &receiver.url()).await;
        let paid = shop.sim("POST /_sim/pay", json!({ "out_trade_no": "ORDER1" })).await;
        shop.sim("POST /_sim/quiet", Value::Null).await;
        numbers.push(paid["transaction_id"].clone());
    }
    assert_eq!(numbers[0], numbers[1]);
    assert_eq!(receiver.came().len(), 2);
}
