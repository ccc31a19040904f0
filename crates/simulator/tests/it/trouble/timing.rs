//! When notices come, how often, and in which order.

use payonce_simulator::books::Progress;
use serde_json::{Value, json};

use super::{received, troubled};
use crate::receiver::{Came, Receiver};

/// The order numbers of what came.
fn orders(came: &[Came], shop: &crate::shop::Shop) -> Vec<String> {
    let numbers = came.iter().map(|came| {
        let told = received(&shop.ring, came).unwrap();
        let plaintext: serde_json::Value = serde_json::from_str(&told.plaintext).unwrap();
        plaintext["out_trade_no"].as_str().unwrap().to_owned()
    });
    numbers.collect()
}

#[tokio::test]
async fn a_notice_comes_again_although_it_was_acknowledged() {
    let shop = troubled("[[notices]]\ndo = { duplicate = { copies = 2, apart_seconds = 600 } }").await;
    let receiver = Receiver::answering(204).await;
    shop.paid("ORDER1", &receiver.url()).await;
    for (seconds, copies) in [(599, 1), (1, 2), (600, 3), (100_000, 3)] {
        shop.later(seconds).await;
        assert_eq!(receiver.came().len(), copies, "after {seconds} s more");
    }
    let came = receiver.came();
    assert!(came.iter().all(|again| again.body == came[0].body));
    assert_eq!(shop.progress(), [Progress::Acknowledged]);
}

/// All of them are there before one is answered.
#[tokio::test]
async fn copies_come_at_the_same_moment() {
    let shop = troubled("[[notices]]\ndo = { concurrent = { copies = 5 } }").await;
    let receiver = Receiver::answering_together(204, 5).await;
    shop.paid("ORDER1", &receiver.url()).await;
    let came = receiver.came();
    assert_eq!(came.len(), 5);
    for (place, copy) in came.iter().enumerate() {
        assert_eq!(copy.body, came[0].body);
        received(&shop.ring, copy).unwrap();
        let nonce = &copy.headers["wechatpay-nonce"];
        assert!(came[..place].iter().all(|other| other.headers["wechatpay-nonce"] != nonce));
    }
    let heard = shop.last_heard();
    assert_eq!((heard.copies.len(), heard.trouble), (4, vec!["notice-1".to_owned()]));
    assert_eq!(shop.progress(), [Progress::Acknowledged]);
}

#[tokio::test]
async fn a_notice_comes_late() {
    let shop = troubled("[[notices]]\ndo = { late = { seconds = 7200 } }").await;
    let receiver = Receiver::answering(204).await;
    shop.paid("ORDER1", &receiver.url()).await;
    for (seconds, copies) in [(7199, 0), (1, 1), (100_000, 1)] {
        shop.later(seconds).await;
        assert_eq!(receiver.came().len(), copies, "after {seconds} s more");
    }
}

#[tokio::test]
async fn notices_overtake_each_other() {
    let shop = troubled("[[notices]]\nwhen = { nth = 1 }\ndo = { behind = { notices = 2 } }").await;
    let receiver = Receiver::answering(204).await;
    for number in ["ORDER1", "ORDER2", "ORDER3", "ORDER4"] {
        shop.paid(number, &receiver.url()).await;
    }
    assert_eq!(orders(&receiver.came(), &shop), ["ORDER2", "ORDER3", "ORDER1", "ORDER4"]);
}

/// Nothing else is told, so that it waits as long as it says, and no longer.
#[tokio::test]
async fn a_notice_does_not_wait_for_others_for_ever() {
    let shop = troubled("[[notices]]\ndo = { behind = { notices = 1, seconds_max = 30 } }").await;
    let receiver = Receiver::answering(204).await;
    shop.paid("ORDER1", &receiver.url()).await;
    shop.later(29).await;
    assert_eq!(receiver.came().len(), 0);
    shop.later(1).await;
    assert_eq!(receiver.came().len(), 1);
}

