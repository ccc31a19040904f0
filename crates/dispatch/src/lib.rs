//! Hands messages over to the merchant's systems: called over HTTP, or published to a broker.
//!
//! The way of a message: outbox → [`Dispatcher`] (fans out, takes what is due) → [`Sender`] (one attempt) → settled.
//! Invariants: no transaction is open while a call is out; whatever an endpoint does, each message is delivered, due
//! again, held, or listed as exhausted; each attempt carries the same id and the same bytes. Deliberately absent: SQL,
//! the routes by which endpoints are managed, and anything of WeChat Pay's.

mod dispatcher;
mod event;
mod fan_out;
mod sender;
mod wake;

pub use dispatcher::Dispatcher;
pub use event::{Event, Observer};
pub use fan_out::fan_out;
pub use sender::{Open, Report, Sender};
pub use wake::Wake;
