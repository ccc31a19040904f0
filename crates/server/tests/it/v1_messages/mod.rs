//! `GET /v1/messages?after=&limit=`: everything that came out, in order, as often as it is asked for.

mod stream;

use serde_json::Value;

use crate::{
    letter::Letter,
    stage::{Stage, payment},
    store::Trouble,
};

async fn page(stage: &Stage, query: &str) -> (Vec<i64>, i64) {
    let json = stage.api(Letter::get(&format!("/v1/messages{query}"))).await.json();
    let position = |message: &Value| message["position"].as_i64().unwrap();
    let positions = json["messages"].as_array().unwrap().iter().map(position).collect();
    (positions, json["next"].as_i64().unwrap())
}

#[tokio::test]
async fn pages_follow_one_another_without_a_gap() {
    let stage = Stage::set().await;
    assert_eq!(page(&stage, "").await, (vec![], 0));
    let mut wire = stage.wire().await;
    for number in 1..=5 {
        wire.ask(&stage.callback(payment(number))).await.assert_acknowledged();
    }
    for (query, positions, next) in [
        ("", vec![1, 2, 3, 4, 5], 5),
        ("?after=0&limit=2", vec![1, 2], 2),
        ("?limit=2&after=2", vec![3, 4], 4),
        ("?after=4&limit=2", vec![5], 5),
        ("?after=5", vec![], 5),
        ("?after=9", vec![], 9),
        ("?after=-7&limit=1", vec![1], 1),
        ("?after=-9223372036854775808&limit=1", vec![1], 1),
        ("?after=9223372036854775807", vec![], i64::MAX),
        ("?limit=0", vec![1], 1),
        ("?limit=18446744073709551615", vec![1, 2, 3, 4, 5], 5),
    ] {
        assert_eq!(page(&stage, query).await, (positions, next), "{query}");
    }
}

#[tokio::test]
async fn at_most_a_thousand_at_a_time() {
    let stage = Stage::set().await;
    let letters = (1..=1001).map(|number| stage.callback(payment(number)));
    let mut wire = stage.wire().await;
    wire.send(letters.flat_map(|letter| letter.bytes()).collect::<Vec<_>>()).await;
    for _ in 0..1001 {
        wire.answer().await.assert_acknowledged();
    }
    let (positions, next) = page(&stage, "?limit=5000").await;
    assert_eq!((positions.len(), next), (1000, 1000));
    assert_eq!(page(&stage, "?after=1000&limit=5000").await, (vec![1001], 1001));
    assert_eq!(page(&stage, "").await.0.len(), 100, "if nothing is said");
}

/// A message has the same id and the same bytes whenever it is read, also by the next process.
#[tokio::test]
async fn a_message_is_the_same_whenever_it_is_read() {
    let stage = Stage::set().await;
    stage.register(1).await;
    stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    let read = async |stage: &Stage| stage.api(Letter::get("/v1/messages")).await.body;
    let before = read(&stage).await;
    let stage = stage.restarted(&[crate::stage::merchant()]).await;
    assert_eq!(read(&stage).await, before);
    let json: Value = serde_json::from_str(&before).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap(), @r#"
    {
      "messages": [
        {
          "body": {
            "data": {
              "amount": 5990,
              "appid": "wx0123456789abcdef",
              "currency": "CNY",
              "detail": {
                "amount": {
                  "currency": "CNY",
                  "payer_currency": "CNY",
                  "payer_total": 5990,
                  "total": 5990
                },
                "appid": "wx0123456789abcdef",
                "bank_type": "OTHERS",
                "mchid": "1900000001",
                "out_trade_no": "ORDER1",
                "payer": {
                  "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
                },
                "success_time": "2026-03-02T09:15:07+08:00",
                "trade_state": "SUCCESS",
                "trade_state_desc": "支付成功",
                "trade_type": "JSAPI",
                "transaction_id": "4200000000202603020000000001"
              },
              "late": false,
              "mchid": "1900000001",
              "out_trade_no": "ORDER1",
              "paid_at": "2026-03-02T01:15:07.000Z",
              "sequence": 1,
              "source": "callback",
              "transaction_id": "4200000000202603020000000001"
            },
            "timestamp": "2026-03-02T01:15:07.000Z",
            "type": "payment.succeeded"
          },
          "created_at": "2026-03-02T01:15:07.000Z",
          "id": "order:1900000001:ORDER1:1",
          "position": 1,
          "type": "payment.succeeded"
        }
      ],
      "next": 1
    }
    "#);
}

#[tokio::test]
async fn queries_that_make_no_sense() {
    let stage = Stage::set().await;
    for query in [
        "?after=x",
        "?after=",
        "?after=1.5",
        "?after=9223372036854775808",
        "?limit=-1",
        "?limit=all",
        "?from=0",
        "?after=1&after=2",
        "?after=%FF",
    ] {
        let answer = stage.api(Letter::get(&format!("/v1/messages{query}"))).await;
        assert_eq!((answer.status, &answer.json()["code"]), (400, &"PAY0002".into()), "{query}: {answer:?}");
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_read() {
    let stage = Stage::set().await;
    stage.store.trouble(Trouble::Unavailable);
    let answer = stage.api(Letter::get("/v1/messages")).await;
    assert_eq!((answer.status, &answer.json()["code"]), (503, &"PAY0008".into()));
    assert_eq!(answer.header("retry-after"), Some("1"));
}
