//! Why a node is not there, as far as its database is concerned.

use std::time::Duration;

use payonce_core::{
    StoreError,
    store::{Leases, Role, Unavailability},
};

/// Why the database does not see a node, which acknowledges nothing then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Absence {
    /// Its presence was not renewed in time. It is, as soon as the database answers.
    #[error("the database has not seen this node for a while{}: nothing is acknowledged until it does again", because(.cause))]
    Lapsed {
        /// Why it was not renewed when that was tried last, if it was tried and the database said so.
        cause: Option<Unavailability>,
    },
    /// A copy from or into the database is under way.
    #[error(
        "PAY0011: `payonce copy` is at work on this database: wait until it has ended (a copy that died ends within {left:?})"
    )]
    CopyRuns {
        /// For how long it has the database, unless it goes on.
        left: Duration,
    },
    /// Everything was copied to another database, which is the one to serve.
    #[error(
        "PAY0011: this database was moved to another one ({to}): name that one in store.url; to give that one up and \
         serve this one again, run `payonce take-back {to}`"
    )]
    Moved {
        /// The identity of the other one.
        to: String,
    },
}

impl Absence {
    /// What stands in the way of a node.
    ///
    /// # Errors
    /// As [`Leases::leases`].
    pub(super) async fn found(leases: &dyn Leases) -> Result<Option<Self>, StoreError> {
        let mut found = None;
        for view in leases.leases().await?.into_iter().filter(|view| !view.left.is_zero()) {
            if view.lease.role == Role::MOVED {
                return Ok(Some(Self::Moved { to: view.lease.owner.0 }));
            }
            if view.lease.role == Role::COPY {
                found = Some(Self::CopyRuns { left: view.left });
            }
        }
        Ok(found)
    }

    fn reason(&self) -> Unavailability {
        match self {
            Self::Lapsed { cause } => cause.unwrap_or(Unavailability::NotSeen),
            Self::CopyRuns { .. } => Unavailability::Copying,
            Self::Moved { .. } => Unavailability::Moved,
        }
    }
}

fn because(cause: &Option<Unavailability>) -> String {
    cause.map_or(String::new(), |cause| format!(" ({cause})"))
}

impl From<Absence> for StoreError {
    fn from(absence: Absence) -> Self {
        Self::Unavailable { reason: absence.reason(), source: Box::new(absence) }
    }
}
