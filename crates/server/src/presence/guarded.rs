//! The store as a node uses it: only while the database sees the node.

use std::{sync::Arc, time::Duration};

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

use super::Seen;

mod consumers;
mod deliveries;
mod effects;

/// A store that writes nothing while the database does not see this node, and takes nothing for committed that was
/// committed then. It reads, unless a copy takes everything elsewhere.
pub(crate) struct Guarded {
    store: Arc<dyn Store>,
    seen: Arc<Seen>,
}

impl Guarded {
    pub(crate) fn new(store: Arc<dyn Store>, seen: Arc<Seen>) -> Self {
        Self { store, seen }
    }

    /// What is read counts, unless a copy was seen before it was there.
    async fn read<T>(
        &self,
        read: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.seen.check_readable()?;
        let found = read.await?;
        self.seen.check_readable()?;
        Ok(found)
    }

    /// What a change returned, if it counts.
    async fn changed<T>(
        &self,
        change: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.seen.check()?;
        let done = change.await?;
        counts(&self.seen).map(|()| done)
    }
}

/// What has just been committed counts only if the database still sees this node: else a copy that did not know of the
/// node may have read what was there before it. To begin anew is to ask, once the node is seen again.
fn counts(seen: &Seen) -> Result<(), StoreError> {
    seen.absence().map_or(Ok(()), |absence| Err(StoreError::CommitUnknown(Box::new(absence))))
}

#[async_trait]
impl Leases for Guarded {
    /// A node that is not seen gets no role, and loses those that it has.
    async fn lease(&self, role: &Role, owner: &Owner, ttl: Duration) -> Result<Option<Lease>, StoreError> {
        if !role.is_node() && self.seen.absence().is_some() {
            return Ok(None);
        }
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
impl Store for Guarded {
    fn epoch(&self) -> Option<Epoch> {
        if self.seen.absence().is_some() { None } else { self.store.epoch() }
    }

    fn needs_sequencer(&self) -> bool {
        self.store.needs_sequencer()
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
        self.seen.check()?;
        Ok(Box::new(GuardedTx { tx: self.store.begin().await?, seen: &self.seen }))
    }

    async fn note(&self, notes: &[Note]) -> Result<(), StoreError> {
        self.seen.check()?;
        self.store.note(notes).await?;
        counts(&self.seen)
    }

    async fn rejected_before(
        &self,
        row: RejectedRow,
        back: usize,
    ) -> Result<Option<RejectedRow>, StoreError> {
        self.read(self.store.rejected_before(row, back)).await
    }

    async fn forget_rejected(&self, last: RejectedRow, rows_max: usize) -> Result<usize, StoreError> {
        self.seen.check()?;
        self.store.forget_rejected(last, rows_max).await
    }

    async fn prune(&self, before: UnixMillis, rows_max: usize) -> Result<usize, StoreError> {
        self.seen.check()?;
        self.store.prune(before, rows_max).await
    }

    async fn sequence(&self, lease: &Lease, transactions_max: usize) -> Result<usize, StoreError> {
        self.seen.check()?;
        self.store.sequence(lease, transactions_max).await
    }

    async fn order(&self, key: &OrderKey) -> Result<Option<OrderView>, StoreError> {
        self.read(self.store.order(key)).await
    }

    async fn messages_after(&self, after: Position, limit: usize) -> Result<Vec<MessageView>, StoreError> {
        self.read(self.store.messages_after(after, limit)).await
    }

    async fn ledger_after(&self, after: OrderId, limit: usize) -> Result<Vec<LedgerLine>, StoreError> {
        self.read(self.store.ledger_after(after, limit)).await
    }

    async fn rejected_latest(&self, limit: usize) -> Result<Vec<Rejected>, StoreError> {
        self.read(self.store.rejected_latest(limit)).await
    }

    async fn take_unopened(
        &self,
        owner: &Owner,
        ttl: Duration,
        after: UnopenedRow,
        limit: usize,
    ) -> Result<Vec<(UnopenedRow, Unopened)>, StoreError> {
        self.seen.check()?;
        self.store.take_unopened(owner, ttl, after, limit).await
    }

    async fn return_unopened(&self, owner: &Owner) -> Result<(), StoreError> {
        self.seen.check()?;
        self.store.return_unopened(owner).await
    }

    async fn forget_unopened(&self, merchant: &MerchantId, id: &NotificationId) -> Result<(), StoreError> {
        self.seen.check()?;
        self.store.forget_unopened(merchant, id).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.read(self.store.counts()).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.seen.check()?;
        self.store.ping().await
    }
}

struct GuardedTx<'a> {
    tx: Box<dyn Tx + 'a>,
    seen: &'a Seen,
}

#[async_trait]
impl Tx for GuardedTx<'_> {
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
        self.tx.save(changes).await
    }

    fn statements(&mut self) -> &mut dyn Statements {
        self.tx.statements()
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.seen.check()?;
        self.tx.commit().await?;
        counts(self.seen)
    }
}
