//! 503 with `Retry-After`: the queue is bounded and sheds, and nobody waits longer than WeChat does.

use std::time::Duration;

use crate::{
    letter::Letter,
    stage::{Stage, payment, registration},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_sheds_and_answers_what_it_took() {
    let stage = Stage::with(|config, _| config.server.queue_callbacks_max = 2).await;
    stage.store.close_gate();
    let mut first = stage.ask_all([stage.callback(payment(0))]);
    stage.store.at_gate(1).await;

    let mut others = stage.ask_all((1..=6).map(|number| stage.callback(payment(number))));
    for _ in 0..4 {
        let shed = others.join_next().await.unwrap().unwrap();
        shed.assert_refused(503, "too many callbacks are waiting for the database");
    }
    let line = "payonce_callbacks_refused_total{verdict=\"overloaded\"}";
    assert_eq!(stage.metric(line).await.as_deref(), Some("4"));
    assert_eq!(stage.counts().await.payments, 0);

    stage.store.open_gate();
    first.join_next().await.unwrap().unwrap().assert_acknowledged();
    for answer in others.join_all().await {
        answer.assert_acknowledged();
    }
    let counts = stage.struck().await.counts().await;
    assert_eq!((counts.payments, counts.rejected), (3, 0));
}

#[tokio::test]
async fn what_is_not_committed_in_time_is_told_and_applied_all_the_same() {
    let stage = Stage::with(|_, patience| patience.callback = Duration::from_millis(50)).await;
    stage.store.close_gate();
    let letter = stage.callback(payment(1));
    stage.ask(&letter).await.assert_refused(503, "within the time that WeChat allows");
    stage.store.open_gate();
    stage.store.committed(1).await;

    // WeChat sends it again; by now it is a copy.
    let stage = stage.restarted(&[crate::stage::merchant()]).await;
    stage.ask(&letter).await.assert_acknowledged();
    assert_eq!(stage.message_types().await, ["payment.unmatched"]);
    let counts = stage.struck().await.counts().await;
    assert_eq!((counts.payments, counts.messages, counts.receipts), (1, 1, 2));
}

/// The budget counts from the head, so that a body that drips takes nobody's time.
#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_is_answered() {
    let stage = Stage::with(|_, patience| patience.callback = Duration::from_millis(50)).await;
    let letter = stage.callback(payment(1));
    let mut wire = stage.wire().await;
    wire.send(&letter.bytes()[..letter.bytes().len() - 1]).await;
    wire.answer().await.assert_refused(503, "within the time that WeChat allows");
    wire.rest().await;
    // It is not the database that was slow.
    let count = async |verdict| {
        stage.metric(&format!("payonce_callbacks_refused_total{{verdict=\"{verdict}\"}}")).await
    };
    assert_eq!((count("body_too_slow").await.as_deref(), count("too_slow").await), (Some("1"), None));
    assert_eq!(stage.struck().await.counts().await.payments, 0);
}

/// One transaction that hangs is not waited for by those behind it, whose senders would have gone. (Registrations, since
/// they have no time limit of their own.)
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_hangs_ends_with_the_time_of_its_callbacks() {
    let stage = Stage::among_many(|_, patience| patience.callback = Duration::from_millis(50)).await;
    stage.store.close_gate();
    for number in [1, 2] {
        let answer = stage.api(Letter::post("/v1/orders", registration(number).to_string())).await;
        let json = answer.json();
        assert_eq!((answer.status, &json["code"]), (503, &"PAY0008".into()));
        let message = json["message"].as_str().unwrap();
        assert!(message.contains("which may have succeeded"), "{message}");
    }
    stage.store.open_gate();
    // Nobody knows what came of it: it is asked, as always.
    let stage = stage.restarted(&[crate::stage::merchant()]).await;
    assert_eq!(stage.counts().await.orders, 0, "what was dropped was rolled back");
    stage.register(1).await;
    assert_eq!(stage.order_state(1).await, "pending");
}
