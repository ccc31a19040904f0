//! A PostgreSQL primary with a synchronous standby: the primary dies under load and the standby is promoted. What was
//! acknowledged is on the standby; while there is none, nothing is acknowledged.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use payonce_test_servers::{Options, Postgres, require};
use tokio::runtime::Handle;

use super::proof::Proof;
use super::script::Script;
use crate::crash::Moment;

const PAYMENTS: usize = 300;
const COPIES: usize = 2;

/// Callbacks that come while the primary is alone.
const ALONE: usize = 8;

const DATABASE: &str = "payonce";

/// A primary and the standby that it waits for.
struct Pair {
    primary: Postgres,
    standby: Postgres,
}

impl Pair {
    fn start() -> Option<Self> {
        let primary = require(Postgres::start(&Options::default()))?;
        let standby = require(Postgres::standby_of(&primary))?;
        primary.wait_for_standby().unwrap();
        primary.create_database(DATABASE).unwrap();
        Some(Self { primary, standby })
    }

    /// The primary first.
    fn url(&self) -> String {
        let (primary, standby) = (self.primary.port(), self.standby.port());
        format!("postgres://postgres@127.0.0.1:{primary},127.0.0.1:{standby}/{DATABASE}")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_standby_has_everything_that_was_acknowledged() {
    let Some(pair) = Pair::start() else { return };
    let pair = Arc::new(pair);
    let mut proof = Proof::begin(&pair.url(), vec![Vec::new(); 2], PAYMENTS, COPIES).await;

    pair.standby.pause();
    let answers = proof.attempt(ALONE).await;
    pair.standby.resume();
    let statuses: BTreeSet<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [Some(503)].into(), "without its standby it acknowledges nothing");

    let promoted = Arc::new(Mutex::new(None));
    let (fails, promoting, runtime) = (Arc::clone(&pair), Arc::clone(&promoted), Handle::current());
    let script = Script::default().at(Moment::Answered(proof.callbacks() / 2), move || {
        fails.primary.kill();
        *promoting.lock().unwrap() = Some(runtime.spawn_blocking(move || fails.standby.promote()));
    });
    let answers = proof.play(script).await;
    let promotion = promoted.lock().unwrap().take().unwrap();
    promotion.await.unwrap().unwrap();
    proof.end("fail-over", &answers).await;
}
