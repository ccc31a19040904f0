//! Four nodes on one database: every callback comes to all of them at the same time, and they are killed one after the
//! other.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use payonce_test_servers::{Database, Redis, SqlEngine, mariadb, postgres, require};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use super::{node::Variables, proof::Proof, script::Script};
use crate::crash::Moment;
use crate::environment;

const NODES: usize = 4;
const PAYMENTS: usize = 600;

/// How often a node is to be killed. One that is just coming up is passed over.
const KILLS: usize = 8;

/// How often one was, at the least.
const KILLED_MIN: usize = 3;

/// Repeats a run, as far as the system's scheduler lets it be repeated.
const SEED_VARIABLE: &str = "PAYONCE_CRASH_SEED";

/// How often each node was killed.
#[derive(Default)]
struct Killed([AtomicUsize; NODES]);

/// Kills the other nodes at random, and the sequencer's towards the end: positions are given while callbacks come, and
/// another node has to go on with them.
fn kills(proof: &Proof, sequencer: usize, killed: &Arc<Killed>, rng: &mut StdRng) -> Script {
    let callbacks = proof.callbacks();
    let mut script = Script::default();
    for number in 0..KILLS {
        let (moment, node) = match number {
            0 => (Moment::Answered(callbacks * 7 / 8), sequencer),
            _ => (Moment::draw(callbacks, rng), sequencer + rng.random_range(1..NODES)),
        };
        println!("node {} is killed at {moment:?}", node % NODES);
        let (fleet, killed) = (Arc::clone(&proof.fleet), Arc::clone(killed));
        script = script.at(moment, move || {
            if fleet.restart(node % NODES) {
                killed.0[node % NODES].fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    script
}

async fn prove<E: SqlEngine>(name: &str, database: &Database<E>, redis: &Arc<Redis>, trouble: bool) {
    let seed = environment::variable(SEED_VARIABLE).map_or_else(
        || StdRng::from_os_rng().random(),
        |seed| seed.parse().expect("a seed is a whole number"),
    );
    println!("{SEED_VARIABLE}={seed} repeats this run");
    let rng = &mut StdRng::seed_from_u64(seed);
    let variables: Variables = vec![("PAYONCE_CACHE_REDIS_URL", redis.url())];
    let mut proof = Proof::begin(&database.url(), vec![variables; NODES], PAYMENTS, NODES).await;
    let sequencer = proof.sequencer().await;
    let killed = Arc::new(Killed::default());
    let mut script = kills(&proof, sequencer, &killed, rng);
    if trouble {
        let (third, flushed, killed) = (proof.callbacks() / 3, Arc::clone(redis), Arc::clone(redis));
        script = script
            .at(Moment::Answered(third), move || flushed.flush().unwrap())
            .at(Moment::Answered(2 * third), move || killed.kill());
    }
    let answers = proof.play(script).await;
    let killed = killed.0.each_ref().map(|times| times.load(Ordering::Relaxed));
    assert!(killed.iter().sum::<usize>() >= KILLED_MIN, "{name}: {killed:?}");
    assert_eq!(killed[sequencer % NODES], 1, "{name}: the sequencer's node: {killed:?}");
    let cached = redis.command_line("DBSIZE").ok();
    assert_eq!(cached.is_some(), !trouble);
    assert_ne!(cached.as_deref(), Some(":0"), "{name}: the cache was used");
    proof.end(&format!("{name}, seed {seed}"), &answers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgresql_with_a_shared_cache_nothing_is_lost_doubled_or_skipped() {
    let Some(server) = require(postgres::shared()) else { return };
    let Some(redis) = require(Redis::start()) else { return };
    let database = server.create_database().unwrap();
    prove("PostgreSQL", &database, &Arc::new(redis), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_mariadb_with_a_shared_cache_that_dies_nothing_is_lost_doubled_or_skipped() {
    let Some(server) = require(mariadb::shared()) else { return };
    let Some(redis) = require(Redis::start()) else { return };
    let database = server.create_database().unwrap();
    prove("MariaDB", &database, &Arc::new(redis), true).await;
}
