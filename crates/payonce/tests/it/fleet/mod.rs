//! The money proofs on database servers: several nodes of the real binary on one database, while nodes, caches, members
//! and whole servers die under load; and what a node says when its database refuses.

pub(crate) mod caller;
mod failover;
mod follower;
mod galera;
mod merchant;
mod node;
mod nodes;
mod proof;
mod script;
mod trouble;

use std::time::Duration;

/// Between two looks at a state that sends no signal.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks until there is something; fails once `limit` is over.
pub(crate) async fn within<T>(limit: Duration, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let mut every = tokio::time::interval(LOOK_EVERY);
    let seen = async {
        loop {
            every.tick().await;
            if let Some(seen) = look().await {
                return seen;
            }
        }
    };
    tokio::time::timeout(limit, seen).await.unwrap_or_else(|_| panic!("not within {limit:?}: {what}"))
}
