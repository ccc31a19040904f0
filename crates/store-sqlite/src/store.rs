//! The `Store` trait on SQLite: writers take turns, readers do not wait for them.

use std::time::Duration;

use async_trait::async_trait;
use payonce_core::{
    MerchantId, NotificationId, OrderKey, Store, StoreError, Tx, UnixMillis,
    order::OrderId,
    store::{
        Consumers, Counts, EffectBook, Epoch, Lease, LedgerLine, MessageView, Note, OrderView, Owner,
        Position, Rejected, RejectedRow, Unopened, UnopenedRow, delivery::Deliveries,
    },
};
use rusqlite::params;

use crate::{SqliteStore, errors::class, leases::forget_nodes, notes, outbox::sequence, read, tx::SqliteTx};

#[async_trait]
impl Store for SqliteStore {
    fn epoch(&self) -> Option<Epoch> {
        Some(self.epoch.clone())
    }

    fn needs_sequencer(&self) -> bool {
        sequence::NEEDED
    }

    fn deliveries(&self) -> &dyn Deliveries {
        self
    }

    fn consumers(&self) -> &dyn Consumers {
        self
    }

    fn effects(&self) -> &dyn EffectBook {
        self
    }

    async fn begin(&self) -> Result<Box<dyn Tx + '_>, StoreError> {
        Ok(Box::new(SqliteTx::begin(self.writer.lock().await)?))
    }

    async fn note(&self, notes: &[Note]) -> Result<(), StoreError> {
        let tx = SqliteTx::begin(self.writer.lock().await)?;
        notes::write(tx.connection(), notes)?;
        tx.commit_now()
    }

    async fn rejected_before(
        &self,
        row: RejectedRow,
        back: usize,
    ) -> Result<Option<RejectedRow>, StoreError> {
        self.read(move |connection| read::rejected_before(connection, row, back)).await
    }

    async fn forget_rejected(&self, last: RejectedRow, rows_max: usize) -> Result<usize, StoreError> {
        let tx = SqliteTx::begin(self.writer.lock().await)?;
        let gone = notes::forget_rejected(tx.connection(), last, rows_max)?;
        tx.commit_now()?;
        Ok(gone)
    }

    async fn prune(&self, before: UnixMillis, rows_max: usize) -> Result<usize, StoreError> {
        let tx = SqliteTx::begin(self.writer.lock().await)?;
        let most = notes::prune(tx.connection(), &self.looked, before, rows_max)?;
        forget_nodes(tx.connection())?;
        tx.commit_now()?;
        Ok(most)
    }

    async fn sequence(&self, _: &Lease, _: usize) -> Result<usize, StoreError> {
        Ok(0)
    }

    async fn order(&self, key: &OrderKey) -> Result<Option<OrderView>, StoreError> {
        let key = key.clone();
        self.read(move |connection| read::order(connection, &key)).await
    }

    async fn messages_after(&self, after: Position, limit: usize) -> Result<Vec<MessageView>, StoreError> {
        self.read(move |connection| read::messages_after(connection, after, limit)).await
    }

    async fn ledger_after(&self, after: OrderId, limit: usize) -> Result<Vec<LedgerLine>, StoreError> {
        self.read(move |connection| read::ledger_after(connection, after, limit)).await
    }

    async fn rejected_latest(&self, limit: usize) -> Result<Vec<Rejected>, StoreError> {
        self.read(move |connection| read::rejected_latest(connection, limit)).await
    }

    async fn take_unopened(
        &self,
        owner: &Owner,
        ttl: Duration,
        after: UnopenedRow,
        limit: usize,
    ) -> Result<Vec<(UnopenedRow, Unopened)>, StoreError> {
        let tx = SqliteTx::begin(self.writer.lock().await)?;
        let taken = notes::take_unopened(tx.connection(), owner, ttl, after, limit)?;
        tx.commit_now()?;
        Ok(taken)
    }

    async fn return_unopened(&self, owner: &Owner) -> Result<(), StoreError> {
        let tx = SqliteTx::begin(self.writer.lock().await)?;
        tx.connection()
            .prepare_cached("UPDATE unopened SET taken_by = NULL, taken_until = NULL WHERE taken_by = ?1")
            .and_then(|mut update| update.execute([&owner.0]))
            .map_err(class)?;
        tx.commit_now()
    }

    async fn forget_unopened(&self, merchant: &MerchantId, id: &NotificationId) -> Result<(), StoreError> {
        let tx = SqliteTx::begin(self.writer.lock().await)?;
        tx.connection()
            .prepare_cached("DELETE FROM unopened WHERE mchid = ?1 AND notification_id = ?2")
            .and_then(|mut delete| delete.execute(params![merchant.as_str(), id.as_str()]))
            .map_err(class)?;
        tx.commit_now()
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.read(read::counts).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.read(|connection| Ok(connection.query_row("SELECT 1", [], |_| Ok(()))?)).await
    }
}
