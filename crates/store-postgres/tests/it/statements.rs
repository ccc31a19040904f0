//! What a transaction asks of the server: a constant number of statements, each by an index.

use payonce_core::{Fact, Outcome, Store};
use payonce_store_conformance::DeliveryCalls;

use crate::fixture::{apply_all, open, outcomes, own_server, paid, passed, registered};

/// One of everything, so many times: new orders, waiting payments, payments, second ones, notifications.
fn batches(size: usize, name: &str) -> Vec<Vec<Fact>> {
    let each = |fact: &dyn Fn(usize) -> Vec<Fact>| (0..size).flat_map(fact).collect::<Vec<_>>();
    let order = |i: usize| format!("{name}{i}");
    vec![
        each(&|i| vec![registered(&order(i)), paid(&format!("{name}-w{i}"), &format!("{name}-w{i}"))]),
        each(&|i| vec![paid(&order(i), &format!("{name}-p{i}")), registered(&format!("{name}-w{i}"))]),
        each(&|i| vec![paid(&order(i), &format!("{name}-q{i}")), passed(&format!("{name}{i}"))]),
    ]
}

#[tokio::test]
async fn their_number_does_not_grow_with_the_batch() {
    let preload = [("shared_preload_libraries", "pg_stat_statements")];
    let Some(server) = own_server(&preload) else { return };
    let home = "postgres";
    server.execute(home, "CREATE EXTENSION pg_stat_statements").unwrap();
    let store = open(&server.url(home)).await;
    let mut counted = Vec::new();
    for size in [1, 50] {
        apply_all(&store, &[]).await;
        for batch in batches(size, &format!("s{size}")) {
            server.execute(home, "SELECT pg_stat_statements_reset()").unwrap();
            let outcomes = outcomes(apply_all(&store, &batch).await);
            assert!(!outcomes.contains(&Outcome::Duplicate), "{outcomes:?}");
            // What goes along with BEGIN takes no round trip of its own.
            let calls = "SELECT sum(calls) FROM pg_stat_statements \
                         WHERE query NOT LIKE '%pg_stat_statements%' AND query NOT LIKE '%synchronous_commit%'";
            counted.push(server.execute(home, calls).unwrap().parse::<u32>().unwrap());
        }
    }
    let (one, fifty) = counted.split_at(3);
    assert_eq!(one, fifty);
    // Begin, lock, claim, write orders, payments, messages, incidents; commit. The most that one batch can need is 18.
    assert!(counted.iter().all(|&calls| (8..=18).contains(&calls)), "{counted:?}");
}

#[tokio::test]
async fn their_number_does_not_grow_with_the_deliveries() {
    let preload = [("shared_preload_libraries", "pg_stat_statements")];
    let Some(server) = own_server(&preload) else { return };
    let home = "postgres";
    server.execute(home, "CREATE EXTENSION pg_stat_statements").unwrap();
    let store = open(&server.url(home)).await;
    let calls = "SELECT sum(calls) FROM pg_stat_statements \
                 WHERE query NOT LIKE '%pg_stat_statements%' AND query NOT LIKE '%full_page_writes%'";
    let mut counted = Vec::new();
    for size in [1, 50] {
        let mut delivery = DeliveryCalls::prepare(&store, &format!("s{size}"), size).await;
        let mut asked = Vec::new();
        loop {
            server.execute(home, "SELECT pg_stat_statements_reset()").unwrap();
            let Some(call) = delivery.next().await else { break };
            asked.push((call, server.execute(home, calls).unwrap().parse::<u32>().unwrap()));
        }
        counted.push(asked);
    }
    assert_eq!(counted[0], counted[1]);
    // To begin counts as two, in one round trip. Fan out: cursors, moved, rows, commit. Settle: health, rows, attempts, what
    // was delivered or moved, what stands behind, commit.
    let expected =
        [("fan out", 6), ("take", 1), ("settle as failed", 8), ("take", 1), ("settle as delivered", 8)];
    assert_eq!(counted[0], expected);
}

#[tokio::test]
async fn rows_are_found_by_their_keys_in_tables_that_grew_from_nothing() {
    // Nothing has told the server how big the tables are: it never analyses them.
    let Some(server) = own_server(&[("autovacuum", "off")]) else { return };
    let store = open(&server.url("postgres")).await;
    for part in 0..20 {
        for batch in batches(100, &format!("p{part}")) {
            outcomes(apply_all(&store, &batch).await);
        }
    }
    store.ping().await.expect("it answers");
    drop(store);
    // The statistics of a connection reach the server's at its end, at the latest.
    let connections = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'payonce'";
    while server.execute("postgres", connections).unwrap() != "0" {}
    let scans = "SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables \
                 WHERE relname IN ('orders', 'payment', 'message', 'incident', 'notification_passed')";
    assert_eq!(server.execute("postgres", scans).unwrap(), "0");
    let looked_up = "SELECT idx_tup_fetch > 0 FROM pg_stat_user_tables WHERE relname = 'orders'";
    assert_eq!(server.execute("postgres", looked_up).unwrap(), "t");
}
