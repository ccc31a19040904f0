//! The audit: what the database says of each payment that WeChat knows.
//!
//! A database file is read from a copy, so that the server itself has to recover what a crash left in the log. Written
//! without a look at the demo's audit: two that agree say more than one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use payonce_core::Store;
use payonce_core::order::OrderId;
use payonce_core::store::{LedgerLine, MessageView, Position};
use payonce_store_mysql::MySqlStore;
use payonce_store_postgres::PostgresStore;
use payonce_store_sqlite::SqliteStore;
use serde_json::Value;

use crate::shop::Shop;

/// Rows read at a time.
const PAGE: usize = 500;

/// Opens the database at this URL.
pub(crate) async fn open(url: &str) -> Arc<dyn Store> {
    match url.split_once("://").unwrap() {
        ("sqlite", path) => Arc::new(SqliteStore::open(&payonce_store_sqlite::Options::new(path)).unwrap()),
        ("postgres", _) => {
            let options = payonce_store_postgres::Options::new(url).unwrap();
            Arc::new(PostgresStore::open(&options).await.unwrap())
        }
        ("mysql", _) => {
            let options = payonce_store_mysql::Options::new(url).unwrap();
            Arc::new(MySqlStore::open(&options).await.unwrap())
        }
        (other, _) => panic!("{other} is no database"),
    }
}

/// All messages that have a position, in the order of their positions.
pub(crate) async fn messages(store: &dyn Store) -> Vec<MessageView> {
    let mut all: Vec<MessageView> = Vec::new();
    loop {
        let after = all.last().map_or(Position(0), |last| last.position);
        let page = store.messages_after(after, PAGE).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// What the database holds of each payment.
pub(crate) struct Books {
    entries: Vec<Entry>,
    /// `payment.succeeded` for a payment that WeChat does not know.
    unfounded: Vec<String>,
}

/// What it holds of one payment.
#[derive(Debug, Default, PartialEq, Eq)]
struct Entry {
    /// Whether the order's row says that it is paid.
    paid: bool,
    /// Rows of payments that settle the order.
    transitions: u32,
    /// `payment.succeeded` of the order, by the message's row.
    announced: u32,
    /// `payment.succeeded` of the payment, by the message's own words.
    told: u32,
}

const ONCE: Entry = Entry { paid: true, transitions: 1, announced: 1, told: 1 };
const NEVER: Entry = Entry { paid: false, transitions: 0, announced: 0, told: 0 };

impl Entry {
    fn figures(&self) -> [u32; 3] {
        [self.transitions, self.announced, self.told]
    }
}

impl Books {
    /// Reads a copy of the shop's database. The server must be down.
    pub(crate) async fn read(shop: &Shop) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Not the -shm file: it is an index of the log, and SQLite makes it anew.
        for name in ["payonce.db", "payonce.db-wal"] {
            match std::fs::copy(shop.folder().join(name), folder.path().join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{name}: {error}"),
                _ => {}
            }
        }
        let copy = open(&format!("sqlite://{}", folder.path().join("payonce.db").display())).await;
        Self::of(&*copy, shop).await
    }

    /// Reads the shop's database through a store.
    pub(crate) async fn of(store: &dyn Store, shop: &Shop) -> Self {
        let ledger = ledger(store).await;
        let mut told = succeeded(&messages(store).await);
        let entries = shop.payments().map(|payment| {
            let line = ledger.get(&payment.out_trade_no);
            Entry {
                paid: line.is_some_and(|line| line.paid),
                transitions: line.map_or(0, |line| line.settling),
                announced: line.map_or(0, |line| line.succeeded),
                told: told.remove(&payment.transaction_id).unwrap_or(0),
            }
        });
        Self { entries: entries.collect(), unfounded: told.into_keys().collect() }
    }

    /// How many payments took effect.
    pub(crate) fn effects(&self) -> usize {
        self.entries.iter().filter(|entry| **entry == ONCE).count()
    }

    /// Payments that are not paid, not settled or not told of, and those that are so more than once.
    pub(crate) fn lost_and_doubled(&self) -> (usize, usize) {
        let lost = |entry: &&Entry| !entry.paid || entry.figures().contains(&0);
        let doubled = |entry: &&Entry| entry.figures().iter().any(|figure| *figure > 1);
        (self.entries.iter().filter(lost).count(), self.entries.iter().filter(doubled).count())
    }

    /// Checks what must hold at any time: each payment took effect once or not at all, and all that were acknowledged
    /// did.
    pub(crate) fn check(&self, acknowledged: &BTreeSet<usize>, when: &str) {
        assert_eq!(
            self.unfounded,
            Vec::<String>::new(),
            "{when}: messages about payments that were never made"
        );
        for (number, entry) in self.entries.iter().enumerate() {
            assert!(
                *entry == ONCE || *entry == NEVER,
                "{when}: payment {number} took effect by halves or twice: {entry:?}"
            );
            assert!(
                *entry == ONCE || !acknowledged.contains(&number),
                "{when}: payment {number} was acknowledged and is lost"
            );
        }
    }

    /// Checks what must hold once everything is acknowledged: nothing lost, nothing doubled.
    pub(crate) fn check_complete(&self, when: &str) {
        self.check(&(0..self.entries.len()).collect(), when);
    }
}

/// Every order by its number.
async fn ledger(store: &dyn Store) -> BTreeMap<String, LedgerLine> {
    let mut lines = BTreeMap::new();
    let mut after = OrderId(0);
    loop {
        let page = store.ledger_after(after, PAGE).await.unwrap();
        let Some(last) = page.last() else { return lines };
        after = last.id;
        for line in page {
            let other = lines.insert(line.key.out_trade_no.to_string(), line);
            assert_eq!(other, None, "an order number stands twice");
        }
    }
}

/// How many `payment.succeeded` name each payment.
fn succeeded(messages: &[MessageView]) -> BTreeMap<String, u32> {
    let mut told = BTreeMap::new();
    for message in messages.iter().filter(|message| message.kind == "payment.succeeded") {
        let body: Value = serde_json::from_str(&message.body).unwrap();
        let payment = body["data"]["transaction_id"].as_str().unwrap();
        *told.entry(payment.to_owned()).or_default() += 1;
    }
    told
}
