//! The model store: plain collections behind the `Store` and `Tx` traits. It says what the suite expects of a
//! database, and lets `payonce-core` be tested without one.
//!
//! Invariants: one transaction at a time; it works on a copy, which its commit puts in place. Deliberately
//! absent: speed, and a life beyond the process.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use payonce_core::{
    Clock, MerchantId, NotificationId, Order, OrderKey, Store, StoreError, SystemClock, Tx, UnixMillis,
    order::OrderId,
    store::{
        Consumers, Counts, EffectBook, Epoch, IncidentView, KnownOrder, Lease, LedgerLine, MessageView, Note,
        OrderView, Owner, PaymentView, Position, Rejected, RejectedRow, Unavailability, Unopened,
        UnopenedRow, delivery::Deliveries,
    },
};

use crate::Fixture;

mod consumers;
mod deliveries;
mod effects;
mod leases;
mod save;
mod tables;
mod tx;

use tables::{Incident, Tables, UnopenedCallback};
use tx::MemoryTx;

/// A store in memory. Clones are handles to the same data.
#[derive(Clone)]
pub struct MemoryStore {
    /// What was committed.
    committed: Arc<Mutex<Arc<Tables>>>,
    /// Held by the transaction that may write.
    writer: Arc<tokio::sync::Mutex<()>>,
    /// The time by which deliveries are due.
    clock: Arc<dyn Clock>,
    /// Whether nothing of deliveries can be read or written.
    is_away: Arc<AtomicBool>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }
}

