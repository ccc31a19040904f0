//! What payonce promises, without HTTP, SQL or WeChat's JSON.
//!
//! A [`Fact`] is something we know about money: a payment was made, an order was registered, an order was
//! closed. [`decide()`] says what a fact means for an order (pure), [`apply()`] makes a batch of facts take effect
//! in one transaction of a [`Store`]. Nothing else changes an order.

pub mod apply;
pub mod decide;
pub mod delivery;
pub mod fact;
pub mod fault;
pub mod ids;
pub mod json;
pub mod message;
pub mod money;
pub mod order;
pub mod store;
pub mod time;

pub use apply::{Attempts, NotApplied, Pace, Submission, apply, apply_with, effect};
pub use decide::{Decision, Outcome, Policy, decide};
pub use fact::{Fact, Paid};
pub use ids::{AppId, EventType, MerchantId, NotificationId, OutTradeNo, WechatPaymentId};
pub use json::Json;
pub use money::{Currency, Fen};
pub use order::{Order, OrderKey, OrderState, Terms};
pub use store::{Store, StoreError, Tx};
pub use time::{Clock, SystemClock, UnixMillis};
