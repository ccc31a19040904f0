//! A node's own lease: taken at the start, renewed as long as it runs.

use std::{sync::Arc, time::Duration};

use payonce_core::{
    StoreError,
    store::{Leases, Owner, Role},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{Absence, Seen};

/// A node that is known to the database.
pub(crate) struct Presence {
    owner: Owner,
    role: Role,
    /// How long its lease lasts.
    ttl: Duration,
    seen: Arc<Seen>,
    /// Of the lease, when it was renewed last: another one says that it was over meanwhile.
    token: Option<i64>,
    /// What was said of an absence last.
    told: Option<Absence>,
}

impl Presence {
    /// Tells the database that this node runs, unless a copy is at work or took everything away.
    pub(crate) async fn begin(
        leases: &dyn Leases,
        owner: Owner,
        ttl: Duration,
    ) -> Result<Result<Self, Absence>, StoreError> {
        let (role, seen) = (Role::node(&owner), Arc::new(Seen::not_yet()));
        let mut presence = Self { owner, role, ttl, seen, token: None, told: None };
        presence.beat(leases).await?;
        Ok(match presence.seen.absence() {
            None => Ok(presence),
            Some(absence) => Err(absence),
        })
    }

    pub(crate) fn owner(&self) -> &Owner {
        &self.owner
    }

    pub(crate) fn seen(&self) -> Arc<Seen> {
        Arc::clone(&self.seen)
    }

    /// Stays present until the work is done.
    pub(crate) async fn keep_during(mut self, leases: &dyn Leases, work: impl Future<Output = ()>) {
        let (done, is_done) = watch::channel(false);
        let work = async {
            work.await;
            done.send_replace(true);
        };
        tokio::join!(work, self.keep(leases, is_done));
        if let Err(error) = self.end(leases).await {
            tracing::debug!(error = error.with_causes(), "this node's presence runs out by itself");
        }
    }

    async fn keep(&mut self, leases: &dyn Leases, mut done: watch::Receiver<bool>) {
        let (mut failed, mut begun) = (false, Instant::now());
        while !*done.borrow() {
            let next = match failed || self.seen.absence().is_some() {
                true => Instant::now() + self.again_after(),
                // From the beginning of the last one: a database that answers late is asked no less often.
                false => begun + self.heartbeat(),
            };
            tokio::select! {
                _ = done.wait_for(|done| *done) => return,
                () = sleep_until(next) => {}
            }
            self.tell();
            begun = Instant::now();
            let beaten = self.beat(leases).await;
            if let Err(error) = &beaten {
                self.seen.not_renewed(error);
                if !failed {
                    tracing::warn!(error = error.with_causes(), "this node's presence was not renewed");
                }
            }
            failed = beaten.is_err();
            self.tell();
        }
    }

    /// How often it is renewed. When that fails there is time for some more attempts.
    fn heartbeat(&self) -> Duration {
        self.ttl / 3
    }

    /// How soon after one that failed, and how often it is looked whether what stands in the way is still there.
    fn again_after(&self) -> Duration {
        self.ttl / 15
    }

    /// By how much sooner than its lease a node counts as gone: the clocks of a cluster's members do not agree to the
    /// moment, and a copy may ask another member.
    fn margin(&self) -> Duration {
        self.ttl / 5
    }

    /// Renews it, or begins it anew where nothing stands in the way.
    pub(super) async fn beat(&mut self, leases: &dyn Leases) -> Result<(), StoreError> {
        // Order matters: a copy at work is not to meet a node that goes away again.
        if self.seen.absence().is_some()
            && let Some(absence) = Absence::found(leases).await?
        {
            self.seen.not(absence);
            return Ok(());
        }
        let asked = Instant::now();
        let token = self.lease(leases, self.ttl).await?;
        // Order matters: this node's lease is there before a copy's is looked for.
        let found = Absence::found(leases).await?;
        if token.is_none() {
            // Somebody else has its name: no copy would see this node.
            self.token = None;
            self.seen.not(Absence::Lapsed { cause: None });
            return Ok(());
        }
        // Without a gap, by the database's time and by our own: no copy can have begun without seeing this node.
        let kept = token == self.token && self.seen.absence().is_none();
        self.token = token;
        match found {
            None => {}
            Some(Absence::CopyRuns { .. }) if kept => {
                tracing::warn!("a copy was begun while this node runs: it sees that, and ends");
            }
            Some(absence) => {
                self.seen.not(absence);
                return self.end(leases).await;
            }
        }
        self.seen.until(asked + self.ttl - self.margin());
        Ok(())
    }

    async fn end(&self, leases: &dyn Leases) -> Result<(), StoreError> {
        self.lease(leases, Duration::ZERO).await.map(drop)
    }

    async fn lease(&self, leases: &dyn Leases, ttl: Duration) -> Result<Option<i64>, StoreError> {
        let lease = leases.lease(&self.role, &self.owner, ttl).await?;
        Ok(lease.map(|lease| lease.token))
    }

    /// Says it once when nothing is acknowledged any longer, and when it is again.
    fn tell(&mut self) {
        let absence = self.seen.absence();
        // How long a copy has the database is not said again and again, nor each trouble of the database.
        let same = |one: &Option<Absence>, other: &Option<Absence>| match (one, other) {
            (Some(Absence::CopyRuns { .. }), Some(Absence::CopyRuns { .. })) => true,
            (Some(Absence::Lapsed { .. }), Some(Absence::Lapsed { .. })) => true,
            (one, other) => one == other,
        };
        if same(&absence, &self.told) {
            return;
        }
        match &absence {
            Some(absence) => tracing::error!("{absence}"),
            None => tracing::info!("the database sees this node again"),
        }
        self.told = absence;
    }
}
