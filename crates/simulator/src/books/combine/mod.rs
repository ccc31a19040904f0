//! Several orders of several merchants that are paid in one act.
//!
//! Invariants: the parts are orders like any other, in their merchants' books, and hidden from ordinary queries; they are
//! placed together, paid together and closed together, or none of them is; one notice tells of all. Refunds are the
//! parts' own. Deliberately absent: a state of the whole, which is its parts'.

mod combined;
mod combining;
mod statement;

pub use combined::{CombineTerms, Combined};
pub(crate) use statement::CombineStatement;

#[cfg(test)]
mod tests;
