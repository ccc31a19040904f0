//! A transaction of the model store. It holds the write lock, so reading is claiming.

use async_trait::async_trait;
use payonce_core::{
    OrderKey, StoreError, Tx,
    fact::Claim,
    order::OrderId,
    store::{Changes, Claimed, KeptPayment, KnownOrder, Statements},
};
use tokio::sync::MutexGuard;

use super::{MemoryStore, save::save, tables::Tables};

pub(super) struct MemoryTx<'a> {
    store: &'a MemoryStore,
    _writer: MutexGuard<'a, ()>,
    pub(super) tables: Tables,
    pub(super) savepoint: Option<Tables>,
}

impl<'a> MemoryTx<'a> {
    pub(super) fn new(store: &'a MemoryStore, writer: MutexGuard<'a, ()>, tables: Tables) -> Self {
        Self { store, _writer: writer, tables, savepoint: None }
    }
}

#[async_trait]
impl Tx for MemoryTx<'_> {
    async fn orders_for_update(&mut self, keys: &[OrderKey]) -> Result<Vec<KnownOrder>, StoreError> {
        Ok(keys.iter().filter_map(|key| self.tables.order_by_key(key)).collect())
    }

    async fn claim(&mut self, claims: &[Claim]) -> Result<Claimed, StoreError> {
        let mut claimed = Claimed::default();
        for claim in claims {
            match claim {
                Claim::Payment(..) => {
                    let kept = self.tables.payments.iter().map(|row| &row.kept);
                    claimed.payments.extend(kept.filter(|kept| kept.content.claim() == *claim).cloned());
                }
                Claim::Notification(merchant, id) => {
                    let key = (merchant.clone(), id.clone());
                    claimed.notifications.extend(self.tables.notifications.get(&key).cloned());
                }
            }
        }
        Ok(claimed)
    }

    async fn payments_under(&mut self, awaited: &[OrderId]) -> Result<Vec<KeptPayment>, StoreError> {
        let rows = self.tables.payments.iter().filter(|row| awaited.contains(&row.order));
        Ok(rows.map(|row| row.kept.clone()).collect())
    }

    async fn save(&mut self, changes: &Changes) -> Result<(), StoreError> {
        save(&mut self.tables, changes)
    }

    fn statements(&mut self) -> &mut dyn Statements {
        self
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.store.commit(self.tables);
        Ok(())
    }
}