#[tokio::test]
async fn an_attempt_is_never_sent_and_the_next_is() {
    let shop = troubled("[[notices]]\ndo = \"never\"").await;
    let receiver = Receiver::answering(204).await;
    shop.paid("ORDER1", &receiver.url()).await;
    assert_eq!(receiver.came().len(), 0);
    assert_eq!(shop.last_heard().failure.as_deref(), Some("it was not sent"));
    shop.later(15).await;
    assert_eq!(receiver.came().len(), 1);
}

/// The callback that never comes at all: only a query learns of the payment.
#[tokio::test]
async fn no_attempt_is_ever_sent() {
    let shop = troubled("[[notices]]\nwhen = { every_attempt = true }\ndo = \"never\"").await;
    let receiver = Receiver::answering(204).await;
    shop.paid("ORDER1", &receiver.url()).await;
    for wait in payonce_simulator::deliver::OFFICIAL_WAITS {
        shop.later(wait.as_secs()).await;
    }
    assert_eq!(receiver.came().len(), 0);
    assert_eq!(shop.progress(), [Progress::GivenUp]);
    let queried = shop.get(&format!("/v3/pay/transactions/out-trade-no/ORDER1?mchid={}", shop.mchid)).await;
    assert_eq!(queried.json()["trade_state"], "SUCCESS");
}

/// The merchant closes and hears that it is done, and is told of a payment all the same.
#[tokio::test]
async fn a_payment_is_told_after_its_order_was_closed() {
    let scenario = "[[calls]]\nwhen = { path = \"*/close\", order = \"ORDER*\" }\ndo = \"paid_meanwhile\"";
    let (shop, receiver) = (troubled(scenario).await, Receiver::answering(204).await);
    shop.place_for("ORDER1", &receiver.url()).await;
    let body = json!({ "mchid": shop.mchid });
    let closed = shop.post("/v3/pay/transactions/out-trade-no/ORDER1/close", &body).await;
    assert_eq!(closed.status, 204);
    shop.simulator.quiet().await;
    assert_eq!(orders(&receiver.came(), &shop), ["ORDER1"]);
}

/// WeChat had its acknowledgement: that a copy of it is refused does not begin the schedule anew.
#[tokio::test]
async fn a_refused_copy_of_an_acknowledged_notice_changes_nothing() {
    let shop = troubled("[[notices]]\ndo = { duplicate = { copies = 1, apart_seconds = 10 } }").await;
    let receiver = Receiver::answering(204).await;
    shop.paid("ORDER1", &receiver.url()).await;
    receiver.answer(500);
    shop.later(10).await;
    assert_eq!((receiver.came().len(), shop.progress()), (2, vec![Progress::Acknowledged]));
}

/// Only a close that closed something has a moment in which somebody else could pay.
#[tokio::test]
async fn a_payment_meets_only_a_close_that_came_about() {
    let shop = troubled("[[calls]]\nwhen = { times = 1 }\ndo = \"paid_meanwhile\"").await;
    let receiver = Receiver::answering(204).await;
    shop.place_for("ORDER1", &receiver.url()).await;
    shop.paid("ORDER2", &receiver.url()).await;
    let body = json!({ "mchid": shop.mchid });
    let close = async |number: &str| {
        shop.post(&format!("/v3/pay/transactions/out-trade-no/{number}/close"), &body).await.status
    };
    assert_eq!(close("ORDER2").await, 400, "it is paid already");
    let hits = shop.sim("GET /_sim/trouble", Value::Null).await["calls"][0]["hits"].clone();
    assert_eq!(hits, 0);
    assert_eq!(receiver.came().len(), 1);
    assert_eq!(close("ORDER1").await, 204);
    shop.simulator.quiet().await;
    let hits = shop.sim("GET /_sim/trouble", Value::Null).await["calls"][0]["hits"].clone();
    assert_eq!((hits, receiver.came().len()), (json!(1), 2));
}
