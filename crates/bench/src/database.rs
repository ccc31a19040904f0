//! The database that is measured: a file, or a server that is started for the run, with its own defaults for safety.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use clap::ValueEnum;
use payonce_core::Store;
use payonce_store_mysql::MySqlStore;
use payonce_store_postgres::PostgresStore;
use payonce_store_sqlite::SqliteStore;
use payonce_test_servers::{MariaDb, Options, Postgres};

/// What to measure on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    Mysql,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
        }
    }
}

const NAME: &str = "payonce";

/// A database of one run. A server ends with it.
pub(crate) struct Database {
    kind: Kind,
    url: String,
    _server: Option<AnyServer>,
}

/// Held so that it runs.
#[expect(dead_code, reason = "a server runs as long as its handle lives")]
enum AnyServer {
    Postgres(Postgres),
    MariaDb(MariaDb),
}

impl Database {
    /// An empty one; a file in `folder`, or a server that commits as durably as it does by default.
    pub(crate) fn make(kind: Kind, folder: &Path) -> anyhow::Result<Self> {
        let (url, server) = match kind {
            Kind::Sqlite => {
                (format!("sqlite://{}", folder.canonicalize()?.join("payonce.db").display()), None)
            }
            Kind::Postgres => {
                let server = Postgres::start(&durable(&[
                    ("shared_buffers", "1GB"),
                    ("min_wal_size", "1GB"),
                    ("max_wal_size", "4GB"),
                    ("checkpoint_timeout", "15min"),
                ]))?;
                server.create_database(NAME)?;
                recycle_wal(&server)?;
                (server.url(NAME), Some(AnyServer::Postgres(server)))
            }
            Kind::Mysql => {
                let server = MariaDb::start(&durable(&[
                    ("innodb_buffer_pool_size", "1G"),
                    ("innodb_log_file_size", "1G"),
                ]))?;
                server.create_database(NAME)?;
                (server.url(NAME), Some(AnyServer::MariaDb(server)))
            }
        };
        Ok(Self { kind, url, _server: server })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) async fn open(&self) -> anyhow::Result<Arc<dyn Store>> {
        open(self.kind, &self.url, 4).await
    }
}

/// How long a statement may take: at the end everything is counted, perhaps ten million rows.
const WORK_MAX: Duration = Duration::from_secs(120);

/// Opens a database by its URL.
pub(crate) async fn open(kind: Kind, url: &str, connections_max: usize) -> anyhow::Result<Arc<dyn Store>> {
    Ok(match kind {
        Kind::Sqlite => {
            let path = url.strip_prefix("sqlite://").context("a URL of SQLite")?;
            Arc::new(SqliteStore::open(&payonce_store_sqlite::Options::new(path))?)
        }
        Kind::Postgres => {
            let mut options = payonce_store_postgres::Options::new(url)?;
            options.connections_max = connections_max;
            options.work_max = WORK_MAX;
            Arc::new(PostgresStore::open(&options).await?)
        }
        Kind::Mysql => {
            let mut options = payonce_store_mysql::Options::new(url)?;
            options.connections_max = connections_max;
            options.work_max = WORK_MAX;
            Arc::new(MySqlStore::open(&options).await?)
        }
    })
}

/// Segments of 16 MB.
const WAL_SEGMENTS: usize = 32;

/// Leaves segments of the log behind that are used again, as a server has them that has run for a while. One that was made
/// a moment ago fills each new one with zeros, for which every commit waits some 70 ms.
fn recycle_wal(server: &Postgres) -> anyhow::Result<()> {
    let fill = "SELECT pg_logical_emit_message(true, '', ''), pg_switch_wal();".repeat(WAL_SEGMENTS);
    server.execute("postgres", &format!("{fill} CHECKPOINT;"))?;
    Ok(())
}

fn durable(settings: &[(&str, &str)]) -> Options {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Options { durable: true, settings, ..Options::default() }
}
