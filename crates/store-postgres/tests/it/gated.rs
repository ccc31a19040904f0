//! A store whose first transaction stops before one of its steps, until it is let on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

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
use payonce_store_postgres::PostgresStore;
use tokio::sync::Notify;

/// Steps of a transaction at which it can be stopped: begin, lock, claim, save, commit.
pub(crate) const STEPS: usize = 5;

/// Why anything else is not there.
const ONLY_BEGINS: &str = "apply only begins transactions";

pub(crate) struct Gated {
    store: Arc<PostgresStore>,
    stop_before: usize,
    steps: AtomicUsize,
    arrived: Notify,
    gate: Notify,
}

impl Gated {
    pub(crate) fn new(store: &Arc<PostgresStore>, stop_before: usize) -> Arc<Self> {
        Arc::new(Self {
            store: Arc::clone(store),
            stop_before,
            steps: AtomicUsize::new(0),
            arrived: Notify::new(),
            gate: Notify::new(),
        })
    }

    /// Returns when it stands at the gate.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    pub(crate) fn let_on(&self) {
        self.gate.notify_one();
    }

    async fn step(&self) {
        if self.steps.fetch_add(1, Ordering::Relaxed) == self.stop_before {
            self.arrived.notify_one();
            self.gate.notified().await;
        }
    }
}

struct GatedTx<'a> {
    tx: Box<dyn Tx + 'a>,
    gated: &'a Gated,
}

#[async_trait]
impl Tx for GatedTx<'_> {
    async fn orders_for_update(&mut self, keys: &[OrderKey]) -> Result<Vec<KnownOrder>, StoreError> {
        self.gated.step().await;
        self.tx.orders_for_update(keys).await
    }

    async fn claim(&mut self, claims: &[Claim]) -> Result<Claimed, StoreError> {
        self.gated.step().await;
        self.tx.claim(claims).await
    }

    async fn payments_under(&mut self, awaited: &[OrderId]) -> Result<Vec<KeptPayment>, StoreError> {
        self.tx.payments_under(awaited).await
    }

    async fn save(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.gated.step().await;
        self.tx.save(changes).await
    }

    fn statements(&mut self) -> &mut dyn Statements {
        self.tx.statements()
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.gated.step().await;
        self.tx.commit().await
    }
}

#[async_trait]
impl Leases for Gated {
    async fn lease(&self, _: &Role, _: &Owner, _: Duration) -> Result<Option<Lease>, StoreError> {
        unreachable!("{ONLY_BEGINS}")
    }

    async fn release(&self, _: &Lease) -> Result<(), StoreError> {
        unreachable!("{ONLY_BEGINS}")
    }

    async fn leases(&self) -> Result<Vec<LeaseView>, StoreError> {
        unreachable!("{ONLY_BEGINS}")
    }
}

#[async_trait]
impl Store for Gated {
    fn epoch(&self) -> Option<Epoch> {
        unreachable!("{ONLY_BEGINS}")
    }

    fn needs_sequencer(&self) -> bool {
        unreachable!("{ONLY_BEGINS}")
    }

    fn consumers(&self) -> &dyn Consumers {
        unreachable!("{ONLY_BEGINS}")
    }

    fn effects(&self) -> &dyn EffectBook {
        unreachable!("{ONLY_BEGINS}")
    }

    fn deliveries(&self) -> &dyn Deliveries {
        unreachable!("{ONLY_BEGINS}")
    }

    async fn begin(&self) -> Result<Box<dyn Tx + '_>, StoreError> {
        self.step().await;
        Ok(Box::new(GatedTx { tx: self.store.begin().await?, gated: self }))
    }

    async fn note(&self, _: &[Note]) -> Result<(), StoreError> {
        unreachable!("{ONLY_BEGINS}")
    }

    async fn rejected_before(&self, _: RejectedRow, _: usize) -> Result<Option<RejectedRow>, StoreError> {
        unreachable!("{ONLY_BEGINS}")
    }

    async fn forget_rejected(&self, _: RejectedRow, _: usize) -> Result<usize, StoreError> {
        unreachable!("{ONLY_BEGINS}")
    }

    async fn prune(&self, _: UnixMillis, _: usize) -> Result<usize, StoreError> {
        unreachable!("{ONLY_BEGINS}")
    }

    async fn sequence(&self, _: &Lease, _: usize) -> Result<usize, StoreError> {
        unreachable!("{ONLY_BEGINS}")
    }

    async fn order(&self, _: &OrderKey) -> Result<Option<OrderView>, StoreError> {
        unreachable!("{ONLY_BEGINS}")
    }

    async fn messages_after(&self, _: Position, _: usize) -> Result<Vec<MessageView>, StoreError> {
        unreachable!("{ONLY_BEGINS}")
    }

    async fn ledger_after(&self, _: OrderId, _: usize) -> Result<Vec<LedgerLine>, StoreError> {
        unreachable!("{ONLY_BEGINS}")
    }

    async fn rejected_latest(&self, _: usize) -> Result<Vec<Rejected>, StoreError> {
        unreachable!("{ONLY_BEGINS}")
    }

    async fn take_unopened(
        &self,
        _: &Owner,
        _: Duration,
        _: UnopenedRow,
        _: usize,
    ) -> Result<Vec<(UnopenedRow, Unopened)>, StoreError> {
        unreachable!("{ONLY_BEGINS}")
    }

    async fn return_unopened(&self, _: &Owner) -> Result<(), StoreError> {
        unreachable!("{ONLY_BEGINS}")
    }

    async fn forget_unopened(&self, _: &MerchantId, _: &NotificationId) -> Result<(), StoreError> {
        unreachable!("{ONLY_BEGINS}")
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        unreachable!("{ONLY_BEGINS}")
    }

    async fn ping(&self) -> Result<(), StoreError> {
        unreachable!("{ONLY_BEGINS}")
    }
}
