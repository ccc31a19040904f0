//! A node's presence in the database: by it, a copy knows that nobody else writes, and a node that a copy runs.
//!
//! Invariant: each writes its own lease first and looks for the other's then, so that of the two one sees the other.

use std::time::Duration;

use payonce_core::{
    Store, StoreError,
    store::{Owner, Role},
};
use tokio::{sync::watch, time::sleep};

use super::lead::{HEARTBEAT, TTL};
use crate::server::App;

/// A copy from or into this database is under way.
#[derive(Debug, thiserror::Error)]
#[error(
    "`payonce copy` is at work on this database: wait until it has ended (a copy that died ends within {0:?})"
)]
pub struct CopyRuns(pub Duration);

/// A node that is known to the database.
pub(crate) struct Presence {
    owner: Owner,
    role: Role,
}

impl Presence {
    /// Tells the database that this node runs.
    pub(crate) async fn begin(store: &dyn Store, owner: Owner) -> Result<Result<Self, CopyRuns>, StoreError> {
        let presence = Self { role: Role::node(&owner), owner };
        presence.renew(store).await?;
        match copy_runs(store).await? {
            Some(copy) => {
                presence.end(store).await?;
                Ok(Err(copy))
            }
            None => Ok(Ok(presence)),
        }
    }

    pub(crate) fn owner(&self) -> &Owner {
        &self.owner
    }

    async fn renew(&self, store: &dyn Store) -> Result<(), StoreError> {
        store.lease(&self.role, &self.owner, TTL).await.map(drop)
    }

    async fn end(&self, store: &dyn Store) -> Result<(), StoreError> {
        store.lease(&self.role, &self.owner, Duration::ZERO).await.map(drop)
    }

    /// Stays present until `stopping`. A copy that began while this node could not be seen is reported.
    pub(super) async fn keep(&self, app: &App, mut stopping: watch::Receiver<bool>) {
        while !*stopping.borrow() {
            tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => break,
                () = sleep(HEARTBEAT) => {}
            }
            let seen = async {
                self.renew(&*app.store).await?;
                copy_runs(&*app.store).await
            };
            match seen.await {
                Ok(None) => {}
                Ok(Some(copy)) => {
                    tracing::error!(%copy, "this node and a copy run at the same time: stop one")
                }
                Err(error) => {
                    tracing::warn!(error = error.with_causes(), "the database does not see this node");
                }
            }
        }
        if let Err(error) = self.end(&*app.store).await {
            tracing::debug!(error = error.with_causes(), "this node's presence runs out by itself");
        }
    }
}

async fn copy_runs(store: &dyn Store) -> Result<Option<CopyRuns>, StoreError> {
    let leases = store.leases().await?;
    let copy = leases.into_iter().find(|view| view.lease.role == Role::COPY && !view.left.is_zero());
    Ok(copy.map(|view| CopyRuns(view.left)))
}
