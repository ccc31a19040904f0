//! Both databases, reserved for the copy: nodes do not start on them, and other copies do not begin. In the end the
//! source is marked, so that no node serves it any longer.

use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use payonce_core::{
    StoreError,
    store::{Lease, Leases, Owner, Role, archive::Archive},
};
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
    /// Of the target and of the source, in the order in which they are renewed: as long as the target is reserved, so is
    /// the source, which is not taken back then.
    leases: [Lease; 2],
    renewed: Instant,
}

impl Ends {
    /// Each with the argument that names it, in the order of [`Reserved::leases`].
    fn both(&self) -> [(&'static str, &dyn Archive); 2] {
        [("--to", &*self.to), ("--from", &*self.from)]
    }
}

/// Why a copy cannot go on.
enum Hindrance {
    /// A node is there, and the database was never free before it came.
    Node(anyhow::Error),
    /// Anything may have happened meanwhile, or is not known.
    Other(anyhow::Error),
}

impl From<Hindrance> for anyhow::Error {
    fn from(hindrance: Hindrance) -> Self {
        match hindrance {
            Hindrance::Node(error) | Hindrance::Other(error) => error,
        }
    }
}

impl Reserved {
    /// Keeps other copies away. Nodes are looked for by [`check`](Self::check).
    pub(super) async fn take(ends: &Ends) -> anyhow::Result<Self> {
        let owner = database::owner();
        let renewed = Instant::now();
        let from = take(&*ends.from, &owner).await.context("--from")?;
        match take(&*ends.to, &owner).await.context("--to") {
            Ok(to) => Ok(Self { owner, leases: [to, from], renewed }),
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
        Ok(self.look(ends).await?)
    }

    async fn look(&mut self, ends: &Ends) -> Result<(), Hindrance> {
        let now = Instant::now();
        let mut lapsed = None;
        for ((name, database), lease) in ends.both().into_iter().zip(&mut self.leases) {
            let renewed = database.lease(&Role::COPY, &self.owner, TTL).await;
            let renewed = renewed.context(name).map_err(Hindrance::Other)?;
            if renewed.as_ref() != Some(&*lease) {
                lapsed = Some(name);
            }
            // What was taken anew is to be given back.
            *lease = renewed.unwrap_or_else(|| lease.clone());
        }
        for (name, database) in ends.both().into_iter().rev() {
            let node = node_on(database).await.context(name).map_err(Hindrance::Other)?;
            // Order matters: of a node that is there, a text that names it.
            if let Some(error) = node {
                let error = error.context(name);
                return Err(if lapsed.is_none() { Hindrance::Node(error) } else { Hindrance::Other(error) });
            }
        }
        if let Some(name) = lapsed {
            return Err(Hindrance::Other(anyhow!(
                "{name}: this process was held up for too long, and the databases were free meanwhile: run it again, \
                 with no node and no other copy at work"
            )));
        }
        self.renewed = now;
        Ok(())
    }

    /// What reserves the target.
    pub(super) fn of_target(&self) -> &Lease {
        &self.leases[0]
    }

    /// Marks the source as moved to the target of this identity: from now on no node serves it, and none can have slipped
    /// in, however long this process is held up. The target is not served before [`Archive::finish_copy`].
    pub(super) async fn mark_moved(&mut self, ends: &Ends, target: &str) -> anyhow::Result<()> {
        let owner = Owner(target.to_owned());
        let mark = ends.from.lease(&Role::MOVED, &owner, Lease::FOR_EVER).await.context("--from")?;
        let Some(mark) = mark else {
            refuse_if_moved_elsewhere(&*ends.from, Some(target)).await?;
            bail!("--from: another copy has moved it, and it was taken back meanwhile: run it again");
        };
        // Order matters: the mark is there before nodes are looked for, so that a node which is not seen sees it.
        let looked = self.look(ends).await;
        if let Err(Hindrance::Node(_)) = looked {
            // The source goes on being served. If this fails, it is said by the first node that starts on it. Not so after
            // a gap: then it may be the mark of another copy, which has finished.
            let _ = ends.from.release(&mark).await;
        }
        Ok(looked?)
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

pub(super) async fn take(database: &dyn Archive, owner: &Owner) -> anyhow::Result<Lease> {
    if let Some(lease) = database.lease(&Role::COPY, owner, TTL).await? {
        return Ok(lease);
    }
    let leases = database.leases().await?;
    let other = leases.iter().find(|view| view.lease.role == Role::COPY);
    let (name, left) = other.map_or(("", TTL), |view| (view.lease.owner.0.as_str(), view.left));
    bail!("a copy is at work ({name}): let it end; if it died, wait {} s", left.as_secs() + 1)
}

/// Where everything was copied to, if the database was moved: the identity of that one.
pub(super) async fn moved_to(database: &dyn Leases) -> Result<Option<Lease>, StoreError> {
    let mut leases = database.leases().await?.into_iter();
    let mark = leases.find(|view| view.lease.role == Role::MOVED && !view.left.is_zero());
    Ok(mark.map(|view| view.lease))
}

/// What was moved is not copied anywhere else, or there would be two truths. `target` is where it may go; `None` while
/// nobody knows.
pub(super) async fn refuse_if_moved_elsewhere(
    from: &dyn Archive,
    target: Option<&str>,
) -> anyhow::Result<()> {
    match moved_to(from).await.context("--from")? {
        Some(mark) if Some(mark.owner.0.as_str()) != target => bail!(
            "--from was moved to another database ({to}): copy that one; to give that one up, run `payonce take-back \
             {to}` on --from",
            to = mark.owner
        ),
        _ => Ok(()),
    }
}

/// The node that uses a database, told as an error.
async fn node_on(database: &dyn Archive) -> Result<Option<anyhow::Error>, StoreError> {
    let mut leases = database.leases().await?.into_iter();
    let node = leases.find(|view| view.lease.role.is_node() && !view.left.is_zero());
    Ok(node.map(|node| {
        let (owner, left) = (node.lease.owner, node.left.as_secs() + 1);
        anyhow!("a node uses this database ({owner}): stop it; if it died, wait {left} s")
    }))
}
