//! Registering: safe to repeat, refused for what is wrong with it, and never half done.

use serde_json::{Value, json};

use crate::{
    letter::Letter,
    stage::{AMOUNT_FEN, MCHID, Stage, merchant, payment, registration, second_merchant},
    store::Trouble,
    wire::Answer,
};

async fn post(stage: &Stage, body: impl ToString) -> Answer {
    stage.api(Letter::post("/v1/orders", body.to_string())).await
}

/// A registration with one field more, less (null) or other.
fn changed(field: &str, value: Value) -> Value {
    let mut body = registration(1);
    match value {
        Value::Null => drop(body.as_object_mut().unwrap().remove(field)),
        value => body[field] = value,
    }
    body
}

#[track_caller]
fn assert_error(answer: &Answer, status: u16, code: &str, why: &str) {
    let json = answer.json();
    let message = json["message"].as_str().unwrap();
    assert_eq!((answer.status, &json["code"]), (status, &code.into()), "{answer:?}");
    assert!(message.contains(why), "{message:?} does not say {why:?}");
    assert_eq!(json.as_object().unwrap().len(), 2);
    assert_eq!(answer.header("retry-after").is_some(), status == 503);
}

#[tokio::test]
async fn created_once_and_the_same_again() {
    let stage = Stage::set().await;
    let first = post(&stage, registration(1)).await;
    let again = post(&stage, registration(1)).await;
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(first.body, again.body);
    assert_eq!(first.body, stage.api(Letter::get("/v1/orders/ORDER1")).await.body);
    let spelt_out = changed("mchid", MCHID.into());
    assert_eq!(post(&stage, spelt_out).await.status, 200, "what may be left out may be said");
    assert_eq!(post(&stage, changed("currency", "CNY".into())).await.status, 200);
    assert_eq!(stage.struck().await.counts().await.orders, 1);
}

#[tokio::test]
async fn other_terms_under_its_number_are_refused_and_the_first_stand() {
    let stage = Stage::set().await;
    let first = post(&stage, registration(1)).await;
    for (field, value) in [
        ("amount", json!(AMOUNT_FEN + 1)),
        ("currency", json!("USD")),
        ("appid", json!("wxother")),
        ("expires_at", json!("2026-03-02T09:15:07+08:00")),
    ] {
        let answer = post(&stage, changed(field, value)).await;
        assert_error(&answer, 409, "PAY0005", "order ORDER1 is registered with other terms, which stand");
    }
    assert_eq!(stage.api(Letter::get("/v1/orders/ORDER1")).await.body, first.body);
}

#[tokio::test]
async fn an_order_that_was_paid_before_it_was_registered_is_paid_at_once() {
    let stage = Stage::set().await;
    stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    let answer = post(&stage, registration(1)).await;
    assert_eq!((answer.status, &answer.json()["state"]), (201, &"paid".into()));
    assert_eq!(stage.message_types().await, ["payment.unmatched", "payment.succeeded"]);
    assert_eq!(post(&stage, registration(1)).await.status, 200);
    assert_eq!(stage.message_types().await.len(), 2);
}

#[tokio::test]
async fn an_order_that_was_paid_wrongly_before_it_was_registered_is_flagged() {
    let stage = Stage::set().await;
    stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    let answer = post(&stage, changed("amount", json!(1))).await;
    let json = answer.json();
    assert_eq!((answer.status, &json["state"], &json["flagged"]), (201, &"pending".into(), &true.into()));
    assert_eq!(stage.message_types().await, ["payment.unmatched", "payment.mismatched"]);
}

#[tokio::test]
async fn expiry_is_kept_as_a_time_whatever_its_offset() {
    let stage = Stage::set().await;
    let answer = post(&stage, changed("expires_at", json!("2026-03-02T09:15:07+08:00"))).await;
    assert_eq!(answer.json()["expires_at"], "2026-03-02T01:15:07.000Z");
    let same = changed("expires_at", json!("2026-03-02T01:15:07Z"));
    assert_eq!(post(&stage, same).await.status, 200);
}

#[tokio::test]
async fn bodies_that_are_no_registration() {
    let stage = Stage::set().await;
    for (body, why) in [
        (String::new(), "EOF while parsing"),
        ("{".to_owned(), "EOF while parsing"),
        ("[]".to_owned(), "invalid length 0"),
        ("amount=1".to_owned(), "expected value"),
        (changed("out_trade_no", Value::Null).to_string(), "missing field `out_trade_no`"),
        (changed("amount", Value::Null).to_string(), "missing field `amount`"),
        (changed("appid", Value::Null).to_string(), "missing field `appid`"),
        (changed("ammount", json!(1)).to_string(), "unknown field `ammount`, expected one of"),
        (changed("amount", json!(59.9)).to_string(), "invalid type: floating point `59.9`, expected i64"),
        (changed("amount", json!(5990.0)).to_string(), "invalid type: floating point"),
        (changed("amount", json!("5990")).to_string(), "invalid type: string \"5990\", expected i64"),
        (changed("amount", json!(9_223_372_036_854_775_808_u64)).to_string(), "expected i64"),
        (registration(1).to_string().replace("5990", "99999999999999999999999"), "expected i64"),
        (registration(1).to_string().replacen('{', "{\"amount\":1,", 1), "duplicate field `amount`"),
        (registration(1).to_string() + "{}", "trailing characters"),
    ] {
        assert_error(&post(&stage, &body).await, 400, "PAY0002", why);
    }
    let not_utf8 = Letter::post("/v1/orders", b"{\"out_trade_no\":\"\xff\"}".to_vec());
    assert_error(&stage.api(not_utf8).await, 400, "PAY0002", "invalid unicode");
    assert_eq!(stage.struck().await.counts().await.orders, 0);
}

