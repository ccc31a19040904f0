//! WeChat's books: merchants, apps, users, orders and what is to be told of them, as a pure state machine.
//!
//! Invariants: nothing here reads a clock, makes a connection or draws from a global source: time comes as
//! [`wechatpay::UnixSeconds`], randomness as a `&mut impl Rng`, and what has to be said is put into the [`Outbox`]. What
//! WeChat would not do is a [`Refusal`], which changes nothing. All of it can be written out and read back with serde.
//!
//! Deliberately absent: keys, signatures and HTTP; how APIv3 and APIv2 ask. What is told of an order, a refund or a day is
//! here, in the fields of either, since notices are made of it.

mod account;
mod bills;
mod cashier;
mod combine;
mod ledger;
mod order;
mod ordering;
mod outbox;
mod payment;
mod refunds;
mod refusal;
mod user;

pub use account::{Account, App, Role};
pub(crate) use bills::{BillKind, BillRequest, TradeRows};
pub(crate) use combine::CombineStatement;
pub use combine::{CombineTerms, Combined};
pub use ledger::Books;
pub use order::{Order, OrderKey, OrderPayer, Protocol, Seller, Standing, Terms, TradeState, TradeType};
pub use ordering::Prepaid;
pub(crate) use ordering::Whose;
pub use outbox::{Attempt, Content, Entry, Event, Heard, Notice, Outbox, Progress, Sending, Subject};
pub use payment::Payment;
pub(crate) use payment::Transaction;
pub use refunds::{
    Destination, Ending, FundsAccount, Refund, RefundFrom, RefundKey, RefundStatus, RefundTerms,
};
pub(crate) use refunds::{OrderNumber, RefundStatement};
pub use refusal::{Refusal, Said};
pub use user::{LoginRefusal, Session};

#[cfg(test)]
mod tests;
