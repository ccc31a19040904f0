//! The server as its callers see it: raw HTTP over TCP, a server in this process, SQLite in a temporary folder.
//!
//! Folders mirror the URLs. Invariants: the clock stands still until a test moves it; nothing sleeps. What has to wait
//! waits on a signal (a commit that stands at the gate of [`store::TestStore`], an answer, a connection that closes);
//! where a test shows that something does *not* come, it waits [`wire::QUIET`] for it.
#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions, but not in what they share")]

mod access;
mod alerts;
mod connections;
mod effects;
mod keys;
mod letter;
mod logs;
mod notify_v2;
mod notify_v3;
mod presence;
mod receiver;
mod seal;
mod shared_cache;
mod stage;
mod status;
mod stopping;
mod store;
mod v1_consumers;
mod v1_endpoints;
mod v1_messages;
mod v1_orders;
mod wire;
