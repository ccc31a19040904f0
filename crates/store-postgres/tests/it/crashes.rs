//! Servers that die in the middle of a transaction, or of its commit.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use payonce_core::{
    EventType, NotificationId, Outcome, Pace, Policy, Store, StoreError, Submission, apply,
    order::OrderId,
    store::{Changes, Receipt},
};
use payonce_store_postgres::PostgresStore;
use payonce_test_servers::Postgres;

use crate::fixture::{NOW, apply_all, key, merchant, open, outcomes, own_server, paid, registered};

/// A server on which a commit waits for a standby that never comes, except where a session asks for less.
fn server_without_its_standby() -> Option<Arc<Postgres>> {
    own_server(&[("synchronous_standby_names", "nobody")]).map(Arc::new)
}

/// A store whose commits do not wait.
async fn hasty(server: &Postgres) -> PostgresStore {
    open(&format!("{}?options=-c%20synchronous_commit%3Dlocal", server.url("postgres"))).await
}

/// Returns when a commit waits, kills the server then, and lets it come back without that setting.
async fn kill_during_commit(server: &Arc<Postgres>) {
    let server = Arc::clone(server);
    // On a thread of its own: the commit goes on meanwhile.
    let killer = tokio::task::spawn_blocking(move || {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        while server.execute("postgres", waiting).expect("it answers") == "0" {}
        server.execute("postgres", "ALTER SYSTEM SET synchronous_standby_names = ''").expect("it is set");
        server.kill();
    });
    killer.await.expect("it was killed");
}

#[tokio::test]
async fn a_server_that_dies_before_the_commit_has_committed_nothing() {
    let Some(server) = own_server(&[]) else { return };
    let store = open(&server.url("postgres")).await;
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
    let store = open(&server.url("postgres")).await;
    apply_all(&store, &[registered("A")]).await;
    server.stop().expect("it stops");
    server.start_again().expect("it starts");
    assert_eq!(outcomes(apply_all(&store, &[paid("A", "P1")]).await), [Outcome::Applied]);
    assert!(store.order(&key("A")).await.expect("it reads").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_knows_of_a_commit_during_which_the_server_died() {
    let Some(server) = server_without_its_standby() else { return };
    // Makes the schema and the epoch, for which a commit need not wait.
    hasty(&server).await.ping().await.expect("it answers");
    let store = open(&server.url("postgres")).await;
    let mut tx = store.begin().await.expect("it begins");
    let event = EventType::parse("TRANSACTION.SUCCESS").expect("visible ASCII");
    let id = NotificationId::parse("N1").expect("visible ASCII");
    let receipts = vec![Receipt::new(merchant(), id, event, NOW)];
    tx.save(&Changes { receipts, ..Changes::default() }).await.expect("it saves");
    let (committed, ()) = tokio::join!(tx.commit(), kill_during_commit(&server));
    assert!(matches!(committed, Err(StoreError::CommitUnknown(_))), "{committed:?}");
    assert!(store.epoch().is_none());
}

/// Starts the server before each further attempt.
struct Restart<'a> {
    server: &'a Postgres,
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
    let Some(server) = server_without_its_standby() else { return };
    apply_all(&hasty(&server).await, &[registered("A")]).await;
    let store = open(&server.url("postgres")).await;
    let batch: Vec<Submission> =
        [paid("A", "P1"), paid("A", "P1"), paid("A", "P2")].map(Submission::from).into();
    let pace = Restart { server: &server, attempts: Mutex::default() };
    let policy = Policy::default();
    let (results, ()) = tokio::join!(apply(&store, &batch, &policy, NOW, &pace), kill_during_commit(&server));
    // It had been written before it waited: the second attempt finds it, and knows it for its own.
    assert_eq!(outcomes(results), [Outcome::Applied, Outcome::Duplicate, Outcome::Incident]);
    assert_eq!(*pace.attempts.lock().expect("no test panicked"), 1);
    let counts = store.counts().await.expect("it reads");
    assert_eq!((counts.payments, counts.messages), (2, 2));
    assert!(store.ledger_after(OrderId(0), 9).await.expect("it reads")[0].adds_up());
}
