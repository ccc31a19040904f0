//! WeChat keeps no log of callbacks for merchants: what was refused is kept here, with its verdict, bounded.

use payonce_core::UnixMillis;
use wechatpay::{UnixSeconds, headers};

use crate::stage::{MCHID, NOW, Stage, merchant, payment};

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
