//! Business time is read, frozen, quickened and stepped; a test waits until all is told.

use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::shop::Shop;

#[tokio::test]
async fn time_is_frozen_quickened_and_stepped() {
    let shop = Shop::open().await;
    let clock = shop.sim("GET /_sim/clock", Value::Null).await;
    let expected =
        json!({ "now": "2025-06-15T23:06:40+08:00", "unix_seconds": 1_750_000_000, "pace": "by_hand" });
    assert_eq!(clock, expected);
    let clock = shop.sim("POST /_sim/clock/step", json!({ "seconds": 60 })).await;
    assert_eq!(clock["now"], "2025-06-15T23:07:40+08:00");
    let clock = shop.sim("PUT /_sim/clock", json!({ "pace": { "times": 3600 } })).await;
    assert_eq!(clock["pace"], json!({ "times": 3600 }));
    let clock = shop.sim("PUT /_sim/clock", json!({ "pace": "by_hand" })).await;
    assert_eq!(shop.sim("GET /_sim/clock", Value::Null).await, clock, "it stands");
}

/// What CI does: pay, step to the next attempt, wait, look.
#[tokio::test]
async fn a_test_steps_to_the_next_attempt_and_reads_what_was_answered() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(500).await);
    shop.place_for("ORDER1", &receiver.url()).await;
    shop.sim("POST /_sim/pay", json!({ "out_trade_no": "ORDER1" })).await;
    shop.sim("POST /_sim/quiet", Value::Null).await;
    receiver.answer(204);
    shop.sim("POST /_sim/clock/step", json!({ "seconds": 15 })).await;
    shop.sim("POST /_sim/quiet", json!({ "seconds_max": 20 })).await;

    let notices = shop.sim("GET /_sim/notices?out_trade_no=ORDER1", Value::Null).await;
    let notice = &notices["notices"][0];
    assert_eq!((&notice["number"], &notice["progress"]), (&json!(1), &json!("acknowledged")));
    assert_eq!(notice["event_type"], "TRANSACTION.SUCCESS");
    assert_eq!(notice["plaintext"]["out_trade_no"], "ORDER1");
    let attempts = notice["attempts"].as_array().unwrap();
    let seen: Vec<_> = attempts.iter().map(|attempt| (&attempt["sent_at"], &attempt["status"])).collect();
    assert_eq!(
        seen,
        [
            (&json!("2025-06-15T23:06:40+08:00"), &json!(500)),
            (&json!("2025-06-15T23:06:55+08:00"), &json!(204))
        ]
    );
    assert_eq!(attempts[0]["body"], "answered");
    assert_eq!(shop.sim("GET /_sim/notices/1", Value::Null).await, *notice);

    shop.sim("POST /_sim/notices/1/resend", Value::Null).await;
    shop.sim("POST /_sim/quiet", Value::Null).await;
    assert_eq!(receiver.came().len(), 3, "acknowledged, and sent once more all the same");
}

#[tokio::test]
async fn waiting_in_vain_comes_to_an_end() {
    let (shop, silent) = (Shop::open().await, Receiver::silent().await);
    shop.place_for("ORDER1", &silent.url()).await;
    shop.sim("POST /_sim/pay", json!({ "out_trade_no": "ORDER1" })).await;
    silent.until(1).await;
    let (status, json) = shop.control("POST /_sim/quiet", &json!({ "seconds_max": 0 })).await;
    assert_eq!((status, &json["error"]["code"]), (504, &json!("not_quiet")));
    let (status, json) = shop.control("POST /_sim/notices/1/resend", &Value::Null).await;
    assert_eq!((status, &json["error"]["code"]), (409, &json!("notice_on_its_way")));
}
