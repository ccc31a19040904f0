//! Hands messages over to the merchant's systems: called over HTTP, or published to a broker.
//!
//! The way of a message: outbox → [`Dispatcher`] (fans out, takes what is due) → [`Sender`] (one attempt) → settled.
//! Invariants: no transaction is open while a call is out; whatever an endpoint does, each message is delivered, due
//! again, held, or listed as exhausted; each attempt carries the same id and the same bytes. Deliberately absent: SQL,
//! the routes by which endpoints are managed, and anything of WeChat Pay's.

mod broker;
mod connect;
mod dispatcher;
mod event;
mod failure;
mod fan_out;
mod http;
mod networks;
mod secrets;
mod sender;
mod senders;
mod target;
mod wake;

pub use self::http::{IDLE_MAX, Posts, USER_AGENT};
pub use broker::BrokerUrlError;
pub use connect::{Resolver, SystemResolver, Trust, TrustError};
pub use dispatcher::Dispatcher;
pub use event::{Event, Observer};
pub use fan_out::fan_out;
pub use networks::{Networks, NetworksError};
pub use secrets::{
    Algorithm, Header, HeaderError, KeyError, Login, SealingKeys, SealingKeysError, Secrets, SecretsError,
    Signature, Signer, SigningKey, UnsealError, WEBHOOK_ID, WEBHOOK_SIGNATURE, WEBHOOK_TIMESTAMP,
    WrittenError,
};
pub use sender::{Open, Report, Sender};
pub use senders::{OpenError, Senders};
pub use target::TargetError;
pub use wake::Wake;
