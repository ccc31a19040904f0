//! A cache that the nodes of a fleet share: it saves the database work, and is never believed without the database's
//! own seal.

use std::time::Duration;

use payonce_core::store::Epoch;
use payonce_server::{
    Patience,
    config::{Config, SecretUrl},
};
use payonce_test_servers::{Redis, require};
use redis::Commands as _;

use crate::{
    stage::{Stage, payment},
    wire::within,
};

/// Two nodes of one fleet. Their databases are files of their own, so that what the second one answers without having
/// it can come from the cache alone.
struct Fleet {
    redis: Redis,
    first: Stage,
    second: Stage,
}

async fn node(redis: &Redis, epoch: u8) -> Stage {
    let url = SecretUrl::new(redis.url());
    // However busy the machine is: what is tried here is no deadline.
    let change = |config: &mut Config, patience: &mut Patience| {
        config.cache.redis_url = Some(url);
        patience.shared_cache = Duration::from_secs(2);
    };
    let stage = Stage::with(change).await;
    stage.store.pretend_epoch(Epoch::new([epoch; Epoch::KEY_BYTES]));
    stage
}

impl Fleet {
    /// `None` where there is no Redis.
    async fn gather() -> Option<Self> {
        let redis = require(Redis::start())?;
        let (first, second) = (node(&redis, 7).await, node(&redis, 7).await);
        Some(Self { redis, first, second })
    }

    fn client(&self) -> redis::Connection {
        client(&self.redis)
    }

    async fn entries(&self, count: usize) -> Vec<Vec<u8>> {
        entries(&self.redis, count).await
    }
}

fn client(redis: &Redis) -> redis::Connection {
    redis::Client::open(redis.url()).unwrap().get_connection().unwrap()
}

