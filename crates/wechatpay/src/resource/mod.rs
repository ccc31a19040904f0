//! What a notification or an answer to a query is about, by kind.

mod transaction;

pub use transaction::{Amount, Payer, Transaction};
