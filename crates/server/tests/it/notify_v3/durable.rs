//! An acknowledgement means committed: elsewhere it left while the lock or the database was unavailable.

use std::time::Duration;

use payonce_server::{Patience, config::Config};

use crate::{
    stage::{Stage, payment},
    store::Trouble,
};

#[tokio::test]
async fn no_answer_leaves_before_the_commit_returns() {
    let stage = Stage::set().await;
    stage.register(1).await;
    stage.store.close_gate();
    let mut wire = stage.wire().await;
    wire.send(stage.callback(payment(1)).bytes()).await;
    stage.store.at_gate(2).await;
    wire.expect_quiet().await;
    assert_eq!(stage.counts().await.payments, 0);

    stage.store.open_gate();
    wire.answer().await.assert_acknowledged();
    assert_eq!(stage.counts().await.payments, 1);
}

#[tokio::test]
async fn a_commit_that_fails_is_told_and_leaves_no_trace() {
    let stage = Stage::set().await;
    stage.register(1).await;
    let letter = stage.callback(payment(1));
    for trouble in [Trouble::CommitFails, Trouble::Unavailable] {
        stage.store.trouble(trouble);
        stage.ask(&letter).await.assert_refused(503, "disk full: free some space");
    }
    let counts = stage.counts().await;
    assert_eq!((counts.payments, counts.messages, counts.receipts), (0, 0, 0));
    let line = "payonce_callbacks_refused_total{verdict=\"not_stored\"}";
    assert_eq!(stage.metric(line).await.as_deref(), Some("2"));

    // WeChat sends it again, and payonce has come round by itself.
    stage.store.trouble(Trouble::None);
    stage.ask(&letter).await.assert_acknowledged();
    assert_eq!(stage.order_state(1).await, "paid");
    let struck = stage.struck().await;
    let counts = struck.counts().await;
    assert_eq!((counts.payments, counts.messages, counts.receipts), (1, 1, 1));
    assert_eq!(struck.kept_verdicts().await, [""; 0], "what we could not do is not the sender's fault");
}

#[tokio::test]
async fn a_client_that_leaves_before_the_commit_has_its_callback_applied_and_once() {
    let stage = Stage::set().await;
    stage.register(1).await;
    let letter = stage.callback(payment(1));
    stage.store.close_gate();
    let mut wire = stage.wire().await;
    wire.send(letter.bytes()).await;
    stage.store.at_gate(2).await;
    drop(wire);
    stage.store.open_gate();
    stage.store.committed(2).await;
    assert_eq!(stage.order_state(1).await, "paid");

    stage.ask(&letter).await.assert_acknowledged();
    assert_eq!(stage.message_types().await, ["payment.succeeded"]);
    let counts = stage.struck().await.counts().await;
    assert_eq!((counts.payments, counts.messages, counts.receipts), (1, 1, 2));
}

#[tokio::test]
async fn a_committing_thread_that_dies_acknowledges_nothing_and_is_not_ready() {
    let stage = Stage::set().await;
    stage.store.trouble(Trouble::CommitPanics);
    let letter = stage.callback(payment(1));
    stage.ask(&letter).await.assert_refused(503, "shutting down");
    stage.ask(&letter).await.assert_refused(503, "shutting down");
    let ready = stage.ask(&crate::letter::Letter::get("/readyz")).await;
    assert_eq!(ready.status, 503, "whoever watches must start it again");
    assert_eq!(stage.ask(&crate::letter::Letter::get("/healthz")).await.status, 503);
    assert_eq!(stage.counts().await.payments, 0);
    let (mut server, _struck) = stage.parted();
    let broken = crate::wire::within("the news that it is broken", server.broken()).await;
    assert_eq!(broken, payonce_server::Broken::Applier);
}

/// Else every further receipt would be lost, one by one.
#[tokio::test(flavor = "multi_thread")]
async fn a_writer_of_notes_that_dies_beside_the_facts_is_told() {
    let stage = Stage::among_many(|_, _| ()).await;
    stage.store.trouble(Trouble::NotesPanic);
    stage.ask(&stage.callback(payment(1)).without("wechatpay-nonce")).await.assert_refused(401, "is missing");
    let (mut server, _struck) = stage.parted();
    let broken = crate::wire::within("the news that it is broken", server.broken()).await;
    assert_eq!(broken, payonce_server::Broken::Applier);
}

/// Else messages would get no positions, and a copy would not see this node, while all seems well.
#[tokio::test]
async fn a_background_role_that_dies_is_told() {
    let often = |_: &mut Config, patience: &mut Patience| patience.unopened = Duration::from_millis(1);
    let stage = Stage::with(often).await;
    stage.store.trouble(Trouble::TakingPanics);
    let addr = stage.addr();
    let (mut server, _struck) = stage.parted();
    let broken = crate::wire::within("the news that it is broken", server.broken()).await;
    assert_eq!(broken, payonce_server::Broken::Roles);
    let mut wire = crate::wire::Wire::connect(addr).await;
    let alive = wire.ask(&crate::letter::Letter::get("/healthz")).await;
    assert_eq!((alive.status, alive.body.as_str()), (503, "the background roles have ended\n"));
    crate::wire::within("the end of the server", server.stop()).await;
}