/// What stands in Redis, once there are `count` entries.
async fn entries(redis: &Redis, count: usize) -> Vec<Vec<u8>> {
    let mut client = client(redis);
    within("entries in Redis", async {
        loop {
            let names: Vec<Vec<u8>> = client.keys("*").unwrap();
            if names.len() >= count {
                return names;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

/// A copy that comes to another node is answered without that node's database.
#[tokio::test]
async fn a_copy_at_another_node_needs_no_database() {
    let Some(fleet) = Fleet::gather().await else { return };
    fleet.first.register(1).await;
    fleet.first.ask(&fleet.first.callback(payment(1))).await.assert_acknowledged();
    fleet.entries(1).await;

    let begun = fleet.second.store.begun();
    fleet.second.ask(&fleet.second.callback(payment(1))).await.assert_acknowledged();
    assert_eq!(fleet.second.store.begun(), begun);
    let duplicates = "payonce_callbacks_accepted_total{outcome=\"duplicate\"}";
    assert_eq!(fleet.second.metric(duplicates).await.as_deref(), Some("1"));

    let hits =
        async |cache| fleet.second.metric(&format!("payonce_cache_hits_total{{cache=\"{cache}\"}}")).await;
    assert_eq!(hits("shared").await.as_deref(), Some("1"));

    // From now on that node remembers it by itself.
    fleet.redis.flush().unwrap();
    fleet.second.ask(&fleet.second.callback(payment(1))).await.assert_acknowledged();
    assert_eq!(fleet.second.store.begun(), begun);
    assert_eq!((hits("process").await.as_deref(), hits("shared").await.as_deref()), (Some("1"), Some("1")));
    // What is not in the cache is in the database, or goes there.
    fleet.second.ask(&fleet.second.callback(payment(2))).await.assert_acknowledged();
    assert_eq!(fleet.second.store.begun(), begun + 1);
}

/// An entry that somebody else wrote is no word of the database's.
#[tokio::test]
async fn a_forged_entry_is_ignored() {
    let Some(fleet) = Fleet::gather().await else { return };
    for number in [1, 2] {
        fleet.first.ask(&fleet.first.callback(payment(number))).await.assert_acknowledged();
    }
    let names = fleet.entries(2).await;
    let mut client = fleet.client();
    // The seal of the one in the place of the other, and anything else.
    let values: Vec<Vec<u8>> = names.iter().map(|name| client.get(name).unwrap()).collect();
    for forged in [&values[1], b"committed".as_slice(), b"", &values[0][..15]] {
        let _: () = client.set(&names[0], forged).unwrap();
        let _: () = client.set(&names[1], forged).unwrap();
        let stage = node(&fleet.redis, 7).await;
        for number in [1, 2] {
            stage.ask(&stage.callback(payment(number))).await.assert_acknowledged();
        }
        let kept = stage.counts().await.payments;
        let sealed = usize::from(*forged == values[1]);
        assert_eq!(kept, 2 - sealed as u64, "its own seal, under its own name, is the only one that counts");
        let foreign = stage.metric("payonce_shared_cache_foreign_total").await;
        assert_eq!(foreign, Some((2 - sealed).to_string()));
        // It mends what it found, after it has answered.
        within("true seals in Redis", async {
            while names
                .iter()
                .zip(&values)
                .any(|(name, value)| client.get::<_, Vec<u8>>(name).unwrap() != *value)
            {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

/// What another database committed, or this one before it was restored from a backup, does not count.
#[tokio::test]
async fn an_entry_of_another_epoch_is_ignored() {
    let Some(fleet) = Fleet::gather().await else { return };
    fleet.first.ask(&fleet.first.callback(payment(1))).await.assert_acknowledged();
    fleet.entries(1).await;
    let other = node(&fleet.redis, 8).await;
    other.ask(&other.callback(payment(1))).await.assert_acknowledged();
    assert_eq!(other.counts().await.payments, 1);

    // The epoch changes while the node runs: what it remembers itself does not count either.
    fleet.entries(2).await;
    fleet.first.store.pretend_epoch(Epoch::new([9; Epoch::KEY_BYTES]));
    let begun = fleet.first.store.begun();
    fleet.first.ask(&fleet.first.callback(payment(1))).await.assert_acknowledged();
    assert_eq!(fleet.first.store.begun(), begun + 1);
}

/// A file that was put back from a backup behind a warm cache: what it lacks is applied again.
#[tokio::test]
async fn a_database_restored_from_a_backup_is_believed_and_not_the_cache() {
    let Some(redis) = require(Redis::start()) else { return };
    let shared = |config: &mut Config, _: &mut Patience| {
        config.cache.redis_url = Some(SecretUrl::new(redis.url()));
    };
    let stage = Stage::with(shared).await;
    stage.register(1).await;
    let stage = stage.with_copied("payonce.db", "backup.db", shared).await;
    stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    assert_eq!(stage.order_state(1).await, "paid");
    entries(&redis, 1).await;

    let stage = stage.with_copied("backup.db", "payonce.db", shared).await;
    assert_eq!(entries(&redis, 1).await.len(), 1, "the cache is warm");
    assert_eq!(stage.order_state(1).await, "pending");
    stage.ask(&stage.callback(payment(1))).await.assert_acknowledged();
    assert_eq!(stage.order_state(1).await, "paid");
}

/// Redis gone, stuck or empty costs speed only.
#[tokio::test]
async fn without_redis_all_is_the_same() {
    let Some(fleet) = Fleet::gather().await else { return };
    fleet.redis.pause();
    fleet.first.ask(&fleet.first.callback(payment(1))).await.assert_acknowledged();
    fleet.second.ask(&fleet.second.callback(payment(1))).await.assert_acknowledged();
    fleet.redis.resume();
    fleet.redis.kill();
    for number in [1, 2, 2] {
        fleet.second.ask(&fleet.second.callback(payment(number))).await.assert_acknowledged();
    }
    assert_eq!(fleet.second.counts().await.payments, 2);
    assert_eq!(fleet.second.store.begun(), 2, "one transaction a payment");
    let failures = fleet.second.metric("payonce_shared_cache_failures_total").await.unwrap();
    assert!(failures.parse::<u64>().unwrap() >= 1, "{failures}");
}
