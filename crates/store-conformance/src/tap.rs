//! A store between `apply` and the store that is tested: it sees what `apply` saves, and can make trouble.
//!
//! Invariant: what `apply` decides, no constraint refuses, unless another transaction was faster. Without this check a
//! wrong decision could hide, since `apply` mends a refused batch by applying its facts one by one.

use std::time::Duration;

use async_trait::async_trait;
use payonce_core::{
    MerchantId, NotificationId, OrderKey, Store, StoreError, Tx, UnixMillis,
    fact::Claim,
    order::OrderId,
    store::{
        Changes, Claimed, Consumers, Counts, EffectBook, Epoch, KeptPayment, KnownOrder, Lease, LeaseView,
        Leases, LedgerLine, MessageView, Note, OrderView, Owner, Position, Rejected, RejectedRow, Role,
        Statements, Unopened, UnopenedRow, delivery::Deliveries,
    },
};

#[cfg(test)]
mod tests;

/// Asked before each save; an error is answered in the store's place.
pub(crate) type BeforeSave<'a> = dyn Fn(&Changes) -> Result<(), StoreError> + Sync + 'a;

pub(crate) struct Tap<'a> {
    pub store: &'a dyn Store,
    /// Whether no one else writes, so that a constraint has nothing to refuse.
    pub alone: bool,
    pub before_save: &'a BeforeSave<'a>,
}

struct TapTx<'a> {
    tx: Box<dyn Tx + 'a>,
    alone: bool,
    before_save: &'a BeforeSave<'a>,
}

#[async_trait]
impl Tx for TapTx<'_> {
    async fn orders_for_update(&mut self, keys: &[OrderKey]) -> Result<Vec<KnownOrder>, StoreError> {
        self.tx.orders_for_update(keys).await
    }

    async fn claim(&mut self, claims: &[Claim]) -> Result<Claimed, StoreError> {
        self.tx.claim(claims).await
    }

    async fn payments_under(&mut self, awaited: &[OrderId]) -> Result<Vec<KeptPayment>, StoreError> {
        self.tx.payments_under(awaited).await
    }

    async fn save(&mut self, changes: &Changes) -> Result<(), StoreError> {
        (self.before_save)(changes)?;
        let saved = self.tx.save(changes).await;
        if let (true, Err(StoreError::Constraint { name, .. })) = (self.alone, &saved) {
            panic!("constraint {name} refuses what apply decided: {changes:#?}");
        }
        saved
    }

    fn statements(&mut self) -> &mut dyn Statements {
        self.tx.statements()
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.tx.commit().await
    }
}

#[async_trait]
impl Leases for Tap<'_> {
    async fn lease(&self, role: &Role, owner: &Owner, ttl: Duration) -> Result<Option<Lease>, StoreError> {
        self.store.lease(role, owner, ttl).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.store.release(lease).await
    }

    async fn leases(&self) -> Result<Vec<LeaseView>, StoreError> {
        self.store.leases().await
    }
}

#[async_trait]
impl Store for Tap<'_> {
    fn epoch(&self) -> Option<Epoch> {
        self.store.epoch()
    }

    fn needs_sequencer(&self) -> bool {
        self.store.needs_sequencer()
    }

    fn deliveries(&self) -> &dyn Deliveries {
        self.store.deliveries()
    }

    fn consumers(&self) -> &dyn Consumers {
        self.store.consumers()
    }

    fn effects(&self) -> &dyn EffectBook {
        self.store.effects()
    }

    async fn begin(&self) -> Result<Box<dyn Tx + '_>, StoreError> {
        let tx = self.store.begin().await?;
        Ok(Box::new(TapTx { tx, alone: self.alone, before_save: self.before_save }))
    }

    async fn note(&self, notes: &[Note]) -> Result<(), StoreError> {
        self.store.note(notes).await
    }

    async fn rejected_before(
        &self,
        row: RejectedRow,
        back: usize,
    ) -> Result<Option<RejectedRow>, StoreError> {
        self.store.rejected_before(row, back).await
    }

    async fn forget_rejected(&self, last: RejectedRow, rows_max: usize) -> Result<usize, StoreError> {
        self.store.forget_rejected(last, rows_max).await
    }

    async fn prune(&self, before: UnixMillis, rows_max: usize) -> Result<usize, StoreError> {
        self.store.prune(before, rows_max).await
    }

    async fn sequence(&self, lease: &Lease, transactions_max: usize) -> Result<usize, StoreError> {
        self.store.sequence(lease, transactions_max).await
    }

    async fn order(&self, key: &OrderKey) -> Result<Option<OrderView>, StoreError> {
        self.store.order(key).await
    }

    async fn messages_after(&self, after: Position, limit: usize) -> Result<Vec<MessageView>, StoreError> {
        self.store.messages_after(after, limit).await
    }

    async fn ledger_after(&self, after: OrderId, limit: usize) -> Result<Vec<LedgerLine>, StoreError> {
        self.store.ledger_after(after, limit).await
    }

    async fn rejected_latest(&self, limit: usize) -> Result<Vec<Rejected>, StoreError> {
        self.store.rejected_latest(limit).await
    }

    async fn take_unopened(
        &self,
        owner: &Owner,
        ttl: Duration,
        after: UnopenedRow,
        limit: usize,
    ) -> Result<Vec<(UnopenedRow, Unopened)>, StoreError> {
        self.store.take_unopened(owner, ttl, after, limit).await
    }

    async fn return_unopened(&self, owner: &Owner) -> Result<(), StoreError> {
        self.store.return_unopened(owner).await
    }

    async fn forget_unopened(&self, merchant: &MerchantId, id: &NotificationId) -> Result<(), StoreError> {
        self.store.forget_unopened(merchant, id).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.store.counts().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }
}