#[tokio::test]
async fn fields_that_wechat_would_not_take() {
    let stage = Stage::set().await;
    for (field, value, why) in [
        ("out_trade_no", json!(""), "out_trade_no is empty"),
        ("out_trade_no", json!("订单1"), "out_trade_no is malformed (it contains '订')"),
        ("out_trade_no", json!("A B"), "expected 1 to 32 of 0-9 A-Z a-z _ - | * @"),
        ("out_trade_no", json!("'; DROP TABLE orders; --"), "out_trade_no is malformed (it contains '\\'')"),
        ("out_trade_no", json!("1".repeat(33)), "out_trade_no is too long (33 bytes)"),
        ("amount", json!(0), "amount is 0 fen; WeChat's smallest payment is 1 fen"),
        ("amount", json!(-1), "-1"),
        ("amount", json!(i64::MIN), "-9223372036854775808"),
        ("currency", json!(""), "capital letters"),
        ("currency", json!("cny"), "capital letters"),
        ("currency", json!("CNYY"), "capital letters"),
        ("appid", json!(""), "appid is empty"),
        ("appid", json!("wx 1"), "appid is malformed"),
        ("expires_at", json!("tomorrow"), "expires_at is not an RFC 3339 time"),
        ("expires_at", json!("2026-03-02"), "expires_at is not an RFC 3339 time"),
        ("expires_at", json!("2026-02-30T00:00:00Z"), "expires_at is not an RFC 3339 time"),
    ] {
        assert_error(&post(&stage, changed(field, value)).await, 422, "PAY0003", why);
    }
    assert_eq!(stage.struck().await.counts().await.orders, 0);
}

#[tokio::test]
async fn the_largest_amount_is_exact() {
    let stage = Stage::set().await;
    let answer = post(&stage, changed("amount", json!(i64::MAX))).await;
    assert_eq!((answer.status, &answer.json()["amount"]), (201, &json!(i64::MAX)));
}

#[tokio::test]
async fn merchants_that_are_unknown_or_not_said() {
    let stage = Stage::set().await;
    let unknown = changed("mchid", "1900000009".into());
    assert_error(&post(&stage, unknown).await, 422, "PAY0004", "no merchant 1900000009 is configured");

    let stage = Stage::of(&[merchant(), second_merchant()], |_, _| ()).await;
    let which = "several merchants are configured: say which";
    assert_error(&post(&stage, registration(1)).await, 422, "PAY0004", which);
    assert_error(&stage.api(Letter::get("/v1/orders/ORDER1")).await, 422, "PAY0004", which);
    for mchid in [MCHID, second_merchant().mchid()] {
        let answer = post(&stage, changed("mchid", mchid.into())).await;
        assert_eq!((answer.status, &answer.json()["mchid"]), (201, &mchid.into()));
        let shown = stage.api(Letter::get(&format!("/v1/orders/ORDER1?mchid={mchid}"))).await;
        assert_eq!(shown.body, answer.body);
    }
}

#[tokio::test]
async fn more_than_a_registration_can_be() {
    let stage = Stage::set().await;
    let padded = |bytes: usize| {
        let body = registration(1).to_string();
        " ".repeat(bytes - body.len()) + &body
    };
    assert_eq!(post(&stage, padded(64 * 1024)).await.status, 201);
    assert_error(&post(&stage, padded(64 * 1024 + 1)).await, 413, "PAY0010", "larger than this path takes");
}

#[tokio::test]
async fn a_database_that_cannot_commit_registers_nothing() {
    let stage = Stage::set().await;
    for trouble in [Trouble::Unavailable, Trouble::CommitFails] {
        stage.store.trouble(trouble);
        let why = "the database is unavailable (disk full: free some space); sending it again is safe";
        assert_error(&post(&stage, registration(1)).await, 503, "PAY0008", why);
    }
    stage.store.trouble(Trouble::None);
    assert_eq!(post(&stage, registration(1)).await.status, 201, "nothing of it was left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_says_come_again() {
    let stage = Stage::with(|config, _| config.server.queue_callbacks_max = 1).await;
    stage.store.close_gate();
    let mut first = stage.ask_all([stage.callback(payment(0))]);
    stage.store.at_gate(1).await;
    // Two for one place.
    let mut others = stage.ask_all([stage.callback(payment(1)), stage.callback(payment(2))]);
    others.join_next().await.unwrap().unwrap().assert_refused(503, "too many callbacks");
    assert_error(&post(&stage, registration(1)).await, 503, "PAY0007", "too much waits for the database");
    stage.store.open_gate();
    first.join_next().await.unwrap().unwrap().assert_acknowledged();
    others.join_next().await.unwrap().unwrap().assert_acknowledged();
    assert_eq!(post(&stage, registration(9)).await.status, 201);
}

#[tokio::test]
async fn other_methods() {
    let stage = Stage::set().await;
    for letter in [Letter::get("/v1/orders"), Letter::post("/v1/orders/ORDER1", "")] {
        let answer = stage.api(letter).await;
        assert_error(&answer, 405, "PAY0009", "this path does not take that method");
        assert!(answer.header("allow").is_some(), "{answer:?}");
    }
}
