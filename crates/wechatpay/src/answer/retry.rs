//! What may be done after an error, or after silence, by what the call does.
//!
//! Invariant: nothing that moves money is repeated before it was asked for. Deliberately absent: pauses, counting.

use super::hints;
use crate::api::Operation;

/// What may be done next. Every repetition is signed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retry {
    /// Send the same call again: same number, same parameters.
    Same,
    /// The same, after a pause.
    Later,
    /// Ask what became of it first; only then, where it was never accepted, send the same call again.
    Query,
    /// This number is spent: use a new one.
    New,
    /// Not before something is mended; the hint says what. Where a query says that there is none, or a bill that there
    /// is none that day, nothing need be.
    No,
}

impl Retry {
    /// When no answer came: a time-out, a reset. The outcome is unknown.
    #[must_use]
    pub fn after_silence(operation: Operation) -> Self {
        match operation {
            Operation::Query | Operation::Prepay | Operation::Close | Operation::Bill => Self::Same,
            Operation::Refund | Operation::Other => Self::Query,
        }
    }
}

/// After an answer that is no success.
pub(super) fn after(status: u16, code: Option<&str>, operation: Operation) -> Retry {
    let class = match status {
        401 => Retry::No,
        429 => Retry::Later,
        _ => code.and_then(hints::retry_of_code).unwrap_or_else(|| of_status(status)),
    };
    match (operation, class) {
        // Even a 4xx does not prove that a refund was not accepted.
        (Operation::Refund, _) => Retry::Query,
        (Operation::Other, Retry::Same | Retry::Later) => Retry::Query,
        // To ask is to repeat, and there is no number to spend.
        (Operation::Query | Operation::Bill, Retry::Query) => Retry::Same,
        (Operation::Query | Operation::Bill | Operation::Close, Retry::New) => Retry::No,
        (_, class) => class,
    }
}

/// An unknown code, or none.
fn of_status(status: u16) -> Retry {
    match status {
        202 | 502 | 503 => Retry::Later,
        500..=599 => Retry::Same,
        _ => Retry::No,
    }
}
