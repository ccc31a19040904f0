//! WeChat keeps no log of callbacks for merchants: what was refused is kept here, with its verdict, bounded.

use payonce_core::{Store as _, UnixMillis};
use wechatpay::{UnixSeconds, headers};

use tokio::net::TcpStream;

use crate::{
    stage::{MCHID, NOW, Stage, merchant, payment},
    wire::within,
};

#[tokio::test]
async fn a_refused_callback_is_kept_with_its_verdict_headers_and_body() {
    let stage = Stage::set().await;
    let letter = stage.callback(payment(1)).and("cookie", "not the signature's");
    let letter = letter.with(headers::NONCE, "n1").twice(headers::NONCE).with(headers::SERIAL, "caf\u{e9}");
    stage.ask(&letter).await.assert_refused(401, "more than once");

    let struck = stage.struck().await;
    let [kept] = struck.kept().await.try_into().unwrap();
    let text = |name: &str| String::from_utf8(letter.header(name).to_vec()).unwrap();
    let expected = format!(
        "wechatpay-timestamp: {}\nwechatpay-nonce: n1\nwechatpay-nonce: n1\nwechatpay-signature: {}\n\
         wechatpay-serial: café\nwechatpay-signature-type: {}\n",
        text(headers::TIMESTAMP),
        text(headers::SIGNATURE),
        text(headers::SIGNATURE_TYPE),
    );
    assert_eq!(kept.headers, expected);
    assert_eq!(kept.received_at, UnixMillis(NOW.0 * 1000));
    assert_eq!((kept.path_merchant.as_str(), kept.http_status), (MCHID, 401));
    assert_eq!(kept.verdict, "headers");
    assert_eq!(kept.reason, "the header wechatpay-nonce is there more than once");
    assert_eq!(kept.body, letter.body);
}

#[tokio::test]
async fn of_a_large_body_the_beginning_is_kept() {
    let stage = Stage::set().await;
    let body = "x".repeat(100_000);
    stage.ask(&stage.signed(body.clone())).await.assert_refused(400, "the body is not a notification");
    let [kept] = stage.struck().await.kept().await.try_into().unwrap();
    assert_eq!(kept.body, body.as_bytes()[..16 * 1024]);
}

/// Nobody waits for notes: neither a callback whose transaction could begin, nor its sender.
#[tokio::test(flavor = "multi_thread")]
async fn notes_that_hang_hold_up_no_callback_and_are_written_before_the_end() {
    let stage = Stage::among_many(|_, _| ()).await;
    let refused = stage.callback(payment(9)).without(headers::NONCE);
    stage.store.close_notes_gate();
    stage.ask(&refused).await.assert_refused(401, "is missing");
    stage.store.notes_at_gate().await;
    for number in 1..=3 {
        stage.ask(&stage.callback(payment(number))).await.assert_acknowledged();
    }
    // More than are written at a time.
    let mut wire = stage.wire().await;
    for _ in 0..600 {
        wire.ask(&refused).await.assert_refused(401, "is missing");
    }
    drop(wire);
    let addr = stage.addr();
    let (server, struck) = stage.parted();
    let stopping = tokio::spawn(server.stop());
    // It listens no longer, and waits for the notes alone.
    let refused = async { while TcpStream::connect(addr).await.is_ok() {} };
    within("a server that listens no longer", refused).await;
    assert!(!stopping.is_finished(), "the notes are not written yet");
    struck.store.open_notes_gate();
    within("the end of the server", stopping).await.unwrap();
    let counts = struck.counts().await;
    assert_eq!((counts.payments, counts.receipts, counts.rejected), (3, 3, 601));
}

#[tokio::test]
async fn a_flood_pushes_out_the_oldest() {
    let stage = Stage::with(|config, _| config.retention.rejected_rows_max = 3).await;
    let mut wire = stage.wire().await;
    for number in 0..10 {
        let letter = stage.callback(payment(1)).with(headers::SERIAL, format!("FLOOD{number}"));
        wire.ask(&letter).await.assert_refused(401, "no valid platform key");
    }
    drop(wire);
    let struck = stage.struck().await;
    let reasons: Vec<_> = struck.kept().await.into_iter().map(|rejected| rejected.reason).collect();
    let expected = ["FLOOD7", "FLOOD8", "FLOOD9"];
    assert_eq!(reasons, expected.map(|serial| format!("no valid platform key has the serial \"{serial}\"")));
}

/// A node that is flooded does not wait for the minute at which one of all deletes.
#[tokio::test]
async fn a_flood_is_cut_back_while_it_lasts() {
    let stage = Stage::with(|config, _| config.retention.rejected_rows_max = 16).await;
    let mut wire = stage.wire().await;
    for number in 0..40 {
        let letter = stage.callback(payment(1)).with(headers::SERIAL, format!("FLOOD{number}"));
        wire.ask(&letter).await.assert_refused(401, "no valid platform key");
    }
    // An eighth more, less one: two are due.
    within("the deletion of the oldest", async {
        loop {
            let kept = stage.store.rejected_latest(40).await.unwrap();
            let all_are_written = kept.first().is_some_and(|latest| latest.reason.contains("FLOOD39"));
            if all_are_written && kept.len() < 18 {
                break;
            }
        }
    })
    .await;
}

/// Receipts go when no copy of their callback can come any more; payments and messages stay for ever.
#[tokio::test]
async fn receipts_are_kept_for_as_long_as_configured() {
    const DAY: i64 = 24 * 60 * 60;
    let mut stage = Stage::set().await;
    stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    for (days, receipts) in [(179, 1), (181, 0)] {
        stage.clock_seconds(UnixSeconds(NOW.0 + days * DAY));
        stage = stage.restarted(&[merchant()]).await;
        stage.store.cleared_out().await;
        let counts = stage.counts().await;
        assert_eq!((counts.receipts, counts.payments, counts.messages), (receipts, 1, 1), "{days} days");
    }
}
