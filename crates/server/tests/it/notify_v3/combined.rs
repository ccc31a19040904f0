//! A combine order: one act of paying, one notification, and an order for each of several sellers.

use payonce_core::{MerchantId, Outcome};
use payonce_server::{Patience, config::Config};
use serde_json::{Value, json};

use crate::{
    letter::Letter,
    stage::{AMOUNT_FEN, APPID, MCHID, Stage, merchant, payment},
};

const SELLER: &str = "1900000007";
const OTHER_SELLER: &str = "1900000008";

/// Order `SUB<number>` of this seller's.
fn sub_order(mchid: &str, number: u32) -> Value {
    json!({
        "mchid": mchid, "out_trade_no": format!("SUB{number}"), "attach": format!("for {number}"),
        "transaction_id": format!("42000000002026030209{number:08}"), "trade_state": "SUCCESS",
        "amount": { "total_amount": AMOUNT_FEN, "currency": "CNY" },
    })
}

/// The notification of a combine order.
pub(super) fn combined(stage: &Stage, sub_orders: &[(&str, u32)]) -> Letter {
    let sub_orders: Vec<Value> = sub_orders.iter().map(|(mchid, number)| sub_order(mchid, *number)).collect();
    let resource = json!({
        "combine_appid": APPID, "combine_mchid": MCHID, "combine_out_trade_no": "WHOLE",
        "combine_transaction_id": "42", "sub_orders": sub_orders,
    });
    stage.telling("EV-0", "TRANSACTION.SUCCESS", "transaction", &resource)
}

async fn register(stage: &Stage, mchid: &str, number: u32) -> Value {
    let body = json!({
        "mchid": mchid, "out_trade_no": format!("SUB{number}"), "amount": AMOUNT_FEN, "appid": APPID,
    });
    let answer = stage.api(Letter::post("/v1/orders", body.to_string())).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

fn with_sellers(sellers: &[&str]) -> impl FnOnce(&mut Config, &mut Patience) {
    let sellers = sellers.iter().map(|mchid| MerchantId::parse(mchid).unwrap()).collect();
    |config, _| config.merchants[0].sellers = sellers
}

/// Who combines has no keys of the sellers, and needs none.
#[tokio::test]
async fn the_orders_of_sellers_are_registered_paid_and_shown() {
    let stage = Stage::with(with_sellers(&[SELLER])).await;
    register(&stage, SELLER, 1).await;
    register(&stage, MCHID, 2).await;
    let letter = combined(&stage, &[(SELLER, 1), (MCHID, 2)]);
    for _ in 0..2 {
        stage.ask(&letter).await.assert_acknowledged();
    }
    assert_eq!(stage.message_types().await, ["payment.succeeded", "payment.succeeded"]);

    let messages = stage.api(Letter::get("/v1/messages")).await.json();
    for (place, (mchid, number)) in [(SELLER, 1), (MCHID, 2)].into_iter().enumerate() {
        let path = format!("/v1/orders/SUB{number}?mchid={mchid}");
        let order = stage.api(Letter::get(&path)).await.json();
        assert_eq!((&order["mchid"], &order["state"]), (&mchid.into(), &"paid".into()));
        let data = &messages["messages"][place]["body"]["data"];
        assert_eq!((&data["mchid"], &data["out_trade_no"]), (&mchid.into(), &format!("SUB{number}").into()));
        assert_eq!(data["detail"]["combine_out_trade_no"], "WHOLE");
        assert_eq!(data["detail"]["sub_order"], sub_order(mchid, number));
        assert_eq!(data["detail"].get("sub_orders"), None, "of the others it is not told");
    }
}

/// It is kept, and said, until somebody says whose it is.
#[tokio::test]
async fn an_order_of_a_seller_who_is_not_listed_waits_until_it_is() {
    let stage = Stage::set().await;
    stage.ask(&combined(&stage, &[(OTHER_SELLER, 1)])).await.assert_acknowledged();
    assert_eq!(stage.message_types().await, ["payment.unmatched"]);
    let shown = stage.api(Letter::get(&format!("/v1/orders/SUB1?mchid={OTHER_SELLER}"))).await;
    let json = shown.json();
    assert_eq!((shown.status, &json["code"]), (422, &"PAY0004".into()));
    let message = json["message"].as_str().unwrap();
    assert!(message.contains("1900000008 is configured, nor is it among the sellers of one"), "{message}");

    let stage = stage.restarted_with(&[merchant()], with_sellers(&[SELLER, OTHER_SELLER])).await;
    assert_eq!(register(&stage, OTHER_SELLER, 1).await["state"], "paid");
    assert_eq!(stage.message_types().await, ["payment.unmatched", "payment.succeeded"]);
}

/// A seller is no merchant of ours: nothing is taken at its path, and one that is left out is never meant.
#[tokio::test]
async fn a_seller_is_not_taken_for_a_merchant() {
    let stage = Stage::with(with_sellers(&[SELLER])).await;
    let letter = combined(&stage, &[(SELLER, 1)]).to(&format!("/notify/v3/{SELLER}"));
    stage.ask(&letter).await.assert_refused(400, "no merchant \"1900000007\" is configured");
    let body = json!({ "out_trade_no": "SUB1", "amount": AMOUNT_FEN, "appid": APPID });
    let answer = stage.api(Letter::post("/v1/orders", body.to_string())).await;
    assert_eq!(answer.json()["mchid"], MCHID);
}

/// Elsewhere a receipt said that it was applied, while WeChat was told to send it again.
#[tokio::test(flavor = "multi_thread")]
async fn a_combine_order_of_which_a_part_was_shed_leaves_no_receipt() {
    let stage = Stage::with(|config, _| config.server.queue_callbacks_max = 2).await;
    stage.store.close_gate();
    let mut in_flight = stage.ask_all([stage.callback(payment(1))]);
    stage.store.at_gate(1).await;
    // Three facts for two places.
    let letter = combined(&stage, &[(MCHID, 1), (MCHID, 2), (MCHID, 3)]);
    stage.ask(&letter).await.assert_refused(503, "too many callbacks");
    stage.store.open_gate();
    in_flight.join_next().await.unwrap().unwrap().assert_acknowledged();
    stage.store.committed(2).await;

    let stage = stage.restarted(&[merchant()]).await;
    let counts = stage.counts().await;
    assert_eq!(
        (counts.payments, counts.receipts),
        (3, 1),
        "two of its parts, and the receipt of the other one"
    );
    stage.ask(&letter).await.assert_acknowledged();
    let struck = stage.struck().await;
    assert_eq!(struck.counts().await.payments, 4);
    // It says what is worth knowing of the whole: two parts were known already, the third has no order.
    assert_eq!(struck.receipts().await, [Outcome::Unmatched, Outcome::Unmatched]);
}
