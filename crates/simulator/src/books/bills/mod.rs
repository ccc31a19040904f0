//! Bills: what a merchant traded on a day, and how its money moved.
//!
//! Invariants: a bill is a function of the books, and the same however often and however late it is asked for: refunds
//! stand in it as they were when they were accepted. A day is Beijing's. Deliberately absent: keeping files; withdrawals
//! and settlements, so that a balance only ever grows by trade.

mod csv;
mod fund_flow;
mod statement;
mod trade;

pub(crate) use statement::{BillKind, BillRequest, TradeRows};

pub(super) use statement::BillToken;

#[cfg(test)]
mod tests;

/// A bill is there from this time of the next day on.
const READY_SECONDS: i64 = 10 * 3600;

/// How many months back.
const MONTHS: i64 = 3;

/// How long a file can be downloaded.
const TOKEN_SECONDS: i64 = 5 * 60;
