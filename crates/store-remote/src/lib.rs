//! What payonce's stores behind a socket have in common: several hosts, a bounded number of connections, and an end
//! to every wait.
//!
//! Invariants: a connection on which something was cut short (a timeout, a lost socket, a future that was dropped)
//! is never used again; a transaction that was dropped is rolled back, once its statement has ended, so that nobody waits for its locks
//! for long.
//! Deliberately absent: SQL.

mod hosts;
mod pool;

pub use hosts::{UrlError, hosts};
pub use pool::{Limits, Pool, Server, Session};
