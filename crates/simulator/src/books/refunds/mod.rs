//! Money that goes back: asked for, paid out after a while, or not.
//!
//! Invariants: a merchant's refund number is one refund, ever; what is refunded of an order never exceeds what was paid
//! for it, refunds that were closed aside; there are at most [`REFUNDS_MAX`] of an order. A refund's state is a function of
//! what was decided and of the time, and its notice is in the outbox from the beginning, due when the state changes; so
//! nothing has to run. Deliberately absent: coupons.

mod by_hand;
mod fee;
mod refund;
mod refunding;
mod statement;
mod xml;

pub(super) use fee::fee_fen;
pub use refund::{
    Destination, Ending, FundsAccount, Refund, RefundFrom, RefundKey, RefundStatus, RefundTerms,
};
pub(crate) use refunding::OrderNumber;
pub(crate) use statement::RefundStatement;

#[cfg(test)]
mod tests;

/// Refunds of one order.
const REFUNDS_MAX: usize = 50;

/// An order can be refunded for this long after it was paid.
const REFUNDABLE_SECONDS: i64 = 365 * 24 * 3600;

/// Two refunds of an order lie so far apart, where that is asked for.
const SPACE_SECONDS: i64 = 60;

/// How long the user waits for the money. WeChat says five minutes at most for a balance, days for a card; a look-alike
/// makes nobody wait for long.
const PAYOUT_SECONDS: i64 = 5;
