//! The `Store` trait on PostgreSQL: transactions and the way of messages on connections of their own, all else beside them.

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
use sqlx::Connection;

use crate::{PostgresStore, errors::class, leases::forget_nodes, notes, outbox::sequence, read, tx::PgTx};

/// How often a short operation is done again that another transaction was faster than. They lock a row or two, so that
/// a second attempt nearly always succeeds.
pub(crate) const CONFLICTS_MAX: u32 = 4;

/// Does a short operation again that another transaction was faster than.
macro_rules! again_on_conflict {
    ($work:block) => {{
        let mut conflicts = 0;
        loop {
            match async { $work }.await {
                Err(StoreError::Conflict(_)) if conflicts < $crate::store::CONFLICTS_MAX => conflicts += 1,
                done => break done,
            }
        }
    }};
}
pub(crate) use again_on_conflict;

/// Does something on a connection beside the path, in transactions of one statement. Reads too are begun again: a
/// cluster ends them where another member's write needs their way.
macro_rules! beside {
    ($store:ident, $work:expr) => {
        $crate::store::alone!($store, beside, $work)
    };
}
pub(crate) use beside;

/// Does something in transactions of one statement, on a connection of the set that is named.
macro_rules! alone {
    ($store:ident, $connections:ident, $work:expr) => {
        $crate::store::again_on_conflict!({
            let mut session = $store.session(&$store.$connections).await?;
            session.run($work).await
        })
    };
}
pub(crate) use alone;

#[async_trait]
impl Store for PostgresStore {
    fn epoch(&self) -> Option<Epoch> {
        self.watch.current()
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
        Ok(Box::new(PgTx::begin(self.session(&self.path).await?).await?))
    }

    async fn note(&self, notes: &[Note]) -> Result<(), StoreError> {
        if notes.iter().all(|note| matches!(note, Note::Answered(_))) {
            // One statement, which is a transaction of its own.
            return beside!(self, async |c| notes::write(c, notes).await);
        }
        again_on_conflict!({
            let mut tx = PgTx::begin(self.session(&self.beside).await?).await?;
            tx.run(async |c| notes::write(c, notes).await).await?;
            tx.commit_now().await
        })
    }

    async fn rejected_before(
        &self,
        row: RejectedRow,
        back: usize,
    ) -> Result<Option<RejectedRow>, StoreError> {
        beside!(self, async |c| read::rejected_before(c, row, back).await)
    }

    async fn forget_rejected(&self, last: RejectedRow, rows_max: usize) -> Result<usize, StoreError> {
        beside!(self, async |c| notes::forget_rejected(c, last, rows_max).await)
    }

    async fn prune(&self, before: UnixMillis, rows_max: usize) -> Result<usize, StoreError> {
        again_on_conflict!({
            let mut session = self.session(&self.beside).await?;
            let gone = session.run(async |c| notes::prune(c, &self.looked, before, rows_max).await).await?;
            session.run(async |c| forget_nodes(c).await).await?;
            Ok(gone)
        })
    }

    async fn sequence(&self, lease: &Lease, transactions_max: usize) -> Result<usize, StoreError> {
        again_on_conflict!({
            let mut session = self.session(&self.way).await?;
            if !session.run(async |c| sequence::has_work(c, lease).await).await? {
                return Ok(0);
            }
            let mut tx = PgTx::begin(session).await?;
            let given = tx.run(async |c| sequence::sequence(c, lease, transactions_max).await).await?;
            tx.commit_now().await?;
            Ok(given)
        })
    }

    async fn order(&self, key: &OrderKey) -> Result<Option<OrderView>, StoreError> {
        beside!(self, async |c| read::order(c, key).await)
    }

    async fn messages_after(&self, after: Position, limit: usize) -> Result<Vec<MessageView>, StoreError> {
        beside!(self, async |c| read::messages_after(c, after, limit).await)
    }

    async fn ledger_after(&self, after: OrderId, limit: usize) -> Result<Vec<LedgerLine>, StoreError> {
        beside!(self, async |c| read::ledger_after(c, after, limit).await)
    }

    async fn rejected_latest(&self, limit: usize) -> Result<Vec<Rejected>, StoreError> {
        beside!(self, async |c| read::rejected_latest(c, limit).await)
    }

    async fn take_unopened(
        &self,
        owner: &Owner,
        ttl: Duration,
        after: UnopenedRow,
        limit: usize,
    ) -> Result<Vec<(UnopenedRow, Unopened)>, StoreError> {
        beside!(self, async |c| notes::take_unopened(c, owner, ttl, after, limit).await)
    }

    async fn return_unopened(&self, owner: &Owner) -> Result<(), StoreError> {
        beside!(self, async |c| notes::return_unopened(c, owner).await)
    }

    async fn forget_unopened(&self, merchant: &MerchantId, id: &NotificationId) -> Result<(), StoreError> {
        beside!(self, async |c| notes::forget_unopened(c, merchant, id).await)
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        beside!(self, async |c| read::counts(c).await)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        beside!(self, async |c| c.ping().await.map_err(class))
    }
}
