//! A WeChat Pay look-alike: it holds orders, pays them, and sends callbacks with real signatures and real
//! encryption, and misbehaves on demand.
//!
//! [`World`] places and pays orders, a [`Notification`] tells of one [`Payment`], the [`Platform`] signs a copy of
//! it, a [`Plan`] says which copies are sent and what is wrong with them, and the [`Courier`] delivers them and
//! resends what was not acknowledged.
//!
//! Invariants: everything random comes from an injected source, so that a seed names a run (only the RSA key comes
//! from the crypto library's own source); the wall clock is injected; the receiver is known by its address alone.
//!
//! Deliberately absent: WeChat's HTTP API (orders are placed by a call of [`World`]), refunds, v2 notices, TLS.

pub mod callback;
pub mod deliver;
pub mod error;
pub mod merchant;
pub mod mischief;
pub mod notification;
pub mod plan;
pub mod platform;
pub mod signer;
pub mod world;

mod calendar;
mod random;

pub use callback::SignedCallback;
pub use deliver::{Answer, Courier, Report, Retry, Route, Target, Verdict};
pub use error::Error;
pub use merchant::Merchant;
pub use mischief::{Mischief, Tampering};
pub use notification::Notification;
pub use plan::{Delivery, Plan};
pub use platform::Platform;
pub use signer::{Clock, Signer};
pub use world::{Payment, World};
