//! SIGKILL at random moments under traffic, again and again in the life of one database, before endpoints of which one asks
//! for order and both fail at times. The last life gets no help: what the dead had comes by its own time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use payonce_simulator::deliver::unacknowledged;
use payonce_simulator::{Answer, Delivery};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;

use super::receiver::Does;
use super::scene::{ANY, ORDERED, Scene, taken};
use crate::crash::Moment;
use crate::environment;
use crate::place::Place;
use crate::server::Server;

/// How often the server is killed.
const ROUNDS: usize = 40;

/// Orders that are new in each round, and payments of each.
const ORDERS: usize = 5;
const TIMES: usize = 3;
const CALLBACKS: usize = ORDERS * TIMES;

/// Of so many messages one is refused when it comes for the first time.
const REFUSED_OF: usize = 11;

/// Repeats a run, as far as the system's scheduler lets it be repeated.
const SEED_VARIABLE: &str = "PAYONCE_CRASH_SEED";

/// When a life ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// Amid callbacks.
    Callback(Moment),
    /// As this call has come to an endpoint (counted from 1) and is not answered yet.
    Heard(usize),
}

impl End {
    fn draw(callbacks: usize, rng: &mut StdRng) -> Self {
        if rng.random_ratio(1, 3) {
            return Self::Callback(Moment::draw(callbacks, rng));
        }
        // Each new message comes to both endpoints.
        Self::Heard(rng.random_range(1..=2 * CALLBACKS))
    }
}

/// Takes calls, refuses some for their first time, and kills the server at the moment.
fn receives(scene: &Scene, victim: &Arc<Server>, end: End) {
    let (victim, mut came) = (Arc::clone(victim), 0);
    let mut known: BTreeSet<(String, String)> =
        scene.receiver.calls().into_iter().map(|call| (call.endpoint, call.id)).collect();
    scene.receiver.does(move |endpoint, id| {
        came += 1;
        if matches!(end, End::Heard(heard) if heard == came) {
            victim.kill();
        }
        let is_new = known.insert((endpoint.to_owned(), id.to_owned()));
        let sum: usize = id.bytes().chain(endpoint.bytes()).map(usize::from).sum();
        Does::Answers(if is_new && sum.is_multiple_of(REFUSED_OF) { 503 } else { 204 })
    });
}

/// Starts the server, sends, and kills it at the moment.
async fn one_life(scene: &Scene, server: Server, deliveries: Vec<Delivery>, end: End) -> Vec<Answer> {
    let server = Arc::new(server);
    let before = scene.receiver.calls().len();
    receives(scene, &server, end);
    let (signer, victim, sent) = (scene.shop.signer(), Arc::clone(&server), AtomicUsize::new(0));
    let callback = move |delivery: &Delivery, attempt| {
        let callback = signer.callback(delivery, attempt);
        let number = sent.fetch_add(1, Ordering::Relaxed) + 1;
        if matches!(end, End::Callback(Moment::Sending(moment)) if moment == number) {
            victim.kill();
        }
        callback
    };
    let mut answered = 0;
    let on_answer = |answer: &Answer| {
        answered += usize::from(answer.status.is_some());
        if matches!(end, End::Callback(Moment::Answered(moment)) if moment == answered) {
            server.kill();
        }
    };
    let answers = scene.shop.courier(&server).deliver(deliveries, callback, on_answer).await;
    match end {
        End::Heard(heard) => {
            scene.receiver.heard("the last call", |calls| calls.len() - before >= heard).await;
        }
        // All callbacks may have been answered just as the moment came.
        End::Callback(_) => server.kill(),
    }
    server.wait();
    scene.receiver.does(|_, _| Does::Answers(204));
    scene.receiver.is_left().await;
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_moments_it_loses_no_message_and_repeats_none_under_another_id() {
    let seed = environment::variable(SEED_VARIABLE).map_or_else(
        || StdRng::from_os_rng().random(),
        |seed| seed.parse().expect("a seed is a whole number"),
    );
    println!("{SEED_VARIABLE}={seed} repeats this run");
    let rng = &mut StdRng::seed_from_u64(seed);
    let mut scene = Scene::set(Place::sqlite(), ROUNDS * ORDERS, TIMES, seed).await;
    let mut left: Vec<Delivery> = Vec::new();
    let (mut owing, mut repeated) = (0, 0);
    for round in 0..ROUNDS {
        left.extend(scene.callbacks(round * CALLBACKS..(round + 1) * CALLBACKS, rng));
        let end = End::draw(left.len(), rng);
        let server = Server::start(&scene.shop);
        if round == 0 {
            for (name, ordered) in [(ORDERED, true), (ANY, false)] {
                let further =
                    json!({"ordered": ordered, "total_max_ms": 1000, "schedule_seconds": vec![1; 8]});
                scene.define(&server, name, further).await;
            }
        }
        left = unacknowledged(&one_life(&scene, server, left, end).await);
        let (standing, when) = (scene.standing().await, format!("seed {seed}, round {round}, {end:?}"));
        owing += usize::from(standing.owed.values().any(|owed| !owed.is_empty()));
        repeated = scene.check(&standing, &when);
        if round + 1 < ROUNDS {
            scene.place.an_hour_passes();
        }
    }
    println!("{owing} of {ROUNDS} lives ended amid deliveries; {repeated} calls came again");
    assert!(owing > ROUNDS / 2, "seed {seed}: only {owing} lives ended amid deliveries");
    assert!(repeated > 0, "seed {seed}: no life ended between an answer and its being written down");

    let server = Server::start(&scene.shop);
    scene.send_all(&server, left).await;
    let all = ROUNDS * CALLBACKS;
    let arrived = |calls: &Vec<_>, endpoint| taken(calls, endpoint).collect::<BTreeSet<_>>().len() == all;
    let both = |calls: &Vec<_>| arrived(calls, ORDERED) && arrived(calls, ANY);
    scene.receiver.heard("the last message", both).await;
    scene.rests(&server).await;
    server.terminate();
    assert_eq!(server.wait().code(), Some(0));
    scene.check_complete(&scene.standing().await, all, &format!("seed {seed}, at the end"));
}
