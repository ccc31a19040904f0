//! Refunds by the control API, and rules of trouble that hit them and combined orders.

use std::time::Duration;

use payonce_simulator::Setup;
use payonce_simulator::books::{Account, Progress};
use payonce_simulator::keys::Mode;
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::shop::{Shop, open, setup};

const HEAD: &str = "1900000001";
const OTHER: &str = "1900000002";
const APP: &str = "wx0123456789abcdef";

#[tokio::test]
async fn an_order_is_refunded_told_and_ended_otherwise() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(204).await);
    shop.paid("ORDER1", &receiver.url()).await;
    let refund = json!({ "out_trade_no": "ORDER1", "refund_fen": 40 });
    let first = shop.sim("POST /_sim/refund", refund).await;
    assert_eq!((&first["status"], &first["refund_fen"]), (&json!("PROCESSING"), &json!(40)));
    let number = &first["out_refund_no"];
    let end = json!({ "out_refund_no": number, "status": "ABNORMAL" });
    assert_eq!(shop.sim("POST /_sim/refunds/end", end.clone()).await["status"], "ABNORMAL");
    shop.sim("POST /_sim/quiet", Value::Null).await;
    assert_eq!(open(&shop.ring, &receiver.came()[1]).event_type, "REFUND.ABNORMAL");
    let (status, again) = shop.control("POST /_sim/refunds/end", &end).await;
    assert_eq!((status, &again["error"]["code"]), (409, &json!("refused")));

    let rest = shop.sim("POST /_sim/refund", json!({ "out_trade_no": "ORDER1" })).await;
    assert_eq!(rest["refund_fen"], 60, "all that is left");
    let url = format!("/v3/refund/domestic/refunds/{}", rest["out_refund_no"].as_str().unwrap());
    assert_eq!(shop.get(&url).await.json()["status"], "PROCESSING", "the API knows it");
    let (status, _) = shop.control("POST /_sim/refund", &json!({ "out_trade_no": "ORDER1" })).await;
    assert_eq!(status, 409, "nothing is left");
    let order = &shop.sim("GET /_sim/orders", Value::Null).await["orders"][0];
    assert_eq!((&order["trade_state"], order["refunds"].as_array().unwrap().len()), (&json!("REFUND"), 2));
    let listed = shop.sim("GET /_sim/refunds?out_trade_no=ORDER1", Value::Null).await;
    assert_eq!(listed["refunds"].as_array().unwrap().len(), 2);
    let unknown = json!({ "out_refund_no": "R0", "status": "CLOSED" });
    let (status, json) = shop.control("POST /_sim/refunds/end", &unknown).await;
    assert_eq!((status, &json["error"]["code"]), (404, &json!("refund_unknown")));
}

#[tokio::test]
async fn an_account_without_money_refunds_nothing() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(204).await);
    shop.paid("ORDER1", &receiver.url()).await;
    for (short, expected) in [(true, 409), (false, 200)] {
        shop.sim("PUT /_sim/funds", json!({ "mchid": shop.mchid, "short": short })).await;
        let (status, json) = shop.control("POST /_sim/refund", &json!({ "out_trade_no": "ORDER1" })).await;
        assert_eq!(status, expected, "{json}");
    }
}

/// By the number of the order: its payment's notice, its refund's notice, and calls that name it by other numbers.
#[tokio::test]
async fn trouble_hits_what_is_about_a_refund() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(204).await);
    let rules = json!({
        "notices": [{ "when": { "order": "ORDER1", "event": "REFUND.SUCCESS" }, "do": "never" }],
        "calls": [{ "when": { "order": "ORDER1", "method": "GET" }, "do": { "fails": { "status": 500 } } }],
    });
    shop.sim("PUT /_sim/trouble", rules).await;
    for number in ["ORDER1", "ORDER2"] {
        shop.paid(number, &receiver.url()).await;
        let refund = shop.sim("POST /_sim/refund", json!({ "out_trade_no": number })).await;
        let url = format!("/v3/refund/domestic/refunds/{}", refund["out_refund_no"].as_str().unwrap());
        let expected = if number == "ORDER1" { 500 } else { 200 };
        assert_eq!(shop.get(&url).await.status, expected, "{number}");
    }
    shop.simulator.step(Duration::from_secs(5));
    shop.simulator.quiet().await;
    assert_eq!(receiver.came().len(), 3, "two payments and one refund");
    let shown = shop.sim("GET /_sim/notices?out_trade_no=ORDER1", Value::Null).await;
    let events: Vec<_> =
        shown["notices"].as_array().unwrap().iter().map(|notice| &notice["event_type"]).collect();
    assert_eq!(events, [&json!("TRANSACTION.SUCCESS"), &json!("REFUND.SUCCESS")]);
    let told = Progress::Acknowledged;
    let progress = shop.progress();
    assert!(matches!(progress[1], Progress::Due { .. }), "{progress:?}");
    assert_eq!([progress[0], progress[2], progress[3]], [told; 3], "ORDER2's refund is told");
}

