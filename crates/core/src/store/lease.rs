//! Leases: a time-limited right to do a background role, so that of many nodes one does it.
//!
//! Invariants: time is the database's own, the same for all nodes (in a cluster each member's: their clocks must
//! agree to some seconds). A lease has one holder; its token grows each
//! time it begins anew, so that work which a store guards with it ([`Store::sequence`](super::Store::sequence)) is
//! refused to a holder that lost it without noticing.

use std::{borrow::Cow, fmt, time::Duration};

use async_trait::async_trait;

use super::StoreError;

/// What a lease is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Role(Cow<'static, str>);

impl Role {
    /// Gives positions to messages.
    pub const SEQUENCER: Self = Self(Cow::Borrowed("sequencer"));
    /// Finds out which messages go to which endpoints.
    pub const FAN_OUT: Self = Self(Cow::Borrowed("fan-out"));
    /// Deletes what need not be kept any longer.
    pub const KEEPER: Self = Self(Cow::Borrowed("keeper"));
    /// Alerts people to what stands in the database.
    pub const ALERTS: Self = Self(Cow::Borrowed("alerts"));
    /// Copies from or into this database; no node may run meanwhile.
    pub const COPY: Self = Self(Cow::Borrowed("copy"));
    /// The mark of a database that was moved: held [for ever](Lease::FOR_EVER) by the database that everything was copied
    /// to, under the name of its [identity](super::archive::Archive::identity). No node may run until it is given back.
    pub const MOVED: Self = Self(Cow::Borrowed("moved"));
    /// What the role of each node begins with.
    const NODE: &'static str = "node/";

    /// The presence of a node: held as long as it runs.
    #[must_use]
    pub fn node(owner: &Owner) -> Self {
        Self(Cow::Owned(format!("{}{owner}", Self::NODE)))
    }

    /// A role by its name, as it stands in the database.
    #[must_use]
    pub fn named(name: String) -> Self {
        Self(Cow::Owned(name))
    }

    /// The name that stands in the database.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the presence of a node.
    #[must_use]
    pub fn is_node(&self) -> bool {
        self.0.starts_with(Self::NODE)
    }
}

/// Who holds leases: one process. No two have the same name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(pub String);

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A lease that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What it is about.
    pub role: Role,
    /// Who took it.
    pub owner: Owner,
    /// Counts how often the role was taken: greater each time that it was free before, also for the same owner.
    pub token: i64,
}

impl Lease {
    /// How long a role or a node's presence, and a copy's hold on a database, last without being prolonged. One number
    /// for all: a copy that begins counts on a node that no longer shows having stopped, and a node that starts on the
    /// other way round.
    pub const TTL: Duration = Duration::from_secs(15);

    /// For what has no end but that somebody gives it back: a hundred years.
    pub const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
}

/// A lease as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseView {
    /// The lease.
    pub lease: Lease,
    /// How long it is still held; zero if it is over.
    pub left: Duration,
}

/// Where leases are kept.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Takes a lease for `ttl` from now, or prolongs one's own. `None`: another holds it. A `ttl` of zero ends it at
    /// once.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Disconnected`]: it is not known whether it was taken.
    async fn lease(&self, role: &Role, owner: &Owner, ttl: Duration) -> Result<Option<Lease>, StoreError>;

    /// Gives a lease back, if it is still held.
    ///
    /// # Errors
    /// As [`lease`](Self::lease).
    async fn release(&self, lease: &Lease) -> Result<(), StoreError>;

    /// All leases, by role, those that are over too.
    ///
    /// # Errors
    /// As [`lease`](Self::lease).
    async fn leases(&self) -> Result<Vec<LeaseView>, StoreError>;
}
