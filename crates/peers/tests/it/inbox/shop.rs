//! The shop's database, as `examples/inbox/schema.sql` makes it.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;

pub(super) struct Shop {
    folder: TempDir,
    database: PathBuf,
}

impl Shop {
    /// With orders of these numbers, not yet paid.
    pub(super) fn open(orders: &[u32]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("shop.db");
        let schema = std::fs::read_to_string(super::program::example("schema.sql")).unwrap();
        Connection::open(&database).unwrap().execute_batch(&schema).unwrap();
        let shop = Self { folder, database };
        orders.iter().for_each(|number| shop.order(*number));
        shop
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn database(&self) -> &Path {
        &self.database
    }

    /// Places an order.
    pub(super) fn order(&self, number: u32) {
        let insert = "INSERT INTO shop_orders (no) VALUES (?1)";
        self.connect().execute(insert, [format!("ORDER{number}")]).unwrap();
    }

    /// How often an order was paid, and how much in all.
    pub(super) fn paid(&self, number: u32) -> (i64, i64) {
        let select = "SELECT payments, paid_fen FROM shop_orders WHERE no = ?1";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        self.connect().query_row(select, [format!("ORDER{number}")], row).unwrap()
    }

    /// The messages whose effects are committed.
    pub(super) fn inbox(&self) -> Vec<String> {
        let connection = self.connect();
        let mut select = connection.prepare("SELECT id FROM inbox ORDER BY id").unwrap();
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    fn connect(&self) -> Connection {
        Connection::open(&self.database).unwrap()
    }
}