async fn combined(receiver: &Receiver) -> Shop {
    let setup = setup()
        .with(Account::ordinary(HEAD, APP), Mode::PublicKey)
        .with(Account::ordinary(OTHER, APP), Mode::PublicKey);
    let shop = Shop::of(setup).await;
    let part = |mchid: &str, number: &str| {
        json!({
            "mchid": mchid, "attach": "a", "out_trade_no": number, "description": "tea",
            "amount": { "total_amount": 100, "currency": "CNY" },
        })
    };
    let whole = json!({
        "combine_appid": APP, "combine_mchid": HEAD, "combine_out_trade_no": "WHOLE1",
        "sub_orders": [part(HEAD, "PART1"), part(OTHER, "PART2")],
        "combine_payer_info": { "openid": "oALICE" }, "notify_url": receiver.url(),
    });
    let placed = shop.post("/v3/combine-transactions/jsapi", &whole).await;
    assert_eq!(placed.status, 200, "{placed:?}");
    shop
}

#[tokio::test]
async fn a_combined_order_is_cancelled_closed_and_paid_by_any_of_its_numbers() {
    let receiver = Receiver::answering(204).await;
    let shop = combined(&receiver).await;
    let (whole, part) = (json!({ "out_trade_no": "WHOLE1" }), json!({ "out_trade_no": "PART2" }));
    shop.sim("POST /_sim/cancel", part.clone()).await;
    let closed = shop.sim("POST /_sim/close", whole.clone()).await;
    assert_eq!(closed["combine_out_trade_no"], "WHOLE1");
    for order in closed["sub_orders"].as_array().unwrap() {
        assert_eq!(
            (&order["trade_state"], order["cancelled_at"].as_array().unwrap().len()),
            (&json!("CLOSED"), 1)
        );
    }
    assert_eq!(shop.control("POST /_sim/pay", &part).await.0, 409);
    let paid = json!({ "out_trade_no": "PART2", "despite_close": true });
    assert_eq!(shop.sim("POST /_sim/pay", paid).await["combined"], "WHOLE1");
    shop.sim("POST /_sim/quiet", Value::Null).await;
    assert_eq!(receiver.came().len(), 1, "one notice of all parts");
    for number in ["WHOLE1", "PART1", "PART2"] {
        let told = shop.sim(&format!("GET /_sim/notices?out_trade_no={number}"), Value::Null).await;
        assert_eq!(told["notices"].as_array().unwrap().len(), 1, "{number}");
    }
}

#[tokio::test]
async fn refunds_outlive_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let state = || Setup { state: Some(folder.path().join("state.json")), ..setup() };
    let (shop, receiver) = (Shop::of(state()).await, Receiver::answering(204).await);
    shop.paid("ORDER1", &receiver.url()).await;
    shop.sim("POST /_sim/refund", json!({ "out_trade_no": "ORDER1", "refund_fen": 1 })).await;
    let refunds = shop.sim("GET /_sim/refunds", Value::Null).await;
    shop.simulator.finish().await.unwrap();
    let shop = Shop::of(state()).await;
    assert_eq!(shop.sim("GET /_sim/refunds", Value::Null).await, refunds);
    shop.simulator.step(Duration::from_secs(5));
    shop.simulator.quiet().await;
    assert_eq!(open(&shop.ring, &receiver.came()[1]).event_type, "REFUND.SUCCESS");
}

/// The merchant platform's setting, for a refund that names no URL.
#[tokio::test]
async fn a_refund_that_names_no_url_is_told_where_the_platform_says() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(204).await);
    let call = format!("PUT /_sim/merchants/{}/refund-url", shop.mchid);
    assert_eq!(shop.sim(&call, json!({ "url": receiver.url() })).await["url"], receiver.url());
    shop.place("ORDER1").await;
    shop.simulator.pay(&shop.order_key("ORDER1"), None).unwrap();
    let refund = async |number: &str| {
        let refund = json!({
            "out_trade_no": "ORDER1", "out_refund_no": number,
            "amount": { "refund": 10, "total": 100, "currency": "CNY" },
        });
        assert_eq!(shop.post("/v3/refund/domestic/refunds", &refund).await.status, 200);
        shop.sim("POST /_sim/clock/step", json!({ "seconds": 5 })).await;
    };
    refund("R1").await;
    let came = receiver.came();
    assert!(String::from_utf8_lossy(&came[0].body).contains("<req_info>"), "{came:?}");
    shop.sim(&call, json!({ "url": null })).await;
    refund("R2").await;
    assert_eq!(receiver.came().len(), came.len(), "nobody is told");
    let (status, json) = shop.control(&call, &json!({ "url": "ftp://x" })).await;
    assert_eq!((status, &json["error"]["code"]), (400, &json!("value_invalid")));
}
