//! payonce's store on MySQL (8.0.16 or newer) and MariaDB (10.6 or newer), alone or as a Galera cluster: one
//! transaction a batch, a constant number of statements, any number of nodes on one database.
//!
//! Tables are called `payonce_…`, so that payonce can share the merchant's database. What another transaction wrote is
//! seen once an order is locked (`tx`); messages get their positions after the commit (`outbox::sequence`); cached
//! answers are bound to a key that a restored database no longer has (`epoch`).
//!
//! Deliberately absent: any decision about money; `LOCK TABLES` and other locks that a cluster's members do not share.

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

pub use connect::{MySqlStore, Options};
pub use migrate::plan;
pub use payonce_store_remote::UrlError;
