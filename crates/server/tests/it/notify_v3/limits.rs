//! 413 and 405: more than is read, and what is not a POST.

use payonce_server::CALLBACK_BYTES_MAX;

use crate::{
    letter::Letter,
    stage::{MCHID, Stage, payment},
};

fn padded(stage: &Stage, bytes: usize) -> Letter {
    let mut body = stage.notice(payment(1)).body().to_vec();
    body.resize(bytes, b' ');
    stage.signed(body)
}

#[tokio::test]
async fn a_body_of_a_mebibyte_is_read() {
    let stage = Stage::set().await;
    let letter = padded(&stage, CALLBACK_BYTES_MAX);
    stage.ask(&letter).await.assert_acknowledged();
}

#[tokio::test]
async fn a_body_that_announces_more_is_refused_before_it_is_sent() {
    let stage = Stage::set().await;
    let letter = padded(&stage, CALLBACK_BYTES_MAX + 1);
    let mut wire = stage.wire().await;
    wire.send(letter.head(&[("content-length", &letter.body.len().to_string())])).await;
    wire.answer().await.assert_refused(413, "larger than 1048576 bytes");
    let struck = stage.struck().await;
    assert_eq!(struck.kept_verdicts().await, ["body_too_large"]);
    assert_eq!(struck.counts().await.payments, 0);
}

#[tokio::test]
async fn a_body_that_grows_beyond_it_in_chunks_is_refused() {
    let stage = Stage::set().await;
    let letter = padded(&stage, CALLBACK_BYTES_MAX + 1);
    let mut wire = stage.wire().await;
    wire.send(letter.head(&[("transfer-encoding", "chunked")])).await;
    for chunk in letter.body.chunks(64 * 1024) {
        wire.send([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat()).await;
    }
    wire.answer().await.assert_refused(413, "larger than 1048576 bytes");
    assert_eq!(stage.struck().await.counts().await.payments, 0);
}

#[tokio::test]
async fn chunks_within_it_are_a_body_like_any_other() {
    let stage = Stage::set().await;
    let letter = stage.callback(payment(1));
    let mut wire = stage.wire().await;
    wire.send(letter.head(&[("transfer-encoding", "chunked")])).await;
    for chunk in letter.body.chunks(100) {
        wire.send([format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat()).await;
    }
    wire.send("0\r\n\r\n").await;
    wire.answer().await.assert_acknowledged();
}

#[tokio::test]
async fn other_methods_are_answered_in_wechats_shape() {
    let stage = Stage::set().await;
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"] {
        let answer = stage.ask(&stage.callback(payment(1)).method(method)).await;
        answer.assert_refused(405, "callbacks are sent by POST");
        assert_eq!(answer.header("allow"), Some("POST"), "{method}");
    }
    let line = "payonce_callbacks_refused_total{verdict=\"wrong_method\"}";
    assert_eq!(stage.metric(line).await.as_deref(), Some("6"));
    assert_eq!(stage.struck().await.counts().await.payments, 0);
}

/// `/notify/v3/{mchid}` and nothing near it: any 200 would be an acknowledgement.
#[tokio::test]
async fn paths_beside_it_acknowledge_nothing() {
    let stage = Stage::set().await;
    for path in ["/notify", "/notify/v3", "/notify/v3/", &format!("/notify/v3/{MCHID}/"), "/notify/v1/1", "/"]
    {
        let answer = stage.ask(&stage.callback(payment(1)).to(path)).await;
        assert_eq!((answer.status, &answer.json()["code"]), (404, &"PAY0009".into()), "{path}");
    }
}
