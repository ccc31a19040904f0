//! The audit: what the database says of each payment that WeChat knows, read from a copy of its files.
//!
//! A copy, so that the server itself has to recover what a crash left in the log. Written without a look at the demo's
//! audit: two that agree say more than one.

use std::collections::{BTreeMap, BTreeSet};

use payonce_core::Store as _;
use payonce_core::order::OrderId;
use payonce_core::store::{LedgerLine, Position};
use payonce_store_sqlite::{Options, SqliteStore};
use serde_json::Value;

use crate::shop::Shop;

/// Rows read at a time.
const PAGE: usize = 500;

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
        let store = SqliteStore::open(&Options::new(folder.path().join("payonce.db"))).unwrap();
        let ledger = ledger(&store).await;
        let mut messages = messages(&store).await;
        let entries = shop.payments().map(|payment| {
            let line = &ledger[&payment.out_trade_no];
            Entry {
                paid: line.paid,
                transitions: line.settling,
                announced: line.succeeded,
                told: messages.remove(&payment.transaction_id).unwrap_or(0),
            }
        });
        Self { entries: entries.collect(), unfounded: messages.into_keys().collect() }
    }

    /// How many payments took effect.
    pub(crate) fn effects(&self) -> usize {
        self.entries.iter().filter(|entry| **entry == ONCE).count()
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
async fn ledger(store: &SqliteStore) -> BTreeMap<String, LedgerLine> {
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
async fn messages(store: &SqliteStore) -> BTreeMap<String, u32> {
    let mut told = BTreeMap::new();
    let mut after = Position(0);
    loop {
        let page = store.messages_after(after, PAGE).await.unwrap();
        let Some(last) = page.last() else { return told };
        after = last.position;
        for message in page.iter().filter(|message| message.kind == "payment.succeeded") {
            let body: Value = serde_json::from_str(&message.body).unwrap();
            let payment = body["data"]["transaction_id"].as_str().unwrap();
            *told.entry(payment.to_owned()).or_default() += 1;
        }
    }
}
