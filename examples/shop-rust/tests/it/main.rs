//! The shop as a process: whatever WeChat Pay sends and whenever it dies, each payment is credited exactly once.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions, but not in what they share")]

mod shop;

use std::os::unix::process::ExitStatusExt as _;

use payonce_core::fault::EFFECT_POINTS;
use payonce_simulator::deliver::unacknowledged;

use shop::{CUSTOMERS, Process, Shop};

/// SIGABRT, with which a fault point ends the process.
const SIGABRT: i32 = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_of_a_payment_are_credited_once() {
    let shop = Shop::open().await;
    let process = Process::start(&shop, None);
    let answers = shop.deliver(&process, shop.copies(5)).await;
    assert_eq!(unacknowledged(&answers), []);
    process.end();
    assert_eq!(shop.credits(), shop.expected());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_between_credits_nothing_twice() {
    let beyond = ["apply: saved, before commit", "apply: after commit", "ingest: after commit, before ack"];
    for point in EFFECT_POINTS.iter().chain(&beyond) {
        let shop = Shop::open().await;
        let process = Process::start(&shop, Some(point));
        let answers = shop.deliver_once(&process, shop.copies(3)).await;
        assert_eq!(process.wait().signal(), Some(SIGABRT), "{point}");
        let left = unacknowledged(&answers);
        assert!(!left.is_empty(), "{point}");
        assert_eq!(
            shop.credits().values().any(|credits| *credits > 0),
            point.contains("after commit"),
            "{point}"
        );

        let process = Process::start(&shop, None);
        assert_eq!(unacknowledged(&shop.deliver(&process, left).await), [], "{point}");
        process.end();
        assert_eq!(shop.credits(), shop.expected(), "{point}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_cannot_be_credited_comes_again_and_others_do_not_wait() {
    let shop = Shop::open().await;
    let missing = shop.without_account(0);
    let process = Process::start(&shop, None);
    let answers = shop.deliver_once(&process, shop.copies(2)).await;
    let left = unacknowledged(&answers);
    assert!(!left.is_empty() && left.len() < answers.len(), "{} of {}", left.len(), answers.len());
    assert_eq!(shop.credits().len(), CUSTOMERS - 1);
    shop.open_account(&missing);
    assert_eq!(unacknowledged(&shop.deliver(&process, left).await), []);
    process.end();
    assert_eq!(shop.credits(), shop.expected());
}
