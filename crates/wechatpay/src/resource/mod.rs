//! What a notification or an answer to a query is about, by product.
//!
//! Invariants, of every type here: amounts are [`crate::Fen`], JSON integers and nothing else; a known field that occurs
//! twice is refused; unknown fields are kept in `other`; an optional text that is absent, `null` or `""` is `None`; states
//! and reasons are open lists, hence `String`; `Debug` shows no payer, receiver, name or account. Deliberately absent:
//! judging what they say (is it ours? is the amount right?), which needs the order.

mod combine;
mod dispatch;
mod echo;
mod field;
mod partner;
mod payment;
mod product;
mod profit_sharing;
mod refund;
mod shape;
mod supported;
mod transaction;
mod transfer;

pub use combine::{CombineTransaction, SubOrder, SubOrderAmount};
pub use dispatch::Resource;
pub(crate) use dispatch::open;
pub use echo::SecurityEcho;
pub(crate) use field::debug_shows;
pub use partner::{PartnerPayer, PartnerTransaction};
pub use payment::Payment;
pub use product::Product;
pub use profit_sharing::{ProfitSharing, ShareReceiver};
pub use refund::{Refund, RefundAmount};
pub use supported::{SUPPORTED_NOTICES, SupportedNotice};
pub use transaction::{Amount, Payer, Transaction};
pub use transfer::{AuthorizationClosed, TransferAuthorization, TransferBatch, TransferBill};
