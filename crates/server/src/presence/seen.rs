//! Until when the database sees this node.

use std::sync::{PoisonError, RwLock};

use payonce_core::StoreError;
use tokio::time::Instant;

use super::Absence;

/// What a node knows of that. Read for each callback, written at each heartbeat.
#[derive(Debug)]
pub(crate) struct Seen(RwLock<State>);

#[derive(Debug)]
enum State {
    /// Certainly until then.
    Until(Instant),
    Not(Absence),
}

impl Seen {
    /// Of a node that does not know yet.
    pub(super) fn not_yet() -> Self {
        Self(RwLock::new(State::Not(Absence::Lapsed)))
    }

    pub(super) fn until(&self, until: Instant) {
        self.set(State::Until(until));
    }

    pub(super) fn not(&self, absence: Absence) {
        self.set(State::Not(absence));
    }

    fn set(&self, state: State) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Why the database does not see this node now, if it does not.
    pub(crate) fn absence(&self) -> Option<Absence> {
        match &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            State::Until(until) if Instant::now() < *until => None,
            State::Until(_) => Some(Absence::Lapsed),
            State::Not(absence) => Some(absence.clone()),
        }
    }

    /// Whether the database sees this node now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] says why it does not.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.absence().map_or(Ok(()), |absence| Err(absence.into()))
    }
}
