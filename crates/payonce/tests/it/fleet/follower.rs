//! A merchant's program that reads on and on, each page from another node; and a look at the leases meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use payonce_core::Store;
use payonce_core::store::MessageView;
use serde_json::Value;
use tokio::time::{MissedTickBehavior, interval};

use super::{caller, node::Fleet};

/// Between two looks at the end of the list.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What a follower has read.
#[derive(Debug, Default)]
pub(super) struct Followed {
    list: Vec<(i64, String)>,
    /// Messages at or before a position after which it asked.
    repeated: usize,
}

impl Followed {
    /// How far it has come.
    pub(super) fn position(&self) -> i64 {
        self.list.last().map_or(0, |last| last.0)
    }

    /// Reads the next page.
    pub(super) async fn read_on(&mut self, fleet: &Fleet, node: usize) {
        let path = format!("/v1/messages?after={}&limit=200", self.position());
        let Some((200, page)) = caller::get(fleet.addr(node), &path).await else { return };
        let page: Value = serde_json::from_slice(&page).unwrap();
        for message in page["messages"].as_array().unwrap() {
            let position = message["position"].as_i64().unwrap();
            self.repeated += usize::from(position <= self.position());
            self.list.push((position, message["id"].as_str().unwrap().to_owned()));
        }
    }

    /// How many it skipped, and how many it was given twice.
    pub(super) fn skipped_and_repeated(&self, all: &[MessageView]) -> (usize, usize) {
        let read: BTreeMap<_, _> = self.list.iter().map(|(position, id)| (id.as_str(), *position)).collect();
        let skipped = all.iter().filter(|one| read.get(one.id.0.as_str()) != Some(&one.position.0)).count();
        (skipped, self.repeated + self.list.len() - read.len())
    }
}

/// Follows until the task is aborted; `followed` holds what was read.
pub(super) async fn follow(fleet: Arc<Fleet>, followed: Arc<tokio::sync::Mutex<Followed>>) {
    let mut every = interval(LOOK_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for node in 0.. {
        every.tick().await;
        followed.lock().await.read_on(&fleet, node).await;
    }
}

/// Looks at the leases until the task is aborted, and fails if one is seen with two holders.
pub(super) async fn watch_leases(store: Arc<dyn Store>) {
    let mut holders = BTreeMap::new();
    let mut every = interval(LOOK_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        // The database may be away at times.
        for view in store.leases().await.unwrap_or_default() {
            let lease = view.lease;
            let holder = holders.entry((lease.role.clone(), lease.token)).or_insert(lease.owner.clone());
            assert_eq!(
                *holder,
                lease.owner,
                "{} has two holders under token {}",
                lease.role.as_str(),
                lease.token
            );
        }
    }
}
