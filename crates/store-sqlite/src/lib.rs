//! payonce's store on embedded SQLite: WAL, `synchronous=FULL`, one writer, readers beside it.
//!
//! A transaction runs SQLite on the thread that polls it: drive it from a thread that may block (the server's
//! applier has one of its own). Reads go to blocking threads of the tokio runtime. SQLite sits in the same
//! process, so "set-wise" is a loop over one prepared statement: there is no round trip to save.
//!
//! Deliberately absent: any decision about money.

mod archive;
mod connect;
mod epoch;
mod errors;
mod leases;
mod migrate;
mod notes;
mod outbox;
mod read;
mod rows;
mod save;
mod store;
mod tx;

pub use connect::{Options, SqliteStore};
pub use migrate::plan;
