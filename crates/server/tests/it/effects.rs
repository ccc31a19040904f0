//! The merchant's own tables, in the transaction of the payment.

use std::sync::Arc;

use payonce_core::{
    SystemClock,
    delivery::Filter,
    effect::{SqlEffect, Statement, Step},
    store::Owner,
};
use payonce_server::{
    Patience, Server, StartError,
    config::{Config, EffectSettings},
};
use payonce_store_sqlite::{Options, SqliteStore};

use crate::{
    letter::Letter,
    stage::{AMOUNT_FEN, Stage, configuration, merchant, payment, registration},
    wire::Answer,
};

const TABLES: &str = "CREATE TABLE shop_orders (no TEXT PRIMARY KEY, paid INTEGER NOT NULL DEFAULT 0) STRICT";
const PAY: &str = "UPDATE shop_orders SET paid = paid + :amount WHERE no = :out_trade_no AND paid = 0";

/// Payments are put down in the shop's own table.
fn pay(sql: &str) -> impl FnOnce(&mut Config, &mut Patience) {
    let statement = Statement::parse(sql).unwrap();
    let step = Step::new(
        "payonce.toml:3:7: effects[0].statements[0].sql".to_owned(),
        statement,
        "1".parse().unwrap(),
    );
    let effect = SqlEffect::new("shop-paid".to_owned(), vec![step.unwrap()]);
    let on = Filter::parse(&["payment.succeeded"]).unwrap();
    move |config, _| config.effects.push(EffectSettings { on, effect })
}

async fn failures(stage: &Stage, query: &str) -> Vec<serde_json::Value> {
    let answer = stage.api(Letter::get(&format!("/v1/effects/failures{query}"))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["failures"].as_array().unwrap().clone()
}

fn assert_effect_failed(answer: &Answer) {
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("15")), "{answer:?}");
    assert!(answer.body.contains("the merchant's own part of the transaction failed"), "{answer:?}");
    assert!(!answer.body.contains("shop"), "how it failed is not WeChat's to know: {answer:?}");
}

#[tokio::test]
async fn a_callback_is_acknowledged_once_its_effect_is_committed_with_it() {
    let stage = Stage::with_tables(TABLES, pay(PAY)).await;
    stage.register(1).await;
    let callback = stage.callback(payment(1));
    for round in 1..=2 {
        assert_effect_failed(&stage.ask(&callback).await);
        assert_eq!((stage.order_state(1).await.as_str(), stage.message_types().await.len()), ("pending", 0));
        let failures = failures(&stage, "").await;
        let [failure] = &failures[..] else { panic!("{failures:?}") };
        let word = |field: &str| failure[field].as_str().unwrap().to_owned();
        assert_eq!(
            ["effect", "kind", "out_trade_no", "transaction_id", "reason"].map(word),
            [
                "shop-paid",
                "payment.succeeded",
                "ORDER1",
                &payment(1).transaction_id,
                "statement 1 touched 0 rows, expected 1"
            ]
        );
        assert_eq!((failure["times"].as_i64(), failure["amount"].as_i64()), (Some(round), Some(AMOUNT_FEN)));
    }
    assert_eq!(
        stage.metric("payonce_callbacks_refused_total{verdict=\"effect_failed\"}").await.as_deref(),
        Some("2")
    );

    stage.store.sql("INSERT INTO shop_orders (no) VALUES ('ORDER1'); SELECT 1");
    for _ in 0..3 {
        stage.ask(&callback).await.assert_acknowledged();
    }
    assert_eq!(stage.store.sql("SELECT paid FROM shop_orders"), [AMOUNT_FEN]);
    assert_eq!((stage.order_state(1).await.as_str(), stage.message_types().await.len()), ("paid", 1));
    assert_eq!(failures(&stage, "").await.len(), 0);
    assert_eq!(failures(&stage, "?resolved=true").await[0]["resolved"], true);
    let counts = stage.struck().await.counts().await;
    assert_eq!(
        (counts.rejected, counts.receipts),
        (0, 3),
        "what failed is not WeChat's fault, and is not kept so"
    );
}

