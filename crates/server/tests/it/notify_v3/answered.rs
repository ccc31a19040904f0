//! A cache is never the truth: it answers for what was committed, also while the database cannot, and for nothing else.

use payonce_simulator::Payment;

use crate::{
    stage::{Stage, payment},
    store::Trouble,
};

#[tokio::test]
async fn a_copy_of_what_was_committed_is_acknowledged_while_the_database_cannot() {
    let stage = Stage::set().await;
    let committed = stage.callback(payment(1));
    stage.ask(&committed).await.assert_acknowledged();

    stage.store.trouble(Trouble::Unavailable);
    stage.ask(&committed).await.assert_acknowledged();
    stage.ask(&stage.callback(payment(2))).await.assert_refused(503, "disk full");

    stage.store.trouble(Trouble::None);
    stage.store.close_gate();
    let mut other = stage.wire().await;
    other.send(stage.callback(payment(2)).bytes()).await;
    stage.store.at_gate(2).await;
    stage.ask(&committed).await.assert_acknowledged();
    other.expect_quiet().await;
    stage.store.open_gate();
    other.answer().await.assert_acknowledged();

    let counts = stage.struck().await.counts().await;
    assert_eq!((counts.payments, counts.messages), (2, 2));
    assert_eq!(counts.receipts, 4, "the receipts of cached answers are kept as well");
}

#[tokio::test]
async fn what_failed_to_commit_is_not_answered_from_memory() {
    let stage = Stage::set().await;
    let letter = stage.callback(payment(1));
    stage.store.trouble(Trouble::CommitFails);
    for _ in 0..3 {
        stage.ask(&letter).await.assert_refused(503, "disk full");
    }
    stage.store.trouble(Trouble::Refuses { transaction_id: payment(1).transaction_id });
    for _ in 0..3 {
        stage.ask(&letter).await.assert_refused(503, "constraint payment_statement_once");
    }
    assert_eq!(stage.struck().await.counts().await.payments, 0);
}

/// Duplicate and *inconsistent* events for one payment: other content is not a copy.
#[tokio::test]
async fn another_content_under_the_same_payment_number_is_no_copy() {
    let stage = Stage::set().await;
    stage.register(1).await;
    stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    stage.ask(&stage.callback(Payment { amount_fen: 1, ..payment(1) })).await.assert_acknowledged();
    assert_eq!(stage.message_types().await, ["payment.succeeded", "payment.conflicted"]);
}

/// Elsewhere the second copy after a restart ran twice.
#[tokio::test]
async fn a_restart_loses_the_memory_and_nothing_else() {
    let stage = Stage::set().await;
    stage.register(1).await;
    let letter = stage.callback(payment(1));
    stage.ask(&letter).await.assert_acknowledged();
    let stage = stage.restarted(&[crate::stage::merchant()]).await;
    stage.ask(&letter).await.assert_acknowledged();
    assert_eq!(stage.store.begun(), 1, "the database was asked");
    assert_eq!(stage.message_types().await, ["payment.succeeded"]);
}

/// A receipt that could not be written at once is written later: the copy was acknowledged.
#[tokio::test]
async fn notes_wait_for_a_database_that_cannot_take_them() {
    for trouble in [Trouble::NotesFail, Trouble::NotesCut] {
        let stage = Stage::set().await;
        let letter = stage.callback(payment(1));
        stage.ask(&letter).await.assert_acknowledged();
        stage.store.trouble(trouble);
        stage.ask(&letter).await.assert_acknowledged();
        stage.ask(&letter.clone().without("wechatpay-nonce")).await.assert_refused(401, "is missing");
        stage.store.note_refused().await;
        stage.store.trouble(Trouble::None);
        assert_eq!(stage.metric("payonce_notes_dropped_total").await.as_deref(), Some("0"));
        let counts = stage.struck().await.counts().await;
        assert_eq!((counts.receipts, counts.rejected), (2, 1));
    }
}

/// A note that the database never takes does not take others with it.
#[tokio::test]
async fn a_note_that_is_refused_for_good_is_dropped_alone() {
    let stage = Stage::set().await;
    let letter = stage.callback(payment(1));
    stage.ask(&letter).await.assert_acknowledged();
    // Both wait for one transaction: while a commit is held, nothing is noted.
    stage.store.close_gate();
    let held = stage.ask_all([stage.callback(payment(2))]);
    stage.store.at_gate(2).await;
    stage.ask(&letter).await.assert_acknowledged();
    stage.ask(&letter.clone().without("wechatpay-nonce")).await.assert_refused(401, "is missing");
    stage.ask(&letter).await.assert_acknowledged();
    stage.store.trouble(Trouble::RejectedNotesRefused);
    stage.store.open_gate();
    held.join_all().await;
    stage.store.note_refused().await;
    crate::wire::within("the count of what was dropped", async {
        while stage.metric("payonce_notes_dropped_total").await.as_deref() != Some("1") {}
    })
    .await;
    let counts = stage.struck().await.counts().await;
    assert_eq!((counts.receipts, counts.rejected), (4, 0));
}
