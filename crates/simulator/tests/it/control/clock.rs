//! Business time is read, frozen, quickened and stepped; a test waits until all is told.

use payonce_simulator::deliver::OFFICIAL_WAITS;
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

/// Nothing settles any more once it ends.
#[tokio::test]
async fn waiting_for_quiet_does_not_hold_up_the_end() {
    let (shop, silent) = (Shop::open().await, Receiver::silent().await);
    shop.place_for("ORDER1", &silent.url()).await;
    shop.sim("POST /_sim/pay", json!({ "out_trade_no": "ORDER1" })).await;
    silent.until(1).await;
    let mut answer = shop.ask("POST", "/_sim/quiet").await;
    shop.until_asked(&mut answer).await;
    shop.simulator.stop().await;
    assert_eq!(answer.await.unwrap().status(), 504);
}

/// A day in one step, whatever the receiver answers: sixteen attempts, each at its time.
#[tokio::test]
async fn all_that_falls_due_in_a_step_is_done_at_its_time() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(500).await);
    shop.paid("ORDER1", &receiver.url()).await;
    let refund = json!({ "out_trade_no": "ORDER1", "refund_fen": 10 });
    shop.sim("POST /_sim/refund", refund).await;
    let clock = shop.sim("POST /_sim/clock/step", json!({ "seconds": 2 * 86_400 })).await;
    assert_eq!(clock["unix_seconds"], 1_750_000_000 + 2 * 86_400);
    let notices = shop.sim("GET /_sim/notices", Value::Null).await;
    for (place, begins) in [(0, 0), (1, 5)] {
        let notice = &notices["notices"][place];
        assert_eq!(notice["progress"], "given_up");
        let mut due = 1_750_000_000 + begins;
        let attempts = notice["attempts"].as_array().unwrap();
        assert_eq!(attempts.len(), 16);
        let waits = OFFICIAL_WAITS.iter().map(|wait| i64::try_from(wait.as_secs()).unwrap());
        for (attempt, wait) in attempts.iter().zip(waits.chain([0])) {
            assert_eq!(attempt["sent_at"], at(due));
            due += wait;
        }
    }
}

/// Business time as the control API writes it.
fn at(seconds: i64) -> String {
    let at = jiff::Timestamp::from_second(seconds)
        .unwrap()
        .to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)));
    at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// Where the notice is, and when it is due.
async fn progress(shop: &Shop) -> (String, Value) {
    let notice = shop.sim("GET /_sim/notices/1", Value::Null).await;
    (notice["progress"].as_str().unwrap().to_owned(), notice["due_at"].clone())
}

#[tokio::test]
async fn sending_again_by_hand_leaves_the_schedule_as_it_is() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(500).await);
    shop.paid("ORDER1", &receiver.url()).await;
    let second = ("due".to_owned(), json!(at(1_750_000_015)));
    for _ in 0..5 {
        shop.sim("POST /_sim/notices/1/resend", Value::Null).await;
        shop.simulator.quiet().await;
        assert_eq!(progress(&shop).await, second);
    }
    shop.sim("POST /_sim/clock/step", json!({ "seconds": 15 })).await;
    assert_eq!(progress(&shop).await, ("due".to_owned(), json!(at(1_750_000_030))));
    shop.sim("POST /_sim/clock/step", json!({ "seconds": 2 * 86_400 })).await;
    assert_eq!((progress(&shop).await.0.as_str(), receiver.came().len()), ("given_up", 16 + 5));
    shop.sim("POST /_sim/notices/1/resend", Value::Null).await;
    shop.simulator.quiet().await;
    assert_eq!(progress(&shop).await, ("given_up".to_owned(), Value::Null), "and that is its last");
    receiver.answer(204);
    shop.sim("POST /_sim/notices/1/resend", Value::Null).await;
    shop.simulator.quiet().await;
    assert_eq!(progress(&shop).await.0, "acknowledged");
    receiver.answer(500);
    shop.sim("POST /_sim/notices/1/resend", Value::Null).await;
    shop.simulator.quiet().await;
    assert_eq!(progress(&shop).await.0, "acknowledged", "WeChat has had it");
}

/// Of seventy at once sixty-four go; the others begin when there is room for them.
#[tokio::test]
async fn an_attempt_begins_when_it_is_sent() {
    let (shop, receiver) = (Shop::open().await, Receiver::holding(204).await);
    for number in 1..=65 {
        shop.place_for(&format!("ORDER{number}"), &receiver.url()).await;
    }
    for number in 1..=65 {
        shop.sim("POST /_sim/pay", json!({ "out_trade_no": format!("ORDER{number}") })).await;
    }
    receiver.until(64).await;
    shop.simulator.step(std::time::Duration::from_secs(5));
    receiver.let_go();
    shop.simulator.quiet().await;
    let notices = shop.sim("GET /_sim/notices", Value::Null).await;
    let sent = |begin: i64| {
        let notices = notices["notices"].as_array().unwrap().iter();
        notices.filter(|notice| notice["attempts"][0]["sent_at"] == at(begin)).count()
    };
    assert_eq!((sent(1_750_000_000), sent(1_750_000_005)), (64, 1));
}
