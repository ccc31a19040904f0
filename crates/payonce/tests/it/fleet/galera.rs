//! Two nodes on a Galera cluster of three, each with a member of its own first: a member dies under load and comes back.

use std::sync::{Arc, Mutex};

use payonce_test_servers::{Galera, require};
use tokio::runtime::Handle;

use super::proof::{PATIENCE, Proof};
use super::script::Script;
use super::within;
use crate::books::{self, Books};
use crate::crash::Moment;

const MEMBERS: usize = 3;
const PAYMENTS: usize = 300;
const COPIES: usize = 2;
const DATABASE: &str = "payonce";

/// All members, beginning with this one.
fn url(galera: &Galera, first: usize) -> String {
    let hosts: Vec<String> = (first..first + MEMBERS)
        .map(|member| format!("127.0.0.1:{}", galera.member(member % MEMBERS).port()))
        .collect();
    format!("mysql://root@{}/{DATABASE}", hosts.join(","))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_dies_and_comes_back_and_no_member_has_lost_or_doubled_anything() {
    let Some(galera) = require(Galera::start(MEMBERS)) else { return };
    let galera = Arc::new(galera);
    galera.create_database(DATABASE).unwrap();

    let nodes = [0, 1].map(|first| vec![("PAYONCE_STORE_URL", url(&galera, first))]);
    let mut proof = Proof::begin(&url(&galera, 1), nodes.into(), PAYMENTS, COPIES).await;
    let (back, third) = (Arc::new(Mutex::new(None)), proof.callbacks() / 3);
    let (dies, returns, returning) = (Arc::clone(&galera), Arc::clone(&galera), Arc::clone(&back));
    let runtime = Handle::current();
    let script = Script::default().at(Moment::Answered(third), move || dies.member(0).kill()).at(
        Moment::Answered(2 * third),
        move || {
            let start = runtime.spawn_blocking(move || returns.start_again(0));
            *returning.lock().unwrap() = Some(start);
        },
    );
    let answers = proof.play(script).await;
    let start = back.lock().unwrap().take().unwrap();
    start.await.unwrap().unwrap();
    let (shop, store) = proof.end("Galera", &answers).await;

    let counts = store.counts().await.unwrap();
    for member in 0..MEMBERS {
        let store = books::open(&galera.member(member).url(DATABASE)).await;
        // A member applies what the others committed a little later.
        within(PATIENCE, "a member catches up", async || {
            (store.counts().await.unwrap() == counts).then_some(())
        })
        .await;
        let books = Books::of(&*store, &shop).await;
        println!("member {member}: lost and doubled {:?}", books.lost_and_doubled());
        books.check_complete(&format!("member {member}"));
    }
}
