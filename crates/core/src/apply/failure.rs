//! Why facts were not applied together, and what that means for each of them.

use super::{NotApplied, effect::run::Failed};
use crate::{
    decide::Outcome,
    store::{StoreError, Unavailability},
};

/// What is said of a fact whose neighbours took all the time.
const LATE: &str = "the time was over before its turn came";

/// What is said of a fact for which no time was left.
pub(super) fn late(perhaps_committed: bool) -> Away {
    match perhaps_committed {
        true => Away::CommitUnknown(LATE.to_owned()),
        false => Away::Unavailable(Unavailability::TimedOut, LATE.to_owned()),
    }
}

/// The same for so many facts.
pub(super) fn repeated(away: &Away, facts: usize) -> Vec<Result<Outcome, NotApplied>> {
    vec![away.clone(); facts].into_iter().map(|away| Err(away.into_error().into())).collect()
}

/// Why facts that were to be applied together were not.
pub(super) enum Failure {
    /// Each alone would meet with the same.
    OfAll(Away),
    /// It may lie in one of them.
    PerhapsOfOne(StoreError),
    /// Effects failed for some of them.
    OfEffects(Vec<Failed>),
}

impl Failure {
    /// `over`: there is no time for another attempt. `perhaps_committed`: an earlier one may have succeeded.
    pub(super) fn of(error: StoreError, over: bool, perhaps_committed: bool) -> Self {
        match error {
            error if perhaps_committed && (over || !matches!(error, StoreError::Constraint { .. })) => {
                Self::OfAll(Away::CommitUnknown(error.with_causes()))
            }
            StoreError::Unavailable { reason, source } => {
                Self::OfAll(Away::Unavailable(reason, source.to_string()))
            }
            StoreError::Disconnected(source) => Self::OfAll(Away::Disconnected(source.to_string())),
            StoreError::CommitUnknown(source) => Self::OfAll(Away::CommitUnknown(source.to_string())),
            StoreError::Conflict(source) if over => Self::OfAll(Away::Conflict(source.to_string())),
            StoreError::Constraint { name, source } if over => {
                Self::OfAll(Away::Constraint(name, source.to_string()))
            }
            error => Self::PerhapsOfOne(error),
        }
    }

    pub(super) fn into_error(self) -> NotApplied {
        match self {
            Self::OfAll(away) => away.into_error().into(),
            Self::PerhapsOfOne(error) => error.into(),
            Self::OfEffects(failed) => {
                NotApplied::Effects(failed.into_iter().map(|(_, failure)| failure).collect())
            }
        }
    }
}

/// What is the matter with the database or the time, and not with a fact; with what the driver said.
#[derive(Clone)]
pub(super) enum Away {
    Unavailable(Unavailability, String),
    Disconnected(String),
    CommitUnknown(String),
    Conflict(String),
    Constraint(&'static str, String),
}

impl Away {
    pub(super) fn into_error(self) -> StoreError {
        match self {
            Self::Unavailable(reason, said) => StoreError::Unavailable { reason, source: said.into() },
            Self::Disconnected(said) => StoreError::Disconnected(said.into()),
            Self::CommitUnknown(said) => StoreError::CommitUnknown(said.into()),
            Self::Conflict(said) => StoreError::Conflict(said.into()),
            Self::Constraint(name, said) => StoreError::Constraint { name, source: said.into() },
        }
    }
}
