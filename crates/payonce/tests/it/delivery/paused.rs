//! A node that sleeps past its lease, as a machine does that is suspended: its own clock stood still meanwhile.

use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::json;

use super::receiver::Does;
use super::scene::{ANY, Scene};
use crate::place::Place;
use crate::server::{Server, payonce};

const MESSAGES: usize = 12;
const SEED: u64 = 62;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_slept_past_its_lease_brings_nothing_back_and_repeats_one_call_at_the_most() {
    let Some(place) = Place::postgres() else { return };
    let mut scene = Scene::set(place, MESSAGES, 1, SEED).await;
    let mut serve = payonce(scene.shop.folder());
    let sleeper = Server::launch(serve.arg("serve").env("PAYONCE_LOG_FILTER", "info,payonce_dispatch=debug"));
    let further = json!({"concurrency": 1, "total_max_ms": 120_000, "schedule_seconds": [600, 600]});
    scene.define(&sleeper, ANY, further).await;
    // The first call is under way while its node sleeps, and will have failed; the same message fails once more, elsewhere.
    let (mut first, mut attempts) = (None::<String>, 0);
    scene.receiver.does(move |_, id| {
        if first.get_or_insert(id.to_owned()) != id {
            return Does::Answers(204);
        }
        attempts += 1;
        match attempts {
            1 => Does::Holds(500),
            2 => Does::Answers(503),
            _ => Does::Answers(204),
        }
    });
    let callbacks = scene.callbacks(0..MESSAGES, &mut StdRng::seed_from_u64(SEED));
    scene.send_all(&sleeper, callbacks).await;
    scene.receiver.heard("the first call", |calls| calls.len() == 1).await;

    sleeper.signal("STOP");
    scene.place.an_hour_passes();
    let other = Server::start(&scene.shop);
    scene.receiver.heard("the other node's calls", |calls| calls.len() == 1 + MESSAGES).await;
    scene.rests_but_for(&other, ANY, 1).await;
    scene.receiver.let_go();
    sleeper.signal("CONT");
    sleeper.says("somebody else took what was called here", 1);

    scene.place.an_hour_passes();
    scene.receiver.heard("the third attempt", |calls| calls.len() == 2 + MESSAGES).await;
    scene.rests_but_for(&other, ANY, 0).await;
    for node in [&other, &sleeper] {
        node.terminate();
        assert_eq!(node.wait().code(), Some(0));
    }
    let calls = scene.receiver.calls();
    let same = calls.iter().filter(|call| call.id == calls[0].id).map(|call| call.status);
    assert_eq!(
        same.collect::<Vec<_>>(),
        [500, 503, 204],
        "the call amid which it slept is made again, and no other"
    );
    assert_eq!(
        scene.attempts(ANY, &calls[0].id).await,
        [204, 503],
        "and what it had to say of it counts for nothing"
    );
    scene.check_complete(&scene.standing().await, MESSAGES, "after the sleep");
}
