//! A graceful stop: what was accepted is answered, idle connections are closed, what waits is written.

use std::time::Duration;

use tokio::{net::TcpStream, time::timeout};

use crate::{
    letter::Letter,
    stage::{Stage, payment},
    wire::{QUIET, within},
};

#[tokio::test(flavor = "multi_thread")]
async fn everything_accepted_is_answered_and_written() {
    let stage = Stage::with(|config, _| config.server.queue_callbacks_max = 2).await;
    let addr = stage.addr();
    stage.ask(&stage.callback(payment(9)).without("wechatpay-nonce")).await.assert_refused(401, "is missing");
    stage.ask(&stage.callback(payment(8))).await.assert_acknowledged();
    stage.store.close_gate();
    let mut accepted = stage.ask_all([stage.callback(payment(0))]);
    stage.store.at_gate(2).await;
    // Four for two places: two refusals tell that the others are in.
    let mut others = stage.ask_all((1..=4).map(|number| stage.callback(payment(number))));
    for _ in 0..2 {
        others.join_next().await.unwrap().unwrap().assert_refused(503, "too many callbacks");
    }
    stage.ask(&stage.callback(payment(8))).await.assert_acknowledged();
    let mut idle = stage.wire().await;
    assert_eq!(idle.ask(&Letter::get("/healthz")).await.status, 200);

    let (server, struck) = stage.parted();
    let stopping = tokio::spawn(server.stop());
    assert_eq!(idle.rest().await, "", "idle connections are closed at once");
    assert!(TcpStream::connect(addr).await.is_err(), "and no new ones taken");
    assert!(!stopping.is_finished());

    struck.store.open_gate();
    accepted.join_next().await.unwrap().unwrap().assert_acknowledged();
    for answer in others.join_all().await {
        answer.assert_acknowledged();
        assert_eq!(answer.header("connection"), Some("close"));
    }
    within("the end of the server", stopping).await.unwrap();
    let counts = struck.counts().await;
    assert_eq!((counts.payments, counts.receipts, counts.rejected), (4, 5, 1), "notes are written as well");
}

#[tokio::test]
async fn a_body_that_is_still_coming_is_waited_for() {
    let stage = Stage::set().await;
    let letter = stage.callback(payment(1));
    let mut wire = stage.wire().await;
    let length = letter.body.len().to_string();
    wire.send(letter.head(&[("content-length", &length), ("expect", "100-continue")])).await;
    assert_eq!(wire.answer().await.status, 100);
    let mut idle = stage.wire().await;
    assert_eq!(idle.ask(&Letter::get("/healthz")).await.status, 200);

    let (server, struck) = stage.parted();
    let mut stopping = tokio::spawn(server.stop());
    idle.rest().await;
    assert!(timeout(QUIET, &mut stopping).await.is_err(), "it has to wait");
    wire.send(&letter.body).await;
    wire.answer().await.assert_acknowledged();
    within("the end of the server", stopping).await.unwrap();
    assert_eq!(struck.counts().await.payments, 1);
}

#[tokio::test]
async fn who_is_too_late_for_the_stop_is_told_to_come_again() {
    let stage = Stage::with(|config, _| config.server.shutdown_seconds_max = 0).await;
    let letter = stage.callback(payment(1));
    let mut wire = stage.wire().await;
    let length = letter.body.len().to_string();
    wire.send(letter.head(&[("content-length", &length), ("expect", "100-continue")])).await;
    assert_eq!(wire.answer().await.status, 100, "its body is waited for");

    let struck = within("the end of the server", stage.struck()).await;
    wire.send(&letter.body).await;
    wire.answer().await.assert_refused(503, "the server is shutting down");
    assert_eq!(struck.counts().await.payments, 0);
}

/// A stop does not wait for a client that never finishes its request.
#[tokio::test]
async fn a_request_that_never_ends_does_not_keep_the_server() {
    let stage = Stage::with(|config, patience| {
        config.server.shutdown_seconds_max = 1;
        patience.head = Duration::from_secs(3600);
    })
    .await;
    let mut wire = stage.wire().await;
    wire.send("POST /notify/v3/1900000001 HTTP/1.1\r\n").await;
    assert_eq!(stage.ask(&Letter::get("/healthz")).await.status, 200);
    within("the end of the server", stage.struck()).await;
}
