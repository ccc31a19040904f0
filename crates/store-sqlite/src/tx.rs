//! A transaction: `BEGIN IMMEDIATE` takes the one write lock, so that reading is claiming.

use std::sync::LazyLock;

use async_trait::async_trait;
use payonce_core::{
    OrderKey, StoreError, Tx,
    fact::Claim,
    order::OrderId,
    store::{Changes, Claimed, KeptPayment, KnownOrder, Statements},
};
use rusqlite::{Connection, params};
use tokio::sync::MutexGuard;

use crate::{
    errors::class,
    rows::{self, ORDER_COLUMNS, PAYMENT_COLUMNS},
    save,
};

static PAYMENTS_CLAIMED: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {PAYMENT_COLUMNS} FROM payment WHERE mchid = ?1 AND transaction_id = ?2 ORDER BY rival")
});

static PAYMENTS_UNDER: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {PAYMENT_COLUMNS} FROM payment WHERE order_id = ?1 AND standing <> 0 ORDER BY id")
});

/// One order by its key. SQLite holds the write lock, so reading it is locking it.
pub(crate) static ORDER_BY_KEY: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {ORDER_COLUMNS} FROM orders o WHERE o.mchid = ?1 AND o.out_trade_no = ?2")
});

/// An open transaction on the writer. Rolled back when dropped.
pub(crate) struct SqliteTx<'a> {
    connection: MutexGuard<'a, Connection>,
    open: bool,
}

impl<'a> SqliteTx<'a> {
    pub(crate) fn begin(connection: MutexGuard<'a, Connection>) -> Result<Self, StoreError> {
        connection
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut begin| begin.execute([]))
            .map_err(class)?;
        Ok(Self { connection, open: true })
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) fn commit_now(mut self) -> Result<(), StoreError> {
        self.connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([])).map_err(class)?;
        self.open = false;
        Ok(())
    }
}

impl Drop for SqliteTx<'_> {
    fn drop(&mut self) {
        // After some errors (disk full, for one) SQLite has rolled back by itself.
        if self.open && !self.connection.is_autocommit() {
            // A rollback that fails leaves the lock with this connection; the next BEGIN reports it.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }
}

#[async_trait]
impl Tx for SqliteTx<'_> {
    async fn orders_for_update(&mut self, keys: &[OrderKey]) -> Result<Vec<KnownOrder>, StoreError> {
        let mut select = self.connection.prepare_cached(&ORDER_BY_KEY).map_err(class)?;
        let mut orders = Vec::with_capacity(keys.len());
        for key in keys {
            let mut found =
                select.query(params![key.merchant.as_str(), key.out_trade_no.as_str()]).map_err(class)?;
            if let Some(row) = found.next().map_err(class)? {
                orders.push(rows::order(row, key)?);
            }
        }
        Ok(orders)
    }

    async fn claim(&mut self, claims: &[Claim]) -> Result<Claimed, StoreError> {
        let mut claimed = Claimed::default();
        let mut payments = self.connection.prepare_cached(&PAYMENTS_CLAIMED).map_err(class)?;
        let mut passed = self
            .connection
            .prepare_cached("SELECT 1 FROM notification_passed WHERE mchid = ?1 AND notification_id = ?2")
            .map_err(class)?;
        for claim in claims {
            match claim {
                Claim::Payment(merchant, number) => {
                    let mut found =
                        payments.query(params![merchant.as_str(), number.as_str()]).map_err(class)?;
                    while let Some(row) = found.next().map_err(class)? {
                        claimed.payments.push(rows::kept_payment(row)?);
                    }
                }
                Claim::Notification(merchant, id) => {
                    if passed.exists(params![merchant.as_str(), id.as_str()]).map_err(class)? {
                        claimed.notifications.push((merchant.clone(), id.clone()));
                    }
                }
            }
        }
        Ok(claimed)
    }

    async fn payments_under(&mut self, awaited: &[OrderId]) -> Result<Vec<KeptPayment>, StoreError> {
        let mut waiting = Vec::new();
        let mut select = self.connection.prepare_cached(&PAYMENTS_UNDER).map_err(class)?;
        for id in awaited {
            let mut found = select.query([id.0]).map_err(class)?;
            while let Some(row) = found.next().map_err(class)? {
                waiting.push(rows::kept_payment(row)?);
            }
        }
        Ok(waiting)
    }

    async fn save(&mut self, changes: &Changes) -> Result<(), StoreError> {
        save::save(&self.connection, changes)
    }

    fn statements(&mut self) -> &mut dyn Statements {
        self
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.commit_now()
    }
}
