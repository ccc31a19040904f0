//! Positions of messages: the row numbers, as they are.
//!
//! Transactions commit one at a time (`BEGIN IMMEDIATE` takes the one write lock before anything is numbered), so a
//! greater number is a later commit, and whoever read up to a position has seen all before it.

/// Whether someone has to give positions after the commit.
pub(crate) const NEEDED: bool = false;
