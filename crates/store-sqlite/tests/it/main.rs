//! SQLite is held to the suite that every store must pass, and to what only a file can show.

mod effects;
mod files;

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use payonce_core::Store;
use payonce_store_conformance::{Fixture, shop_tables};
use payonce_store_sqlite::{Options, SqliteStore};

/// Databases in a folder of their own, numbered.
struct Folder {
    folder: tempfile::TempDir,
    opened: AtomicU32,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder, opened: AtomicU32::new(0) }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(format!("{}.db", self.opened.load(Ordering::Relaxed)))
    }

    fn current(&self) -> Box<dyn Store> {
        Box::new(SqliteStore::open(&Options::new(self.path())).expect("a database that opens"))
    }
}

#[async_trait::async_trait]
impl Fixture for Folder {
    async fn open(&self) -> Box<dyn Store> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        self.current()
    }

    async fn reopen(&self) -> Option<Box<dyn Store>> {
        Some(self.current())
    }

    async fn second_handle(&self) -> Option<Box<dyn Store>> {
        Some(self.current())
    }

    async fn make_shop(&self) {
        let merchants = rusqlite::Connection::open(self.path()).expect("the file opens");
        for table in shop_tables("TEXT", "TEXT") {
            merchants.execute_batch(&table).expect("it makes a table");
        }
    }
}

mod conformance {
    payonce_store_conformance::conformance_tests!(super::Folder::new());
}
