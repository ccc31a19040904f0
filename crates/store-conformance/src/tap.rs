//! A store between `apply` and the store that is tested: it sees what `apply` saves, and can make trouble.
//!
//! Invariant: what `apply` decides, no constraint refuses. Without this check a wrong decision could hide, since
//! `apply` mends a refused batch by applying its facts one by one.

use async_trait::async_trait;
use payonce_core::{
    MerchantId, NotificationId, Order, OrderKey, Store, StoreError, Tx, UnixMillis,
    fact::Claim,
    order::OrderId,
    store::{
        Changes, Claimed, Counts, KeptPayment, LedgerLine, MessageView, Note, OrderView, Position, Rejected,
        Retention, Unopened,
    },
};

#[cfg(test)]
mod tests;

/// Asked before each save; an error is answered in the store's place.
pub(crate) type BeforeSave<'a> = dyn Fn(&Changes) -> Result<(), StoreError> + Sync + 'a;

pub(crate) struct Tap<'a> {
    pub store: &'a dyn Store,
    pub before_save: &'a BeforeSave<'a>,
}

struct TapTx<'a> {
    tx: Box<dyn Tx + 'a>,
    before_save: &'a BeforeSave<'a>,
}

#[async_trait]
impl Tx for TapTx<'_> {
    async fn claim(&mut self, claims: &[Claim]) -> Result<Claimed, StoreError> {
        self.tx.claim(claims).await
    }

    async fn orders_for_update(&mut self, keys: &[OrderKey]) -> Result<Vec<(OrderId, Order)>, StoreError> {
        self.tx.orders_for_update(keys).await
    }

    async fn unmatched_payments(&mut self, keys: &[OrderKey]) -> Result<Vec<KeptPayment>, StoreError> {
        self.tx.unmatched_payments(keys).await
    }

    async fn save(&mut self, changes: &Changes) -> Result<(), StoreError> {
        (self.before_save)(changes)?;
        let saved = self.tx.save(changes).await;
        if let Err(StoreError::Constraint { name, .. }) = &saved {
            panic!("constraint {name} refuses what apply decided: {changes:#?}");
        }
        saved
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.tx.commit().await
    }
}

#[async_trait]
impl Store for Tap<'_> {
    async fn begin(&self) -> Result<Box<dyn Tx + '_>, StoreError> {
        Ok(Box::new(TapTx { tx: self.store.begin().await?, before_save: self.before_save }))
    }

    async fn note(&self, notes: &[Note], retention: &Retention) -> Result<(), StoreError> {
        self.store.note(notes, retention).await
    }

    async fn forget_receipts(&self, before: UnixMillis, rows_max: usize) -> Result<usize, StoreError> {
        self.store.forget_receipts(before, rows_max).await
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

    async fn unopened_earliest(&self, limit: usize) -> Result<Vec<Unopened>, StoreError> {
        self.store.unopened_earliest(limit).await
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
