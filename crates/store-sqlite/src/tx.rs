//! A transaction: `BEGIN IMMEDIATE` takes the one write lock, so that reading is claiming.

use std::sync::LazyLock;

use async_trait::async_trait;
use payonce_core::{
    OrderKey, StoreError, Tx,
    fact::Claim,
    order::OrderId,
    store::{Changes, Claimed, DEFERRED, KeptPayment, KnownOrder, Statements},
};
use rusqlite::{Connection, ErrorCode, params};
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

/// When a commit is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// When it returns, also in a power cut: an acknowledgement rests on it.
    AtOnce,
    /// With the next one that is durable at once: a power cut undoes it as if it had never been.
    Later,
}

/// The one connection that writes.
#[derive(Debug)]
pub(crate) struct Writer {
    connection: Connection,
    /// How the next commit is made durable.
    durability: Durability,
}

impl Writer {
    /// Of a connection whose commits are durable at once.
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, durability: Durability::AtOnce }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    fn be_durable(&mut self, durability: Durability) -> Result<(), StoreError> {
        if self.durability != durability {
            let synchronous = match durability {
                Durability::AtOnce => "FULL",
                Durability::Later => "NORMAL",
            };
            self.connection.pragma_update(None, "synchronous", synchronous).map_err(class)?;
            self.durability = durability;
        }
        Ok(())
    }
}

/// An open transaction on the writer. Rolled back when dropped.
pub(crate) struct SqliteTx<'a> {
    writer: MutexGuard<'a, Writer>,
    open: bool,
}

impl<'a> SqliteTx<'a> {
    /// A transaction that is durable when its commit returns.
    pub(crate) fn begin(writer: MutexGuard<'a, Writer>) -> Result<Self, StoreError> {
        Self::begin_as(writer, Durability::AtOnce)
    }

    pub(crate) fn begin_as(
        mut writer: MutexGuard<'a, Writer>,
        durability: Durability,
    ) -> Result<Self, StoreError> {
        // Order matters: within a transaction SQLite does not change it.
        writer.be_durable(durability)?;
        writer
            .connection
            .prepare_cached("BEGIN IMMEDIATE")
            .and_then(|mut begin| begin.execute([]))
            .map_err(class)?;
        Ok(Self { writer, open: true })
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.writer.connection
    }

    pub(crate) fn commit_now(mut self) -> Result<(), StoreError> {
        self.connection().prepare_cached("COMMIT").and_then(|mut commit| commit.execute([])).map_err(
            |error| match error.sqlite_error_code() {
                // None of payonce's own is deferred.
                Some(ErrorCode::ConstraintViolation) => {
                    StoreError::Constraint { name: DEFERRED, source: Box::new(error) }
                }
                _ => class(error),
            },
        )?;
        self.open = false;
        Ok(())
    }
}

impl Drop for SqliteTx<'_> {
    fn drop(&mut self) {
        // After some errors (disk full, for one) SQLite has rolled back by itself.
        if self.open && !self.connection().is_autocommit() {
            // A rollback that fails leaves the lock with this connection; the next BEGIN reports it.
            let _ = self.connection().execute_batch("ROLLBACK");
        }
    }
}

#[async_trait]
impl Tx for SqliteTx<'_> {
    async fn orders_for_update(&mut self, keys: &[OrderKey]) -> Result<Vec<KnownOrder>, StoreError> {
        let mut select = self.connection().prepare_cached(&ORDER_BY_KEY).map_err(class)?;
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
        let mut payments = self.connection().prepare_cached(&PAYMENTS_CLAIMED).map_err(class)?;
        let mut passed = self
            .connection()
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
        let mut select = self.connection().prepare_cached(&PAYMENTS_UNDER).map_err(class)?;
        for id in awaited {
            let mut found = select.query([id.0]).map_err(class)?;
            while let Some(row) = found.next().map_err(class)? {
                waiting.push(rows::kept_payment(row)?);
            }
        }
        Ok(waiting)
    }

    async fn save(&mut self, changes: &Changes) -> Result<(), StoreError> {
        save::save(self.connection(), changes)
    }

    fn statements(&mut self) -> &mut dyn Statements {
        self
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.commit_now()
    }
}
