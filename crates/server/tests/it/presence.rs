//! A node that its database has not seen for a while acknowledges nothing until it has looked for a copy.

use std::time::Duration;

use payonce_core::store::{Lease, Leases as _, Owner, Role};
use payonce_server::{Patience, config::Config};

use crate::{
    letter::Letter,
    stage::{Stage, payment, registration},
    store::Trouble,
    wire::within,
};

/// A presence that lapses soon, but not because the machine is busy.
const PRESENCE: Duration = Duration::from_secs(6);

async fn stage() -> Stage {
    Stage::with(|_: &mut Config, patience: &mut Patience| {
        patience.presence = PRESENCE;
        // Not what ends the wait of a callback here.
        patience.callback = Duration::from_secs(25);
    })
    .await
}

/// Waits until `/readyz` says this.
async fn readyz(stage: &Stage, text: &str) {
    let mut wire = stage.wire().await;
    let said = async { while !wire.ask(&Letter::get("/readyz")).await.body.contains(text) {} };
    within(text, said).await;
}

/// Whoever gets it has the database, for as long as a test lasts.
async fn mark(stage: &Stage, role: Role) -> Lease {
    let owner = Owner("5f3a".to_owned());
    stage.store.lease(&role, &owner, Lease::FOR_EVER).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_not_seen_answers_503_whatever_it_remembers_until_it_is_seen_again() {
    let stage = Stage::with(|_, patience| {
        patience.presence = PRESENCE;
        patience.callback = Duration::from_millis(500);
    })
    .await;
    stage.register(1).await;
    stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    stage.store.trouble(Trouble::PresenceFails);
    readyz(&stage, "not seen this node").await;
    let begun = stage.store.begun();

    // A copy of what it knows, a first one, and a registration.
    stage.ask(&stage.callback(payment(1))).await.assert_refused(503, "not seen this node");
    stage.ask(&stage.callback(payment(2))).await.assert_refused(503, "not seen this node");
    let answer = stage.api(Letter::post("/v1/orders", registration(3).to_string())).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (503, Some("PAY0008")), "{answer:?}");
    // What is read is as true as before.
    assert_eq!(stage.api(Letter::get("/v1/orders/ORDER1")).await.json()["state"], "paid");
    assert_eq!(stage.api(Letter::get("/v1/messages")).await.status, 200);
    assert_eq!(stage.store.begun(), begun, "nothing was begun");

    stage.store.trouble(Trouble::None);
    readyz(&stage, "ready\n").await;
    stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    stage.ask(&stage.callback(payment(2))).await.assert_acknowledged();
}

/// The transaction was under way when the node was stopped: nobody knows whether a copy has read it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_while_the_node_is_not_seen_is_acknowledged_only_where_no_copy_came_between() {
    for moved in [false, true] {
        let stage = stage().await;
        stage.register(1).await;
        stage.store.close_gate();
        let mut answers = stage.ask_all([stage.callback(payment(1))]);
        stage.store.at_gate(2).await;
        stage.store.trouble(Trouble::PresenceFails);
        readyz(&stage, "not seen this node").await;
        // It was let through before it lapsed, and is on its way now.
        stage.store.open_gate();
        stage.store.committed(2).await;
        if moved {
            mark(&stage, Role::MOVED).await;
        }
        stage.store.trouble(Trouble::None);
        let answer = answers.join_next().await.unwrap().unwrap();
        if moved {
            answer.assert_refused(503, "which may have succeeded");
        } else {
            answer.assert_acknowledged();
        }
        assert_eq!(stage.counts().await.payments, 1, "in the database it is in either case");
    }
}

/// A copy begins while the node is away, and the node finds it, or what it left, when it comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_comes_back_to_a_copy_or_a_moved_database_acknowledges_nothing() {
    for (role, text) in [
        (Role::COPY, "`payonce copy` is at work on it"),
        (Role::MOVED, "it was moved elsewhere by `payonce copy`"),
    ] {
        let stage = stage().await;
        stage.register(1).await;
        stage.store.trouble(Trouble::PresenceFails);
        readyz(&stage, "not seen this node").await;
        let mark = mark(&stage, role).await;
        stage.store.trouble(Trouble::None);
        readyz(&stage, text).await;
        stage.ask(&stage.callback(payment(1))).await.assert_refused(503, text);
        let answer = stage.api(Letter::get("/v1/orders/ORDER1")).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (503, Some("PAY0011")), "{answer:?}");
        assert_eq!(stage.counts().await.payments, 0);

        stage.store.release(&mark).await.unwrap();
        readyz(&stage, "ready\n").await;
        stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    }
}
