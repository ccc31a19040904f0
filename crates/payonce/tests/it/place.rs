//! Fresh databases of every kind, each with a folder of its own. Tests that take them say nothing of the kind but in SQL.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use payonce_core::store::archive::Archive;
use payonce_store_mysql::MySqlStore;
use payonce_store_postgres::PostgresStore;
use payonce_store_sqlite::SqliteStore;
use payonce_test_servers::{
    Database, mariadb, mariadb::MariaDbEngine, postgres, postgres::PostgresEngine, require,
};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::server::payonce;

/// A database that no other test knows. A file is made by whoever opens it first.
pub(crate) struct Place {
    folder: TempDir,
    kept: Kept,
}

enum Kept {
    File,
    Postgres(Database<PostgresEngine>),
    MariaDb(Database<MariaDbEngine>),
}

impl Place {
    fn keeping(kept: Kept) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), kept }
    }

    pub(crate) fn sqlite() -> Self {
        Self::keeping(Kept::File)
    }

    /// `None`, with a word on standard error, where it is not installed.
    pub(crate) fn postgres() -> Option<Self> {
        let database = require(postgres::shared())?.create_database().unwrap();
        Some(Self::keeping(Kept::Postgres(database)))
    }

    /// `None`, with a word on standard error, where it is not installed.
    pub(crate) fn mariadb() -> Option<Self> {
        let database = require(mariadb::shared())?.create_database().unwrap();
        Some(Self::keeping(Kept::MariaDb(database)))
    }

    /// One of each kind that is installed.
    pub(crate) fn each() -> Vec<Self> {
        [Some(Self::sqlite()), Self::postgres(), Self::mariadb()].into_iter().flatten().collect()
    }

    /// As people call it.
    pub(crate) fn name(&self) -> &'static str {
        match self.kept {
            Kept::File => "SQLite",
            Kept::Postgres(_) => "PostgreSQL",
            Kept::MariaDb(_) => "MariaDB",
        }
    }

    pub(crate) fn is_file(&self) -> bool {
        matches!(self.kept, Kept::File)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where a file is, or would be.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder().join("place.db")
    }

    pub(crate) fn url(&self) -> String {
        match &self.kept {
            Kept::File => format!("sqlite://{}", self.file().display()),
            Kept::Postgres(database) => database.url(),
            Kept::MariaDb(database) => database.url(),
        }
    }

    /// The database itself, also amid a copy. Its tables are made where there are none.
    pub(crate) async fn open(&self) -> Arc<dyn Archive> {
        match &self.kept {
            Kept::File => {
                let mut options = payonce_store_sqlite::Options::new(self.file());
                options.copying = true;
                Arc::new(SqliteStore::open(&options).unwrap())
            }
            Kept::Postgres(database) => {
                let mut options = payonce_store_postgres::Options::new(&database.url()).unwrap();
                options.copying = true;
                Arc::new(PostgresStore::open(&options).await.unwrap())
            }
            Kept::MariaDb(database) => {
                let mut options = payonce_store_mysql::Options::new(&database.url()).unwrap();
                options.copying = true;
                Arc::new(MySqlStore::open(&options).await.unwrap())
            }
        }
    }

    /// `payonce copy` from here to there.
    pub(crate) fn copy_to(&self, to: &Self) -> Command {
        let mut copy = payonce(self.folder());
        copy.args(["copy", "--from", &self.url(), "--to", &to.url()]);
        copy
    }

    /// One of payonce's tables, as SQL names it here.
    pub(crate) fn table(&self, name: &str) -> String {
        match self.kept {
            Kept::File => name.to_owned(),
            Kept::Postgres(_) => format!("payonce.{name}"),
            Kept::MariaDb(_) => format!("payonce_{name}"),
        }
    }

    /// Executes a statement.
    pub(crate) fn execute(&self, sql: &str) {
        match &self.kept {
            Kept::File => Connection::open(self.file()).unwrap().execute_batch(sql).unwrap(),
            Kept::Postgres(database) => drop(database.execute(sql).unwrap()),
            Kept::MariaDb(database) => drop(database.execute(sql).unwrap()),
        }
    }

    /// What a query for one column of words finds.
    pub(crate) fn words(&self, sql: &str) -> BTreeSet<String> {
        let lines = |text: String| text.lines().map(str::to_owned).collect();
        match &self.kept {
            Kept::File => {
                let file = Connection::open(self.file()).unwrap();
                let mut query = file.prepare(sql).unwrap();
                query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
            }
            Kept::Postgres(database) => lines(database.execute(sql).unwrap()),
            Kept::MariaDb(database) => lines(database.execute(sql).unwrap()),
        }
    }

    /// As if an hour had passed while nobody looked: leases of nodes that died are over, attempts that were to come are due.
    pub(crate) fn an_hour_passes(&self) {
        self.end_leases();
        self.execute(&format!("UPDATE {} SET due_at = due_at - 3600000", self.table("delivery")));
    }

    /// Ends all leases: those of a process that was killed last for a while. The mark of a database that was moved is for
    /// ever.
    pub(crate) fn end_leases(&self) {
        self.execute(&format!("UPDATE {} SET until = 0 WHERE role <> 'moved'", self.table("lease")));
    }
}
