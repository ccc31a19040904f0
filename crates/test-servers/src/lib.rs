//! Throw-away servers for tests and benches: PostgreSQL and a pooler for it, MariaDB, Galera, Redis, RabbitMQ, NATS, and a
//! browser behind ChromeDriver, on loopback ports, each in a temporary folder of its own.
//!
//! Invariants: a server ends and its folder goes when its [`Server`] is dropped, and also when the process that
//! started it dies in any way (`process` says how); a server is ended by its process id, never by its name; where
//! the tests run as root, PostgreSQL and MariaDB run as the account that their packages made, because they refuse root.
//!
//! Tests that want a database take one of the [`Shared`] server (`postgres::shared()`, `mariadb::shared()`); tests that
//! kill, pause or configure a server start their own. Both go through [`require`], which lets a test end early where
//! the server is not installed.
//!
//! Deliberately absent: async, database drivers, TLS, servers on other machines. Linux only: it reads `/proc`.

mod brokers;
pub mod chromium;
mod error;
pub mod galera;
pub mod mariadb;
pub mod postgres;
mod process;
mod require;
mod server;
mod shared;
mod sql;

pub use brokers::{
    nats::{self, Nats},
    rabbitmq::{self, RabbitMq},
    redis::{self, Redis},
};
pub use chromium::ChromeDriver;
pub use error::{CommandError, ServerError};
pub use galera::Galera;
pub use mariadb::MariaDb;
pub use postgres::Postgres;
use process::environment;
pub use process::free_port;
pub use require::{ci_promises_servers, require};
pub use server::{Engine, Options, Server};
pub use shared::{Database, Shared, SharedServers};
pub use sql::SqlEngine;
