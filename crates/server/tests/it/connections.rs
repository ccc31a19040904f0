//! Clients that are slow, many or speak something else: they are cut off, and the server lives.

use std::time::Duration;

use crate::{
    letter::Letter,
    stage::{MCHID, Stage, payment},
};

#[tokio::test]
async fn who_takes_too_long_over_a_head_is_cut_off() {
    let stage = Stage::with(|_, patience| patience.head = Duration::from_millis(50)).await;
    let mut silent = stage.wire().await;
    let mut dripping = stage.wire().await;
    dripping.send(format!("POST /notify/v3/{MCHID} HTTP/1.1\r\nwechatpay-nonce: a")).await;
    let mut idle = stage.wire().await;
    assert_eq!(idle.ask(&Letter::get("/healthz")).await.status, 200);
    for wire in [&mut silent, &mut dripping, &mut idle] {
        let rest = wire.rest().await;
        assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 408 "), "{rest}");
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let stage = Stage::with(|config, _| config.server.connections_max = 1).await;
    let mut first = stage.wire().await;
    first.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    let mut second = stage.wire().await;
    second.send(stage.callback(payment(2)).bytes()).await;
    second.expect_quiet().await;
    first.ask(&stage.callback(payment(3))).await.assert_acknowledged();
    drop(first);
    second.answer().await.assert_acknowledged();
}

#[tokio::test]
async fn what_is_not_http_is_refused_and_the_server_lives() {
    let stage = Stage::set().await;
    let mut head_too_large = format!("POST /notify/v3/{MCHID} HTTP/1.1\r\nhost: payonce\r\n").into_bytes();
    head_too_large.extend(b"wechatpay-nonce: ");
    // The limit of a head, and no end in sight.
    head_too_large.resize(32 * 1024, b'a');
    for (bytes, status) in [
        // TLS where plain HTTP is spoken.
        (&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..], "400"),
        (b"GET\r\n\r\n", "400"),
        (b"POST /notify/v3/1 HTTP/9.9\r\n\r\n", "400"),
        (b"POST / HTTP/1.1\r\nhost payonce\r\n\r\n", "400"),
        (b"POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", "400"),
        (b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", "400"),
        (&head_too_large, "431"),
    ] {
        let mut wire = stage.wire().await;
        wire.send(bytes).await;
        let rest = wire.rest().await;
        let answered = rest.split(' ').nth(1).unwrap_or_default();
        assert_eq!(answered, status, "{}: {rest}", bytes[..bytes.len().min(80)].escape_ascii());
    }
    stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
}

/// Many callbacks on one connection, sent without waiting, are answered in their order.
#[tokio::test]
async fn pipelined_callbacks_are_answered_in_their_order() {
    let stage = Stage::set().await;
    let letters = [
        stage.callback(payment(1)),
        stage.callback(payment(2)).without("wechatpay-nonce"),
        stage.callback(payment(1)),
    ];
    let mut wire = stage.wire().await;
    wire.send(letters.iter().flat_map(Letter::bytes).collect::<Vec<_>>()).await;
    wire.answer().await.assert_acknowledged();
    wire.answer().await.assert_refused(401, "is missing");
    wire.answer().await.assert_acknowledged();
}

/// An answer is sent when it is there, not when the next request is complete.
#[tokio::test]
async fn an_answer_does_not_wait_for_the_rest_of_the_next_request() {
    let stage = Stage::set().await;
    let next = stage.callback(payment(2)).bytes();
    let mut wire = stage.wire().await;
    wire.send([&stage.callback(payment(1)).bytes(), &next[..20]].concat()).await;
    wire.answer().await.assert_acknowledged();
    wire.send(&next[20..]).await;
    wire.answer().await.assert_acknowledged();
}

/// A client that breaks off within a body takes nothing and no one with it.
#[tokio::test]
async fn a_body_that_breaks_off_has_no_effect() {
    let stage = Stage::set().await;
    let letter = stage.callback(payment(1));
    let mut wire = stage.wire().await;
    let length = letter.body.len().to_string();
    wire.send(letter.head(&[("content-length", &length), ("expect", "100-continue")])).await;
    assert_eq!(wire.answer().await.status, 100);
    wire.send(&letter.body[..100]).await;
    drop(wire);
    stage.ask(&letter).await.assert_acknowledged();
    let counts = stage.struck().await.counts().await;
    assert_eq!((counts.payments, counts.receipts, counts.rejected), (1, 1, 0));
}
