//! 204 in the other modes of payment: a provider's callback for its merchant, and one for several orders at once.

use serde_json::{Value, json};

use crate::{
    letter::Letter,
    stage::{AMOUNT_FEN, APPID, MCHID, OPENID, Stage, merchant, registration, second_merchant},
};

const SUB_MCHID: &str = "1900000109";

/// What WeChat tells a provider of the payment of order `ORDER1`.
fn partner(sub_mchid: &str) -> Value {
    json!({
        "sp_appid": APPID, "sp_mchid": MCHID, "sub_appid": "wxfedcba9876543210", "sub_mchid": sub_mchid,
        "out_trade_no": "ORDER1", "transaction_id": "4200000000202603020000000001", "trade_type": "JSAPI",
        "trade_state": "SUCCESS", "trade_state_desc": "支付成功", "bank_type": "OTHERS", "attach": "",
        "success_time": "2026-03-02T09:15:07+08:00", "payer": { "sp_openid": OPENID, "sub_openid": "" },
        "amount": { "total": AMOUNT_FEN, "payer_total": AMOUNT_FEN, "currency": "CNY", "payer_currency": "CNY" },
    })
}

/// One order of a combined one.
fn sub_order(mchid: &str, number: u32, amount: i64) -> Value {
    json!({
        "mchid": mchid, "out_trade_no": format!("ORDER{number}"), "trade_type": "JSAPI", "trade_state": "SUCCESS",
        "transaction_id": format!("42000000002026030200{number:08}"), "bank_type": "OTHERS", "attach": "a",
        "success_time": "2026-03-02T09:15:07+08:00",
        "amount": { "total_amount": amount, "payer_amount": amount, "currency": "CNY", "payer_currency": "CNY" },
    })
}

/// What WeChat tells who combined these orders.
fn combined(sub_orders: &[Value]) -> Value {
    json!({
        "combine_appid": APPID, "combine_mchid": MCHID, "combine_out_trade_no": "WHOLE",
        "scene_info": { "device_id": "POS1:1" }, "combine_payer_info": { "openid": OPENID },
        "sub_orders": sub_orders,
    })
}

async fn register(stage: &Stage, mchid: &str, number: u32, sub_mchid: Option<&str>) {
    let mut body = registration(number);
    body["mchid"] = mchid.into();
    if let Some(sub_mchid) = sub_mchid {
        body["sub_mchid"] = sub_mchid.into();
    }
    let answer = stage.api(Letter::post("/v1/orders", body.to_string())).await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

async fn order(stage: &Stage, mchid: &str, number: u32) -> Value {
    stage.api(Letter::get(&format!("/v1/orders/ORDER{number}?mchid={mchid}"))).await.json()
}

#[tokio::test]
async fn a_providers_payment_pays_its_merchants_order_once() {
    let stage = Stage::set().await;
    register(&stage, MCHID, 1, Some(SUB_MCHID)).await;
    let letter = stage.telling("EV-1", "TRANSACTION.SUCCESS", "transaction", &partner(SUB_MCHID));
    for _ in 0..3 {
        stage.ask(&letter).await.assert_acknowledged();
    }
    let paid = order(&stage, MCHID, 1).await;
    assert_eq!((&paid["state"], &paid["sub_mchid"]), (&json!("paid"), &json!(SUB_MCHID)));
    assert_eq!(stage.message_types().await, ["payment.succeeded"]);
    let counts = stage.struck().await.counts().await;
    assert_eq!((counts.payments, counts.receipts, counts.rejected), (1, 3, 0));
}

/// The right amount, paid to another merchant of the provider's.
#[tokio::test]
async fn a_providers_payment_for_another_merchant_pays_nothing() {
    let stage = Stage::set().await;
    register(&stage, MCHID, 1, Some(SUB_MCHID)).await;
    let letter = stage.telling("EV-1", "TRANSACTION.SUCCESS", "transaction", &partner("1900000110"));
    stage.ask(&letter).await.assert_acknowledged();
    assert_eq!(order(&stage, MCHID, 1).await["state"], "pending");
    assert_eq!(stage.message_types().await, ["payment.mismatched"]);
}

/// Three orders of two merchants, of which one is paid too little: acknowledged together, each decided by itself.
#[tokio::test]
async fn a_combined_payment_pays_each_of_its_orders_once() {
    let second = second_merchant();
    let stage = Stage::of(&[merchant(), second_merchant()], |_, _| ()).await;
    for (mchid, number) in [(MCHID, 1), (second.mchid(), 2), (MCHID, 3)] {
        register(&stage, mchid, number, None).await;
    }
    let whole = combined(&[
        sub_order(MCHID, 1, AMOUNT_FEN),
        sub_order(second.mchid(), 2, AMOUNT_FEN),
        sub_order(MCHID, 3, AMOUNT_FEN - 1),
    ]);
    let letter = stage.telling("EV-1", "TRANSACTION.SUCCESS", "transaction", &whole);
    for answer in stage.ask_all(vec![letter.clone(); 8]).join_all().await {
        answer.assert_acknowledged();
    }
    stage.ask(&letter).await.assert_acknowledged();
    for (mchid, number, state) in [(MCHID, 1, "paid"), (second.mchid(), 2, "paid"), (MCHID, 3, "pending")] {
        assert_eq!(order(&stage, mchid, number).await["state"], state, "{number}");
    }
    let mut types = stage.message_types().await;
    types.sort_unstable();
    assert_eq!(types, ["payment.mismatched", "payment.succeeded", "payment.succeeded"]);
    let counts = stage.struck().await.counts().await;
    assert_eq!((counts.payments, counts.messages), (3, 3));
}

/// All or none: while the database cannot, no order of the whole is paid, and WeChat sends it again.
#[tokio::test]
async fn a_combined_payment_that_is_not_committed_is_not_acknowledged() {
    let stage = Stage::set().await;
    for number in [1, 2] {
        register(&stage, MCHID, number, None).await;
    }
    let whole = combined(&[sub_order(MCHID, 1, AMOUNT_FEN), sub_order(MCHID, 2, AMOUNT_FEN)]);
    let letter = stage.telling("EV-1", "TRANSACTION.SUCCESS", "transaction", &whole);
    stage.store.trouble(crate::store::Trouble::CommitFails);
    stage.ask(&letter).await.assert_refused(503, "could not be committed");
    stage.store.trouble(crate::store::Trouble::None);
    assert_eq!(stage.counts().await.payments, 0);
    stage.ask(&letter).await.assert_acknowledged();
    assert_eq!(stage.message_types().await, ["payment.succeeded", "payment.succeeded"]);
}

/// It goes to the receiver of a share, and names who shares.
#[tokio::test]
async fn a_share_of_another_merchants_payment_is_acknowledged_and_passed_on() {
    let stage = Stage::set().await;
    let share = json!({
        "mchid": "1900000009", "transaction_id": "42", "order_id": "60", "out_order_no": "p1",
        "receiver": { "type": "MERCHANT_ID", "account": MCHID, "amount": 888, "description": "share" },
        "success_time": "2026-03-02T09:15:07+08:00",
    });
    let letter = stage.telling("EV-1", "PROFITSHARING.SUCCESS", "profitsharing", &share);
    stage.ask(&letter).await.assert_acknowledged();
    assert_eq!(stage.message_types().await, ["wechat.PROFITSHARING.SUCCESS"]);
}
