//! Until when the database sees this node.

use std::sync::{PoisonError, RwLock};

use payonce_core::{StoreError, store::Unavailability};
use tokio::time::Instant;

use super::Absence;

/// What a node knows of that. Read for each callback, written at each heartbeat.
#[derive(Debug)]
pub(crate) struct Seen(RwLock<State>);

#[derive(Debug)]
enum State {
    /// Certainly until then; and what was in the way of renewing it, if something was.
    Until(Instant, Option<Unavailability>),
    Not(Absence),
}

impl Seen {
    /// Of a node that does not know yet.
    pub(super) fn not_yet() -> Self {
        Self(RwLock::new(State::Not(Absence::Lapsed { cause: None })))
    }

    pub(super) fn until(&self, until: Instant) {
        self.set(State::Until(until, None));
    }

    pub(super) fn not(&self, absence: Absence) {
        self.set(State::Not(absence));
    }

    /// It was not renewed, as the error says. What is known stays: that it was seen before, or that a copy is there.
    pub(super) fn not_renewed(&self, error: &StoreError) {
        let StoreError::Unavailable { reason, .. } = error else { return };
        match &mut *self.0.write().unwrap_or_else(PoisonError::into_inner) {
            State::Until(_, cause) | State::Not(Absence::Lapsed { cause }) => *cause = Some(*reason),
            State::Not(_) => {}
        }
    }

    fn set(&self, state: State) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Why the database does not see this node now, if it does not.
    pub(crate) fn absence(&self) -> Option<Absence> {
        match &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            State::Until(until, _) if Instant::now() < *until => None,
            State::Until(_, cause) => Some(Absence::Lapsed { cause: *cause }),
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

    /// Whether what the database says is true, also of a node that it does not see: unless a copy takes everything
    /// elsewhere.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub(crate) fn check_readable(&self) -> Result<(), StoreError> {
        match self.absence() {
            None | Some(Absence::Lapsed { .. }) => Ok(()),
            Some(absence) => Err(absence.into()),
        }
    }
}
