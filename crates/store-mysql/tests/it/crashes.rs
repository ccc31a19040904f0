//! Servers that die in the middle of a transaction, or of its commit.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use payonce_core::{
    EventType, NotificationId, Outcome, Pace, Policy, Store, StoreError, Submission, apply,
    order::OrderId,
    store::{Changes, Receipt},
};
use payonce_test_servers::MariaDb;

use crate::fixture::{NOW, SHOP, apply_all, key, merchant, open, outcomes, own_server, paid, registered};

/// A server whose commits can be made to wait, once they are written, for a replica that never comes.
fn server_that_can_hold_commits() -> Option<Arc<MariaDb>> {
    own_server(&[("log-bin", "binlog"), ("rpl-semi-sync-master-timeout", "600000")]).map(Arc::new)
}

fn hold_commits(server: &MariaDb) {
    server.execute(SHOP, "SET GLOBAL rpl_semi_sync_master_enabled = ON;").expect("it is set");
}

/// Returns when a commit is held, and kills the server then. It comes back without that setting.
async fn kill_during_commit(server: &Arc<MariaDb>) {
    let server = Arc::clone(server);
    let killed = tokio::task::spawn_blocking(move || kill_when_a_commit_is_held(&server));
    killed.await.expect("it is killed");
}

fn kill_when_a_commit_is_held(server: &MariaDb) {
    let held = "SELECT COUNT(*) FROM information_schema.processlist WHERE info = 'COMMIT' AND db = 'shop' \
                AND state LIKE '%semi-sync%';";
    while server.execute("mysql", held).expect("it answers") == "0" {}
    server.kill();
}

#[tokio::test]
async fn a_server_that_dies_before_the_commit_has_committed_nothing() {
    let Some(server) = own_server(&[]) else { return };
    let store = open(&server.url(SHOP)).await;
    apply_all(&store, &[registered("A")]).await;
    assert!(store.epoch().is_some());
    let mut tx = store.begin().await.expect("it begins");
    tx.orders_for_update(&[key("A")]).await.expect("it locks");
    server.kill();
    let lost = tx.orders_for_update(&[key("A")]).await;
    assert!(matches!(lost, Err(StoreError::Disconnected(_))), "{lost:?}");
    drop(tx);
    assert!(store.epoch().is_none());
    server.start_again().expect("it starts");
    assert_eq!(outcomes(apply_all(&store, &[paid("A", "P1")]).await), [Outcome::Applied]);
}

#[tokio::test]
async fn a_server_that_restarts_between_transactions_is_not_noticed() {
    let Some(server) = own_server(&[]) else { return };
    let store = open(&server.url(SHOP)).await;
    apply_all(&store, &[registered("A")]).await;
    server.stop().expect("it stops");
    server.start_again().expect("it starts");
    assert_eq!(outcomes(apply_all(&store, &[paid("A", "P1")]).await), [Outcome::Applied]);
    assert!(store.order(&key("A")).await.expect("it reads").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_knows_of_a_commit_during_which_the_server_died() {
    let Some(server) = server_that_can_hold_commits() else { return };
    let store = open(&server.url(SHOP)).await;
    let mut tx = store.begin().await.expect("it begins");
    let event = EventType::parse("TRANSACTION.SUCCESS").expect("visible ASCII");
    let id = NotificationId::parse("N1").expect("visible ASCII");
    let receipts = vec![Receipt::new(merchant(), id, event, NOW)];
    tx.save(&Changes { receipts, ..Changes::default() }).await.expect("it saves");
    hold_commits(&server);
    let (committed, ()) = tokio::join!(tx.commit(), kill_during_commit(&server));
    assert!(matches!(committed, Err(StoreError::CommitUnknown(_))), "{committed:?}");
    assert!(store.epoch().is_none());
}

/// Starts the server before each further attempt.
struct Restart<'a> {
    server: &'a MariaDb,
    attempts: Mutex<u32>,
}

#[async_trait]
impl Pace for Restart<'_> {
    async fn again(&self, failed: u32) -> bool {
        *self.attempts.lock().expect("no test panicked") = failed;
        tokio::task::block_in_place(|| self.server.start_again()).expect("it starts");
        failed < 5
    }

    fn is_over(&self) -> bool {
        false
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_unseen_takes_effect_once() {
    let Some(server) = server_that_can_hold_commits() else { return };
    let store = open(&server.url(SHOP)).await;
    apply_all(&store, &[registered("A")]).await;
    let batch: Vec<Submission> =
        [paid("A", "P1"), paid("A", "P1"), paid("A", "P2")].map(Submission::from).into();
    let pace = Restart { server: &server, attempts: Mutex::default() };
    let policy = Policy::default();
    hold_commits(&server);
    let applied = apply(&store, &batch, &policy, NOW, &pace);
    let (results, ()) = tokio::join!(applied, kill_during_commit(&server));
    // It had been written before it waited: the second attempt finds it, and knows it for its own.
    assert_eq!(outcomes(results), [Outcome::Applied, Outcome::Duplicate, Outcome::Incident]);
    assert_eq!(*pace.attempts.lock().expect("no test panicked"), 1);
    let counts = store.counts().await.expect("it reads");
    assert_eq!((counts.payments, counts.messages), (2, 2));
    assert!(store.ledger_after(OrderId(0), 9).await.expect("it reads")[0].adds_up());
}