#[tokio::test]
async fn neighbours_of_a_callback_whose_effect_fails_are_acknowledged() {
    const PAYMENTS: u32 = 12;
    let stage = Stage::with_tables(TABLES, pay(PAY)).await;
    for number in 1..=PAYMENTS {
        stage.register(number).await;
        if number % 3 > 0 {
            stage.store.sql(&format!("INSERT INTO shop_orders (no) VALUES ('ORDER{number}'); SELECT 1"));
        }
    }
    // They come into one batch: what is committed before it stands at the gate.
    stage.store.close_gate();
    let begun = stage.store.begun();
    let mut held = stage.ask_all([stage.callback(payment(1))]);
    stage.store.at_gate(begun + 1).await;
    let callbacks: Vec<_> = (2..=PAYMENTS).map(|number| stage.callback(payment(number))).collect();
    let mut answers = stage.ask_all(callbacks);
    stage.store.open_gate();
    held.join_next().await.unwrap().unwrap().assert_acknowledged();
    let (mut acknowledged, mut failed) = (1, 0);
    while let Some(answer) = answers.join_next().await {
        let answer = answer.unwrap();
        match answer.status {
            204 => acknowledged += 1,
            _ => {
                assert_effect_failed(&answer);
                failed += 1;
            }
        }
    }
    assert_eq!((acknowledged, failed), (8, 4));
    let paid = stage.store.sql(&format!("SELECT count(*) FROM shop_orders WHERE paid = {AMOUNT_FEN}"));
    assert_eq!(paid, [8]);
    assert_eq!(failures(&stage, "").await.len(), 4);
}

#[tokio::test]
async fn a_registration_whose_effect_fails_says_so_and_does_nothing() {
    let stage = Stage::with_tables(TABLES, pay(PAY)).await;
    stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    let register = async || stage.api(Letter::post("/v1/orders", registration(1).to_string())).await;
    let answer = register().await;
    assert_eq!((answer.status, &answer.json()["code"]), (503, &"PAY0020".into()), "{answer:?}");
    let message = answer.json()["message"].as_str().unwrap().to_owned();
    for said in ["shop-paid", "touched 0 rows, expected 1", "nothing was done"] {
        assert!(message.contains(said), "{message:?} does not say {said:?}");
    }
    assert_eq!(stage.api(Letter::get("/v1/orders/ORDER1")).await.status, 404);
    assert_eq!(failures(&stage, "").await.len(), 1);

    stage.store.sql("INSERT INTO shop_orders (no) VALUES ('ORDER1'); SELECT 1");
    assert_eq!(register().await.status, 201);
    assert_eq!(stage.store.sql("SELECT paid FROM shop_orders"), [AMOUNT_FEN]);
    assert_eq!(failures(&stage, "").await.len(), 0);
}

#[tokio::test]
async fn what_the_database_cannot_execute_ends_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = configuration(folder.path(), &[merchant()]);
    pay("UPDATE shop_orders SET paid = 1 WHERE no = :out_trade_no")(&mut config, &mut Patience::default());
    let store = Arc::new(SqliteStore::open(&Options::new(folder.path().join("payonce.db"))).unwrap());
    let server = Server::new(config, store, Arc::new(SystemClock), Owner("this one".to_owned()));
    let refused = server.start().await.err().expect("there is no such table");
    assert!(matches!(refused, StartError::Effect(_)), "{refused}");
    assert_eq!(
        refused.to_string(),
        "payonce.toml:3:7: effects[0].statements[0].sql: the database cannot execute the statement of effect \
         shop-paid: no such table: shop_orders; the \
         statement is \"UPDATE shop_orders SET paid = 1 WHERE no = :out_trade_no\""
    );
}
