//! A database that refuses for a while: callbacks are answered 503, nothing is lost, and it goes on afterwards.

use std::collections::BTreeSet;

use payonce_simulator::deliver::unacknowledged;
use payonce_simulator::{Answer, Delivery};
use rand::{SeedableRng as _, rngs::StdRng};
use rusqlite::Connection;

use crate::books::Books;
use crate::server::{Server, command};
use crate::shop::Shop;
use crate::wire::Wire;

const SEED: u64 = 4;

async fn send(shop: &Shop, server: &Server, deliveries: Vec<Delivery>) -> Vec<Answer> {
    let signer = shop.signer();
    let callback = move |delivery: &_, attempt| signer.callback(delivery, attempt);
    shop.courier(server).deliver(deliveries, callback, |_| ()).await
}

fn statuses(answers: &[Answer]) -> BTreeSet<Option<u16>> {
    answers.iter().map(|answer| answer.status).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_another_process_holds_the_lock_callbacks_are_asked_to_come_again() {
    let mut shop = Shop::open(4, SEED).await;
    let server = Server::start(&shop);
    let deliveries = shop.deliveries(0..4, 2, &mut StdRng::seed_from_u64(SEED));

    let other = Connection::open(shop.database()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answers = send(&shop, &server, deliveries).await;
    assert_eq!(statuses(&answers), [Some(503)].into());

    other.execute_batch("ROLLBACK").unwrap();
    let answers = send(&shop, &server, unacknowledged(&answers)).await;
    assert_eq!(statuses(&answers), [Some(204)].into());
    server.kill();
    server.wait();
    Books::read(&shop).await.check_complete("once the lock was gone");
}

/// A limit on the size of files stands for the full disk: SQLite's writes fail in the same way, and no test needs the
/// privilege to make a small file system.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_callbacks_are_asked_to_come_again() {
    const PAYMENTS: usize = 200;
    // In units of 512 bytes (POSIX): 256 KiB, which a few dozen commits fill.
    const LIMITED: &str = r#"trap "" XFSZ; ulimit -f 512; exec "$0" serve"#;
    let mut shop = Shop::open(PAYMENTS, SEED).await;
    let deliveries = shop.deliveries(0..PAYMENTS, 1, &mut StdRng::seed_from_u64(SEED));
    let server =
        Server::launch(command("sh", shop.folder()).args(["-c", LIMITED, env!("CARGO_BIN_EXE_payonce")]));

    let answers = send(&shop, &server, deliveries).await;
    assert_eq!(statuses(&answers), [Some(204), Some(503)].into(), "it fills up on the way");
    let left = unacknowledged(&answers);
    let again = send(&shop, &server, left.clone()).await;
    assert!(
        statuses(&again).contains(&Some(503)) && !statuses(&again).contains(&None),
        "{:?}",
        statuses(&again)
    );
    let (status, _) = Wire::connect(server.addr()).await.get("/healthz").await;
    assert_eq!(status, 200, "the process lives");

    server.terminate();
    assert_eq!(server.wait().code(), Some(0), "and stops as always");
    let left = unacknowledged(&again);
    let waiting: BTreeSet<_> = left.iter().map(|delivery| delivery.notification).collect();
    let known = (0..PAYMENTS).filter(|notification| !waiting.contains(notification)).collect();
    Books::read(&shop).await.check(&known, "with a full disk");

    let server = Server::start(&shop);
    let answers = send(&shop, &server, left).await;
    assert_eq!(statuses(&answers), [Some(204)].into(), "there is space again");
    server.kill();
    server.wait();
    Books::read(&shop).await.check_complete("once there was space");
}
