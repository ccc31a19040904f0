//! Doing a role while its lease is held.

use std::time::Duration;

use payonce_core::store::{Lease, Leases, Owner, Role};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout_at},
};

/// How long a lease lasts without being prolonged: how long a role rests after its node died.
pub(super) const TTL: Duration = Duration::from_secs(15);

/// How often it is prolonged, and asked for by those who do not hold it. Two attempts may fail before it is over.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(5);

/// Does `work` whenever this owner holds the role's lease, until `stopping`. Work that returns gave the lease up by
/// itself (it was told that it lost it); work that is cut short is dropped at its next wait.
pub(super) async fn lead(
    leases: &dyn Leases,
    role: &Role,
    owner: &Owner,
    mut stopping: watch::Receiver<bool>,
    work: impl AsyncFn(&Lease),
) {
    while !*stopping.borrow() {
        if let Some(lease) = take(leases, role, owner).await {
            tracing::debug!(role = role.as_str(), "this node has the role");
            tokio::select! {
                () = work(&lease) => {}
                () = until_lost(leases, &lease) => {}
                _ = stopping.wait_for(|stop| *stop) => {}
            }
            if let Err(error) = leases.release(&lease).await {
                tracing::debug!(
                    role = role.as_str(),
                    error = error.with_causes(),
                    "a lease runs out by itself"
                );
            }
        }
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => {}
            () = sleep(HEARTBEAT) => {}
        }
    }
}

async fn take(leases: &dyn Leases, role: &Role, owner: &Owner) -> Option<Lease> {
    leases.lease(role, owner, TTL).await.unwrap_or_else(|error| {
        tracing::warn!(role = role.as_str(), error = error.with_causes(), "a lease could not be asked for");
        None
    })
}

/// Prolongs the lease as long as that goes well; returns once it is no longer certain to be held.
async fn until_lost(leases: &dyn Leases, lease: &Lease) {
    let mut held_until = Instant::now() + TTL;
    loop {
        sleep(HEARTBEAT).await;
        // Counted from before the question: the database may have answered late.
        let asked = Instant::now();
        match timeout_at(held_until, leases.lease(&lease.role, &lease.owner, TTL)).await {
            Ok(Ok(Some(prolonged))) if prolonged.token == lease.token => held_until = asked + TTL,
            Ok(Err(error)) if Instant::now() < held_until => {
                tracing::warn!(
                    role = lease.role.as_str(),
                    error = error.with_causes(),
                    "a lease was not prolonged"
                );
            }
            _ => return tracing::warn!(role = lease.role.as_str(), "this node has lost the role"),
        }
    }
}
