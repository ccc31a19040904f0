//! A WeChat Pay look-alike: it takes orders over WeChat's own API, lets them be paid, and tells the merchants with real
//! signatures and real encryption.
//!
//! Two ways to use it. [`Simulator`] is the whole service on one port: the merchant's own code talks to it as to WeChat
//! Pay, and its notices follow the official schedule. [`Courier`] is a crowd without a server: a [`Plan`] says which
//! copies of which [`Notification`]s are sent and what is wrong with them, and it delivers them as fast as it can.
//!
//! Both tell of what stands in the [`books`], which are a pure state machine; [`keys`] are WeChat's and the merchants'.
//!
//! Invariants: everything random comes from an injected source, so that a seed names a run (only the RSA keys come
//! from the crypto library's own source); the wall clock is injected; the receiver is known by its address alone.

mod api;
pub mod books;
mod calendar;
mod clock;
mod control;
pub mod deliver;
mod error;
pub mod keys;
mod notify;
mod page;
mod random;
mod simulator;
pub mod trouble;

pub use books::{Books, Payment};
pub use clock::{BusinessClock, Clock, Pace};
pub use deliver::{Answer, Courier, Delivery, Plan, Report, Retry, Route, Signer, Target, Verdict};
pub use error::Error;
pub use keys::{Merchant, Platform};
pub use notify::{Envelope, Mischief, Notification, SignedCallback, Tampering};
pub use simulator::{
    Enrolment, Folder, FolderError, Known, Setup, Simulator, StartError, StateError, write_files,
};
pub use trouble::{Scenario, ScenarioError};
