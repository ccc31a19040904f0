//! SIGKILL at random moments, again and again in the life of one database.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use payonce_simulator::deliver::unacknowledged;
use payonce_simulator::{Answer, Delivery};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use super::{Moment, acknowledged, recover};
use crate::{books::Books, environment, server::Server, shop::Shop};

/// How often the server is killed.
const ROUNDS: usize = 100;

/// Payments that are new in each round.
const PAYMENTS: usize = 16;

/// Copies of each callback.
const COPIES: usize = 3;

/// Repeats a run, as far as the system's scheduler lets it be repeated.
const SEED_VARIABLE: &str = "PAYONCE_CRASH_SEED";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_moments_it_loses_and_doubles_nothing() {
    let seed = environment::variable(SEED_VARIABLE).map_or_else(
        || StdRng::from_os_rng().random(),
        |seed| seed.parse().expect("a seed is a whole number"),
    );
    println!("{SEED_VARIABLE}={seed} repeats this run");
    let rng = &mut StdRng::seed_from_u64(seed);
    let mut shop = Shop::open(ROUNDS * PAYMENTS, seed).await;
    let mut left: Vec<Delivery> = Vec::new();
    let mut known = BTreeSet::new();
    let (mut interrupted, mut unknown) = (0, 0);
    for round in 0..ROUNDS {
        left.extend(shop.deliveries(round * PAYMENTS..(round + 1) * PAYMENTS, COPIES, rng));
        let moment = Moment::draw(left.len(), rng);
        let answers = one_life(&shop, left, moment).await;
        known.extend(acknowledged(&answers));
        left = unacknowledged(&answers);

        let books = Books::read(&shop).await;
        books.check(&known, &format!("seed {seed}, round {round}, {moment:?}"));
        interrupted += usize::from(!left.is_empty());
        unknown += usize::from(books.effects() > known.len());
    }
    println!(
        "{interrupted} of {ROUNDS} lives ended amid callbacks, {unknown} between a commit and its answer"
    );
    assert!(interrupted > ROUNDS / 2, "seed {seed}: only {interrupted} lives ended amid callbacks");
    recover(&shop, left, &format!("seed {seed}, after the last round")).await;
}

/// Starts the server, sends, and kills it at the moment.
async fn one_life(shop: &Shop, deliveries: Vec<Delivery>, moment: Moment) -> Vec<Answer> {
    let server = Arc::new(Server::start(shop));
    let (signer, victim, sent) = (shop.signer(), Arc::clone(&server), AtomicUsize::new(0));
    let callback = move |delivery: &Delivery, attempt| {
        let callback = signer.callback(delivery, attempt);
        let number = sent.fetch_add(1, Ordering::Relaxed) + 1;
        if matches!(moment, Moment::Sending(moment) if moment == number) {
            victim.kill();
        }
        callback
    };
    let mut answered = 0;
    let on_answer = |answer: &Answer| {
        answered += usize::from(answer.status.is_some());
        if matches!(moment, Moment::Answered(moment) if moment == answered) {
            server.kill();
        }
    };
    let answers = shop.courier(&server).deliver(deliveries, callback, on_answer).await;
    // All callbacks may have been answered just as the moment came; and every life ends by SIGKILL.
    server.kill();
    server.wait();
    answers
}
