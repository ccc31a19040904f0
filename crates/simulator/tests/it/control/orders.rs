//! What a user does at the cashier, by either number of the order.

use payonce_simulator::Setup;
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::shop::{Shop, setup};

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

/// A backend that was not reset with the simulation knows the numbers that were, and takes one of them for a repetition.
#[tokio::test]
async fn numbers_go_on_after_a_reset_unless_the_seed_was_named() {
    for reset_repeats in [false, true] {
        let shop = Shop::of(Setup { reset_repeats, ..setup() }).await;
        let mut paid = Vec::new();
        for number in ["ORDER1", "ORDER2"] {
            shop.sim("POST /_sim/reset", Value::Null).await;
            shop.place(number).await;
            paid.push(shop.simulator.pay(&shop.order_key(number), None).unwrap().transaction_id);
        }
        assert_eq!(paid[0] == paid[1], reset_repeats, "{paid:?}");
    }
}

/// Six orders under a rule that throws dice: who was struck, and what was paid.
async fn six(shop: &Shop, receiver: &Receiver) -> (Vec<bool>, Vec<Value>) {
    let (mut struck, mut numbers) = (Vec::new(), Vec::new());
    for number in 1..=6 {
        let number = format!("ORDER{number}");
        shop.place_for(&number, &receiver.url()).await;
        let paid = shop.sim("POST /_sim/pay", json!({ "out_trade_no": number })).await;
        numbers.push(paid["transaction_id"].clone());
        shop.simulator.quiet().await;
        struck.push(!shop.last_heard().trouble.is_empty());
    }
    (struck, numbers)
}

/// Whoever resets a simulation finds the dice and numbers of its start again, and a rule of no name by the same name.
#[tokio::test]
async fn a_reset_is_as_good_as_a_start() {
    let rules = json!({ "notices": [{ "when": { "percent": 50 }, "do": "headers_small" }] });
    let (shop, receiver) = (Shop::open().await, Receiver::answering(204).await);
    shop.sim("PUT /_sim/trouble", rules.clone()).await;
    let first = six(&shop, &receiver).await;
    assert!(first.0.contains(&true) && first.0.contains(&false), "{:?}", first.0);
    let bodies = receiver.came().iter().map(|came| came.body.clone()).collect::<Vec<_>>();
    shop.sim("POST /_sim/reset", Value::Null).await;
    assert_eq!(six(&shop, &receiver).await, first, "after a reset");
    let again = receiver.came().iter().skip(6).map(|came| came.body.clone()).collect::<Vec<_>>();
    assert_eq!(again, bodies, "byte for byte");
    // A merchant more, calls in between, and another seed meanwhile change nothing of it.
    shop.sim("PUT /_sim/trouble", json!({ "seed": 7 })).await;
    let put = shop.sim("PUT /_sim/trouble", rules).await;
    assert_eq!((&put["seed"], &put["notices"][0]["name"]), (&json!(1), &json!("notice-1")));
    shop.sim("POST /_sim/merchants", Value::Null).await;
    shop.sim("POST /_sim/reset", Value::Null).await;
    assert_eq!(six(&shop, &receiver).await, first, "after the same rules");
    // A start with keys that are there draws none.
    let again = Shop::of(Setup { known: Some(shop.simulator.known()), ..setup() }).await;
    again
        .sim(
            "PUT /_sim/trouble",
            json!({ "notices": [{ "when": { "percent": 50 }, "do": "headers_small" }] }),
        )
        .await;
    assert_eq!(again.mchid, shop.mchid);
    assert_eq!(six(&again, &receiver).await, first, "after a start with the same keys");
}

/// Merchants that are made up have free numbers, also after a reset and at the next start.
#[tokio::test]
async fn merchants_are_made_up_with_free_numbers() {
    let shop = Shop::open().await;
    shop.sim("POST /_sim/merchants", Value::Null).await;
    shop.sim("POST /_sim/reset", Value::Null).await;
    shop.sim("POST /_sim/merchants", Value::Null).await;
    let again = Shop::of(Setup { known: Some(shop.simulator.known()), ..setup() }).await;
    again.sim("POST /_sim/merchants", Value::Null).await;
    assert_eq!(again.simulator.mchids().len(), 4);
}

/// What a merchant is set to is no more forgotten than the merchant.
#[tokio::test]
async fn settings_outlive_a_reset() {
    let (shop, receiver) =
        (Shop::of(Setup { limits: true, ..setup() }).await, Receiver::answering(204).await);
    shop.simulator.set_refund_url(&shop.mchid, Some(&receiver.url()));
    let refund = async |number: &str| {
        let refund = json!({
            "out_trade_no": "ORDER1", "out_refund_no": number,
            "amount": { "refund": 10, "total": 100, "currency": "CNY" },
        });
        shop.post("/v3/refund/domestic/refunds", &refund).await.status
    };
    for _ in 0..2 {
        shop.paid("ORDER1", &receiver.url()).await;
        shop.sim("PUT /_sim/funds", json!({ "mchid": shop.mchid, "short": false })).await;
        assert_eq!([refund("R1").await, refund("R2").await], [200, 429]);
        shop.simulator.step(std::time::Duration::from_secs(5));
        shop.simulator.quiet().await;
        assert!(String::from_utf8_lossy(&receiver.came().last().unwrap().body).contains("req_info"));
        shop.sim("PUT /_sim/funds", json!({ "mchid": shop.mchid, "short": true })).await;
        shop.sim("POST /_sim/reset", Value::Null).await;
        shop.paid("ORDER1", &receiver.url()).await;
        assert_eq!(refund("R1").await, 403, "still without money");
        shop.sim("POST /_sim/reset", Value::Null).await;
    }
}

/// What is on its way at a reset belongs to what is forgotten: the next test neither sees it nor is helped by it.
#[tokio::test]
async fn what_is_on_its_way_at_a_reset_counts_for_nothing() {
    let (shop, slow) = (Shop::open().await, Receiver::holding(204).await);
    let receiver = Receiver::answering(204).await;
    shop.place_for("ORDER1", &slow.url()).await;
    shop.sim("POST /_sim/pay", json!({ "out_trade_no": "ORDER1" })).await;
    slow.until(1).await;
    shop.sim("POST /_sim/reset", Value::Null).await;
    let quiet = shop.control("POST /_sim/quiet", &json!({ "seconds_max": 0 })).await;
    assert_eq!(quiet.0, 504, "it is on its way still");
    let behind = json!({ "behind": { "notices": 2, "seconds_max": 600 } });
    shop.sim("PUT /_sim/trouble", json!({ "notices": [{ "when": { "nth": 1 }, "do": behind }] })).await;
    for number in ["ORDER2", "ORDER3"] {
        shop.place_for(number, &receiver.url()).await;
        shop.sim("POST /_sim/pay", json!({ "out_trade_no": number })).await;
    }
    receiver.until(1).await;
    slow.let_go();
    shop.simulator.quiet().await;
    assert_eq!(receiver.came().len(), 1, "one other notice is not two");
}

/// Within one second the last one placed is the newest.
#[tokio::test]
async fn the_newest_order_is_the_last() {
    let shop = Shop::open().await;
    for number in ["ORDER3", "ORDER1", "ORDER2"] {
        shop.place(number).await;
    }
    let listed = shop.sim("GET /_sim/orders", Value::Null).await;
    let listed = listed["orders"].as_array().unwrap();
    let numbers: Vec<_> = listed.iter().map(|order| order["out_trade_no"].as_str().unwrap()).collect();
    assert_eq!(numbers, ["ORDER3", "ORDER1", "ORDER2"]);
}
