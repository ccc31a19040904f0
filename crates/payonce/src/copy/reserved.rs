//! Both databases, reserved for the copy: nodes do not start on them, and other copies do not begin.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use payonce_core::store::{Lease, Owner, Role, archive::Archive};
use tokio::time::Instant;

use super::Ends;
use crate::database;

/// How long the databases are reserved without being reserved anew. More than one statement takes
/// ([`database::COPY_WORK_MAX`]).
const TTL: Duration = Lease::TTL;

const _: () = assert!(database::COPY_WORK_MAX.as_millis() < TTL.as_millis());

/// How often that is done.
const HEARTBEAT: Duration = Duration::from_secs(3);

/// Transactions whose messages get positions in one go.
const TRANSACTIONS_MAX: usize = 512;

pub(super) struct Reserved {
    owner: Owner,
    leases: [Lease; 2],
    renewed: Instant,
}

impl Ends {
    /// Each with the argument that names it.
    fn both(&self) -> [(&'static str, &dyn Archive); 2] {
        [("--from", &*self.from), ("--to", &*self.to)]
    }
}

impl Reserved {
    /// Keeps other copies away. Nodes are looked for by [`check`](Self::check).
    pub(super) async fn take(ends: &Ends) -> anyhow::Result<Self> {
        let owner = database::owner();
        let renewed = Instant::now();
        let from = take(&*ends.from, &owner).await.context("--from")?;
        match take(&*ends.to, &owner).await.context("--to") {
            Ok(to) => Ok(Self { owner, leases: [from, to], renewed }),
            Err(error) => {
                // What is not given back is over in a moment.
                let _ = ends.from.release(&from).await;
                Err(error)
            }
        }
    }

    /// Reserves the databases anew, if it is time.
    pub(super) async fn renew(&mut self, ends: &Ends) -> anyhow::Result<()> {
        if self.renewed.elapsed() < HEARTBEAT { Ok(()) } else { self.check(ends).await }
    }

    /// Reserves the databases anew, and looks for nodes: one may have started while this process was held up.
    pub(super) async fn check(&mut self, ends: &Ends) -> anyhow::Result<()> {
        let now = Instant::now();
        for ((name, database), lease) in ends.both().into_iter().zip(&mut self.leases) {
            let renewed = database.lease(&Role::COPY, &self.owner, TTL).await.context(name)?;
            let lapsed = renewed.as_ref() != Some(&*lease);
            // What was taken anew is to be given back.
            *lease = renewed.unwrap_or_else(|| lease.clone());
            // Order matters: of a node that is there, a text that names it.
            no_nodes(database).await.context(name)?;
            ensure!(
                !lapsed,
                "{name}: this process was held up for too long, and the databases were free meanwhile: run it again, \
                 with no node and no other copy at work"
            );
        }
        self.renewed = now;
        Ok(())
    }

    /// Gives positions to the last messages of the source, which no node serves any longer.
    pub(super) async fn sequence(&mut self, ends: &Ends) -> anyhow::Result<()> {
        let from = &*ends.from;
        while from.needs_sequencer() {
            self.renew(ends).await?;
            let lease = from.lease(&Role::SEQUENCER, &self.owner, TTL).await.context("--from")?;
            let lease = lease.with_context(|| {
                format!("--from: another process gives positions to messages: wait {} s", TTL.as_secs())
            })?;
            if from.sequence(&lease, TRANSACTIONS_MAX).await.context("--from")? == 0 {
                return from.release(&lease).await.context("--from");
            }
        }
        Ok(())
    }

    pub(super) async fn release(self, ends: &Ends) {
        for ((_, database), lease) in ends.both().into_iter().zip(&self.leases) {
            // What is not given back is over in a moment.
            let _ = database.release(lease).await;
        }
    }
}

async fn take(database: &dyn Archive, owner: &Owner) -> anyhow::Result<Lease> {
    if let Some(lease) = database.lease(&Role::COPY, owner, TTL).await? {
        return Ok(lease);
    }
    let leases = database.leases().await?;
    let other = leases.iter().find(|view| view.lease.role == Role::COPY);
    let (name, left) = other.map_or(("", TTL), |view| (view.lease.owner.0.as_str(), view.left));
    bail!("another copy is at work ({name}): let it end; if it died, wait {} s", left.as_secs() + 1)
}

async fn no_nodes(database: &dyn Archive) -> anyhow::Result<()> {
    let leases = database.leases().await?;
    match leases.iter().find(|view| view.lease.role.is_node() && !view.left.is_zero()) {
        None => Ok(()),
        Some(node) => bail!(
            "a node uses this database ({}): stop it; if it died, wait {} s",
            node.lease.owner,
            node.left.as_secs() + 1
        ),
    }
}
