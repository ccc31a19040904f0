//! Group commit: what waits while a commit is in flight is the next batch, and no fact in it can hurt another.

use payonce_simulator::Payment;

use crate::{
    stage::{Stage, payment},
    store::Trouble,
    wire::Answer,
};

/// Facts that wait while the first one's commit is held. One more than the queue takes is sent, and that one's
/// refusal is the signal that the queue is full.
async fn with_a_full_queue(stage: &Stage, payments: Vec<Payment>) -> Vec<Answer> {
    stage.store.close_gate();
    let mut first = stage.ask_all([stage.callback(payment(0))]);
    stage.store.at_gate(1).await;
    let mut others = stage.ask_all(payments.into_iter().map(|payment| stage.callback(payment)));
    let shed = others.join_next().await.unwrap().unwrap();
    shed.assert_refused(503, "too many callbacks");
    stage.store.open_gate();
    first.join_next().await.unwrap().unwrap().assert_acknowledged();
    others.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_during_a_commit_is_committed_together() {
    const WAITING: usize = 40;
    let stage = Stage::with(|config, _| config.server.queue_callbacks_max = WAITING).await;
    let answers = with_a_full_queue(&stage, (1..=41).map(payment).collect()).await;
    assert_eq!(answers.len(), WAITING);
    for answer in answers {
        answer.assert_acknowledged();
    }
    assert_eq!(stage.store.begun(), 2, "one transaction for the first, one for all that waited");
    assert_eq!(stage.metric("payonce_batch_facts_sum").await.as_deref(), Some("41.0"));
    assert_eq!(stage.metric("payonce_batch_facts_count").await.as_deref(), Some("2"));
    assert_eq!(stage.counts().await.payments, 41);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_fact_does_not_hurt_its_neighbours() {
    let stage = Stage::with(|config, _| config.server.queue_callbacks_max = 4).await;
    let bad = payment(1);
    stage.store.trouble(Trouble::Refuses { transaction_id: bad.transaction_id.clone() });
    // Three copies of the bad one and two others for four places: one of each kind is in the batch at the least.
    let waiting = vec![bad.clone(), bad.clone(), bad.clone(), payment(2), payment(3)];
    let answers = with_a_full_queue(&stage, waiting).await;
    let acknowledged = answers.iter().filter(|answer| answer.status == 204).count();
    for answer in answers.iter().filter(|answer| answer.status != 204) {
        answer.assert_refused(503, "constraint payment_statement_once refused a row");
    }
    assert!(acknowledged == 1 || acknowledged == 2, "{answers:?}");
    assert_eq!(stage.counts().await.payments, 1 + acknowledged as u64);
    // A constraint may be another node's doing, so that each refusal is tried eight times.
    let begun = 1 + 8 + acknowledged + 8 * (4 - acknowledged);
    assert_eq!(stage.store.begun(), begun, "the first, all together, one by one");
}
