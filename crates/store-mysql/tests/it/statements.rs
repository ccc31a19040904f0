//! What a transaction asks of the server: a constant number of statements, each by an index.

use payonce_core::{Fact, Outcome};
use payonce_store_conformance::DeliveryCalls;
use payonce_test_servers::MariaDb;

use crate::fixture::{SHOP, apply_all, open, outcomes, own_server, paid, passed, registered};

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

/// A figure that the server counts since its start.
fn counted(server: &MariaDb, name: &str) -> u64 {
    let value = "SELECT variable_value FROM information_schema.global_status WHERE variable_name";
    server
        .execute(SHOP, &format!("{value} = '{name}';"))
        .expect("the server counts")
        .parse()
        .expect("a count")
}

#[tokio::test]
async fn their_number_does_not_grow_with_the_batch() {
    let Some(server) = own_server(&[]) else { return };
    let store = open(&server.url(SHOP)).await;
    let mut asked = Vec::new();
    for size in [1, 50] {
        // Connected beforehand, and asked for with nothing done, for what asking takes itself.
        apply_all(&store, &[]).await;
        let (first, second) = (counted(&server, "questions"), counted(&server, "questions"));
        for batch in batches(size, &format!("s{size}")) {
            let before = counted(&server, "questions");
            let outcomes = outcomes(apply_all(&store, &batch).await);
            assert!(!outcomes.contains(&Outcome::Duplicate), "{outcomes:?}");
            asked.push(counted(&server, "questions") - before - (second - first));
        }
    }
    let (one, fifty) = asked.split_at(3);
    assert_eq!(one, fifty);
    // Begin, lock, paid by, claim twice, waiting, claim again; orders, their rows, registered, moved, touched;
    // payments, moved, incidents resolved; notifications, batch, messages, incidents, receipts; commit.
    assert!(asked.iter().all(|asked| (8..=21).contains(asked)), "{asked:?}");
}

#[tokio::test]
async fn their_number_does_not_grow_with_the_deliveries() {
    let Some(server) = own_server(&[]) else { return };
    let store = open(&server.url(SHOP)).await;
    let mut counts = Vec::new();
    for size in [1, 50] {
        let mut delivery = DeliveryCalls::prepare(&store, &format!("s{size}"), size).await;
        let (first, second) = (counted(&server, "questions"), counted(&server, "questions"));
        let mut asked = Vec::new();
        loop {
            let before = counted(&server, "questions");
            let Some(call) = delivery.next().await else { break };
            asked.push((call, counted(&server, "questions") - before - (second - first)));
        }
        counts.push(asked);
    }
    assert_eq!(counts[0], counts[1]);
    // Begin and commit each. Fan out: cursors, moved, rows. Take: whether it asks for order, rows, those in front, marked,
    // batches, messages. Settle: health, who asks for order, rows, attempts, what was delivered or moved, what stands
    // behind.
    let expected =
        [("fan out", 5), ("take", 8), ("settle as failed", 8), ("take", 8), ("settle as delivered", 8)];
    assert_eq!(counts[0], expected);
}

#[tokio::test]
async fn what_is_due_is_found_among_many_that_wait() {
    let Some(server) = own_server(&[("innodb-stats-auto-recalc", "OFF")]) else { return };
    let store = open(&server.url(SHOP)).await;
    let rows_read = || counted(&server, "handler_read_rnd_next") + counted(&server, "handler_read_next");
    let mut read = Vec::new();
    for waiting in [1, 5_000] {
        let mut delivery = DeliveryCalls::prepare(&store, &format!("w{waiting}"), 50).await;
        // In front of all that comes, and due long after.
        let wait = format!(
            "INSERT INTO payonce_delivery (endpoint_id, position, attempts, due_at, state) \
             SELECT e.id, -s.seq, 1, 9000000000000, 0 FROM payonce_endpoint e, seq_1_to_{waiting} s \
             WHERE e.name = 'w{waiting}-endpoint';"
        );
        server.execute(SHOP, &wait).unwrap();
        let before = rows_read();
        while delivery.next().await.is_some() {}
        read.push(rows_read() - before);
    }
    assert!(read[1] <= read[0] + 100, "{read:?}");
}

#[tokio::test]
async fn rows_are_found_by_their_keys_in_tables_that_grew_from_nothing() {
    // Nothing has told the server how big the tables are.
    let Some(server) = own_server(&[("innodb-stats-auto-recalc", "OFF")]) else { return };
    let store = open(&server.url(SHOP)).await;
    let mut scanned = Vec::new();
    for part in 0..20 {
        let before = counted(&server, "handler_read_rnd_next");
        for batch in batches(100, &format!("p{part}")) {
            outcomes(apply_all(&store, &batch).await);
        }
        scanned.push(counted(&server, "handler_read_rnd_next") - before);
    }
    // The lists that statements are given are gone through once each, tables never: the last part takes no more than
    // the first, when they were empty.
    assert!(scanned[19] <= scanned[0] + scanned[0] / 10, "{scanned:?}");
}
