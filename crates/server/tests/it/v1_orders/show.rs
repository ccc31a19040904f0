//! An order with all that is known of it.

use payonce_simulator::Payment;

use crate::{
    letter::Letter,
    stage::{Stage, payment},
    store::Trouble,
};

/// The answer, laid out for eyes.
async fn shown(stage: &Stage, number: u32) -> String {
    let answer = stage.api(Letter::get(&format!("/v1/orders/ORDER{number}"))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    serde_json::to_string_pretty(&answer.json()).unwrap()
}

#[tokio::test]
async fn a_pending_order() {
    let stage = Stage::set().await;
    stage.register(1).await;
    insta::assert_snapshot!(shown(&stage, 1).await, @r#"
    {
      "amount": 5990,
      "appid": "wx0123456789abcdef",
      "currency": "CNY",
      "expires_at": null,
      "flagged": false,
      "incidents": [],
      "late": false,
      "mchid": "1900000001",
      "out_trade_no": "ORDER1",
      "payments": [],
      "registered_at": "2026-03-02T01:15:07.000Z",
      "state": "pending",
      "sub_mchid": null,
      "transaction_id": null
    }
    "#);
}

#[tokio::test]
async fn a_paid_order_with_money_that_does_not_add_up() {
    let stage = Stage::set().await;
    stage.register(1).await;
    let of_order_1 = |number: u32| Payment { out_trade_no: "ORDER1".to_owned(), ..payment(number) };
    for payment in [payment(1), of_order_1(2), Payment { amount_fen: 1, ..of_order_1(3) }] {
        stage.ask(&stage.callback(payment)).await.assert_acknowledged();
    }
    insta::assert_snapshot!(shown(&stage, 1).await, @r#"
    {
      "amount": 5990,
      "appid": "wx0123456789abcdef",
      "currency": "CNY",
      "expires_at": null,
      "flagged": true,
      "incidents": [
        {
          "kind": "paid_twice",
          "opened_at": "2026-03-02T01:15:07.000Z"
        },
        {
          "kind": "amount_mismatch",
          "opened_at": "2026-03-02T01:15:07.000Z"
        }
      ],
      "late": false,
      "mchid": "1900000001",
      "out_trade_no": "ORDER1",
      "payments": [
        {
          "amount": 5990,
          "appid": "wx0123456789abcdef",
          "currency": "CNY",
          "learnt_at": "2026-03-02T01:15:07.000Z",
          "paid_at": "2026-03-02T01:15:07.000Z",
          "source": "callback",
          "standing": "settling",
          "sub_mchid": null,
          "transaction_id": "4200000000202603020000000001"
        },
        {
          "amount": 5990,
          "appid": "wx0123456789abcdef",
          "currency": "CNY",
          "learnt_at": "2026-03-02T01:15:07.000Z",
          "paid_at": "2026-03-02T01:15:07.000Z",
          "source": "callback",
          "standing": "second",
          "sub_mchid": null,
          "transaction_id": "4200000000202603020000000002"
        },
        {
          "amount": 1,
          "appid": "wx0123456789abcdef",
          "currency": "CNY",
          "learnt_at": "2026-03-02T01:15:07.000Z",
          "paid_at": "2026-03-02T01:15:07.000Z",
          "source": "callback",
          "standing": "disputed",
          "sub_mchid": null,
          "transaction_id": "4200000000202603020000000003"
        }
      ],
      "registered_at": "2026-03-02T01:15:07.000Z",
      "state": "paid",
      "sub_mchid": null,
      "transaction_id": "4200000000202603020000000001"
    }
    "#);
}

#[tokio::test]
async fn orders_that_nobody_registered_or_can_have() {
    let stage = Stage::set().await;
    // A payment alone makes no order.
    stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    for (path, status, code, message) in [
        ("/v1/orders/ORDER1", 404, "PAY0006", "no order ORDER1 is registered for merchant 1900000001"),
        ("/v1/orders/ORDER1?mchid=1900000009", 422, "PAY0004", "no merchant 1900000009 is configured"),
        ("/v1/orders/A%20B", 422, "PAY0003", "out_trade_no is malformed (it contains ' ')"),
        ("/v1/orders/%FF", 404, "PAY0009", "nothing is at /v1/orders/%FF"),
        ("/v1/orders/", 404, "PAY0009", "nothing is at /v1/orders/"),
        ("/v1/orders/ORDER1?merchant=1", 400, "PAY0002", "unknown field `merchant`"),
    ] {
        let answer = stage.api(Letter::get(path)).await;
        let json = answer.json();
        assert_eq!((answer.status, &json["code"]), (status, &code.into()), "{path}: {answer:?}");
        let found = json["message"].as_str().unwrap();
        assert!(found.contains(message), "{path}: {found}");
    }
}

#[tokio::test]
async fn numbers_with_every_character_that_wechat_allows() {
    let stage = Stage::set().await;
    let number = "a_b-c|d*e@Z9";
    let body = serde_json::json!({ "out_trade_no": number, "amount": 1, "appid": "wx1" });
    assert_eq!(stage.api(Letter::post("/v1/orders", body.to_string())).await.status, 201);
    for path in ["/v1/orders/a_b-c|d*e@Z9", "/v1/orders/a_b-c%7Cd%2Ae%40Z9"] {
        assert_eq!(stage.api(Letter::get(path)).await.json()["out_trade_no"], number, "{path}");
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_read() {
    let stage = Stage::set().await;
    stage.register(1).await;
    stage.store.trouble(Trouble::Unavailable);
    let answer = stage.api(Letter::get("/v1/orders/ORDER1")).await;
    assert_eq!((answer.status, &answer.json()["code"]), (503, &"PAY0008".into()));
    assert_eq!(answer.header("retry-after"), Some("1"));
}