impl MemoryStore {
    /// An empty store in whose time deliveries are due and leases of them end.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { committed: Arc::default(), writer: Arc::default(), clock, is_away: Arc::default() }
    }

    /// Another handle, of which alone [`set_away`](Self::set_away) speaks then: another node's.
    #[must_use]
    pub fn of_another_node(&self) -> Self {
        Self { is_away: Arc::default(), ..self.clone() }
    }

    /// Lets deliveries be as those of a database that this node does not reach, or reaches again.
    pub fn set_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::Relaxed);
    }

    fn is_there(&self) -> Result<(), StoreError> {
        if self.is_away.load(Ordering::Relaxed) {
            let (reason, source) = (Unavailability::Unreachable, "the database is away".into());
            return Err(StoreError::Unavailable { reason, source });
        }
        Ok(())
    }

    fn committed(&self) -> Arc<Tables> {
        Arc::clone(&self.committed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn commit(&self, tables: Tables) {
        *self.committed.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(tables);
    }

    /// Changes the tables in a transaction of its own.
    async fn change<T>(&self, change: impl FnOnce(&mut Tables) -> T + Send) -> T {
        let _writer = self.writer.lock().await;
        let mut tables = Tables::clone(&self.committed());
        let result = change(&mut tables);
        self.commit(tables);
        result
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn epoch(&self) -> Option<Epoch> {
        Some(Epoch::new([0; Epoch::KEY_BYTES]))
    }

    fn needs_sequencer(&self) -> bool {
        false
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
        let writer = self.writer.lock().await;
        let tables = Tables::clone(&self.committed());
        Ok(Box::new(MemoryTx::new(self, writer, tables)))
    }

    async fn note(&self, notes: &[Note]) -> Result<(), StoreError> {
        self.change(|tables| tables.note(notes)).await;
        Ok(())
    }

    async fn rejected_before(
        &self,
        row: RejectedRow,
        back: usize,
    ) -> Result<Option<RejectedRow>, StoreError> {
        let tables = self.committed();
        let earlier = tables.rejected.iter().rev().filter(|(earlier, _)| *earlier < row);
        Ok(earlier.map(|(earlier, _)| *earlier).nth(back.saturating_sub(1)))
    }

    async fn forget_rejected(&self, last: RejectedRow, rows_max: usize) -> Result<usize, StoreError> {
        Ok(self.change(|tables| tables.forget_rejected(last, rows_max)).await)
    }

    async fn prune(&self, before: UnixMillis, rows_max: usize) -> Result<usize, StoreError> {
        Ok(self.change(|tables| tables.prune(before, rows_max)).await)
    }

    async fn sequence(&self, _: &Lease, _: usize) -> Result<usize, StoreError> {
        Ok(0)
    }

    async fn order(&self, key: &OrderKey) -> Result<Option<OrderView>, StoreError> {
        let tables = self.committed();
        Ok(match tables.order_by_key(key) {
            Some(KnownOrder::Registered(id, order)) => Some(view(&tables, id, order)),
            Some(KnownOrder::Awaited(..)) | None => None,
        })
    }

    async fn messages_after(&self, after: Position, limit: usize) -> Result<Vec<MessageView>, StoreError> {
        let tables = self.committed();
        let messages = tables.messages.iter().map(|row| &row.view);
        Ok(messages.filter(|view| view.position > after).take(limit).cloned().collect())
    }

    async fn ledger_after(&self, after: OrderId, limit: usize) -> Result<Vec<LedgerLine>, StoreError> {
        let tables = self.committed();
        let orders = tables.orders().filter(|(id, _)| *id > after).take(limit);
        Ok(orders.map(|(id, order)| tables.ledger_line(id, order)).collect())
    }

    async fn rejected_latest(&self, limit: usize) -> Result<Vec<Rejected>, StoreError> {
        Ok(self.committed().rejected.iter().rev().take(limit).map(|(_, callback)| callback.clone()).collect())
    }

    async fn take_unopened(
        &self,
        owner: &Owner,
        ttl: Duration,
        after: UnopenedRow,
        limit: usize,
    ) -> Result<Vec<(UnopenedRow, Unopened)>, StoreError> {
        Ok(self.change(|tables| tables.take_unopened(owner, ttl, after, limit)).await)
    }

    async fn return_unopened(&self, owner: &Owner) -> Result<(), StoreError> {
        self.change(|tables| {
            for row in &mut tables.unopened {
                row.taken.take_if(|(holder, _)| holder == owner);
            }
        })
        .await;
        Ok(())
    }

    async fn forget_unopened(&self, merchant: &MerchantId, id: &NotificationId) -> Result<(), StoreError> {
        let others =
            |row: &UnopenedCallback| (&row.callback.merchant, &row.callback.notification) != (merchant, id);
        self.change(|tables| tables.unopened.retain(others)).await;
        Ok(())
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        Ok(self.committed().counts())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

fn view(tables: &Tables, id: OrderId, order: Order) -> OrderView {
    let mut kept: Vec<_> = tables.payments.iter().filter(|payment| payment.order == id).collect();
    kept.sort_by_key(|payment| payment.kept.standing);
    let of_order = |incident: &&Incident| !incident.resolved && tables.payments[incident.payment].order == id;
    OrderView {
        order,
        payments: kept
            .into_iter()
            .map(|payment| PaymentView {
                content: payment.kept.content.clone(),
                standing: payment.kept.standing,
                paid_at: payment.kept.paid_at,
                source: payment.kept.source,
                learnt_at: payment.learnt_at,
            })
            .collect(),
        incidents: tables
            .incidents
            .iter()
            .filter(of_order)
            .map(|incident| IncidentView {
                kind: incident.kind,
                remedy: incident.remedy,
                opened_at: incident.opened_at,
            })
            .collect(),
    }
}

/// Opens [`MemoryStore`]s; a store's data lives as long as its fixture.
#[derive(Default)]
pub struct MemoryFixture {
    latest: Mutex<MemoryStore>,
}

impl MemoryFixture {
    fn latest(&self) -> MemoryStore {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Fixture for MemoryFixture {
    async fn open(&self) -> Box<dyn Store> {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = MemoryStore::default();
        Box::new(self.latest())
    }

    async fn reopen(&self) -> Option<Box<dyn Store>> {
        Some(Box::new(self.latest()))
    }

    async fn second_handle(&self) -> Option<Box<dyn Store>> {
        Some(Box::new(self.latest()))
    }

    async fn make_shop(&self) {
        // The tables of the suite are part of the model.
    }

    fn property_cases(&self) -> u32 {
        // Commits cost nothing here: a few seconds of them.
        150
    }
}
