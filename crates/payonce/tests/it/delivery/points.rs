//! The process dies at each point on the way of a message to an endpoint.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;

use payonce_core::fault::DISPATCH_POINTS;
use payonce_simulator::deliver::unacknowledged;
use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::json;

use super::receiver::Call;
use super::scene::{ANY, ORDERED, Scene, Standing, taken};
use crate::place::Place;
use crate::server::{Server, payonce};

const ORDERS: usize = 8;

/// Payments, and messages, of each order.
const TIMES: usize = 3;
const MESSAGES: usize = ORDERS * TIMES;
const SEED: u64 = 61;

/// SIGABRT, with which a fault point ends the process; the number is the same on every Unix.
const SIGABRT: i32 = 6;

/// What the receiver and the database say of the moment at which the process died.
fn check_moment(point: &str, heard: &[Call], standing: &Standing) {
    let rows: usize = standing.owed.values().map(BTreeSet::len).sum();
    let settled = 2 * standing.messages.len() - rows;
    match point {
        "dispatch: fanned out" | "dispatch: taken, not called" => {
            assert_eq!((heard.len(), settled), (0, 0), "{point}");
        }
        "dispatch: called, not settled" => {
            assert!(!heard.is_empty(), "{point}: nobody was called");
            assert_eq!(settled, 0, "{point}: what was answered is not written down");
        }
        "dispatch: settled" => {
            assert!(settled > 0 && settled <= heard.len(), "{point}: {settled} of {}", heard.len());
        }
        other => panic!("another point: {other}"),
    }
}

async fn dies_at(point: &str, place: Place) {
    let when = format!("{point}, {}", place.name());
    let mut scene = Scene::set(place, ORDERS, TIMES, SEED).await;
    let deliveries = scene.callbacks(0..MESSAGES, &mut StdRng::seed_from_u64(SEED));
    let server = Server::launch(payonce(scene.shop.folder()).arg("serve").env("PAYONCE_FAULT", point));
    scene.define(&server, ORDERED, json!({"ordered": true})).await;
    scene.define(&server, ANY, json!({})).await;
    let answers = scene.send(&server, deliveries).await;
    assert_eq!(server.wait().signal(), Some(SIGABRT), "{when}");
    scene.receiver.is_left().await;
    let (heard, standing) = (scene.receiver.calls(), scene.standing().await);
    check_moment(point, &heard, &standing);
    scene.check(&standing, &when);

    scene.place.an_hour_passes();
    let server = Server::start(&scene.shop);
    scene.send_all(&server, unacknowledged(&answers)).await;
    let missing = |endpoint: &str| MESSAGES - standing.settled(endpoint).len();
    let expected = [ORDERED, ANY].map(missing).iter().sum::<usize>();
    scene.receiver.heard(&when, |calls| calls.len() - heard.len() >= expected).await;
    server.terminate();
    assert_eq!(server.wait().code(), Some(0), "{when}");

    let ended = scene.standing().await;
    let repeated = scene.check_complete(&ended, MESSAGES, &when);
    let calls = scene.receiver.calls();
    let second_life = &calls[heard.len()..];
    for endpoint in [ORDERED, ANY] {
        let mut came: Vec<&str> = taken(second_life, endpoint).collect();
        came.sort_unstable();
        let settled = standing.settled(endpoint);
        let due: Vec<&str> =
            ended.messages.keys().map(String::as_str).filter(|id| !settled.contains(id)).collect();
        assert_eq!(
            came, due,
            "{when}: {endpoint} gets what was not written down as delivered, and each once"
        );
    }
    let answered_in_vain = heard.iter().filter(|call| !standing.settled(&call.endpoint).contains(&*call.id));
    assert_eq!(
        repeated,
        answered_in_vain.count(),
        "{when}: a second attempt is made of these, under the same id"
    );
    if point == "dispatch: called, not settled" {
        assert!(repeated > 0, "{when}: what was answered and not written down is not called again");
    }
    println!("{when}: {} calls before, {} after, {repeated} of them again", heard.len(), second_life.len());
}

async fn dies_at_every_point(place: impl Fn() -> Option<Place>) {
    for point in DISPATCH_POINTS {
        let Some(place) = place() else { return };
        dies_at(point, place).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_dying_at_any_point_of_delivery_nothing_is_lost_and_ids_keep_their_bytes() {
    dies_at_every_point(|| Some(Place::sqlite())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgresql_dying_at_any_point_of_delivery_nothing_is_lost_and_ids_keep_their_bytes() {
    dies_at_every_point(Place::postgres).await;
}
