//! SQLite behind gates: commits and notes can be held until a test lets them go, and made to fail.

use std::{
    path::Path,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use payonce_core::{
    MerchantId, NotificationId, OrderKey, Outcome, Store, StoreError, Tx, UnixMillis,
    fact::Claim,
    order::OrderId,
    store::{
        Changes, Claimed, ConsumerName, ConsumerView, Consumers, Counts, EffectBook, Epoch, KeptPayment,
        KnownOrder, Lease, LeaseView, Leases, LedgerLine, MessageView, Moved, Note, OrderView, Owner,
        Position, Rejected, RejectedRow, Role, Statements, Unavailability, Unopened, UnopenedRow,
        archive::{Archive as _, Row, TABLES, Value},
        codes::outcome_code,
        delivery::Deliveries,
    },
};
use payonce_store_sqlite::{Options, SqliteStore};
use tokio::sync::watch;

use crate::wire::within;

/// What is the matter with the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Trouble {
    #[default]
    None,
    /// Nothing can be begun, noted or read.
    Unavailable,
    /// No node can renew its presence; all else can be done.
    PresenceFails,
    /// Transactions go well until they are to be committed.
    CommitFails,
    /// Transactions end the thread that commits.
    CommitPanics,
    /// Notes cannot be written; all else can.
    NotesFail,
    /// The connection is lost while notes are written.
    NotesCut,
    /// Notes end the task that writes them.
    NotesPanic,
    /// Notes of refused callbacks are refused for good; others can be written.
    RejectedNotesRefused,
    /// The first look for callbacks that did not open panics.
    TakingPanics,
    /// A row of this payment breaks a constraint.
    Refuses { transaction_id: String },
}

/// SQLite, and what a test does to it.
pub(crate) struct TestStore {
    sqlite: SqliteStore,
    epoch: Mutex<Option<Epoch>>,
    trouble: Mutex<Trouble>,
    serves_many: AtomicBool,
    begun: AtomicUsize,
    gate_open: watch::Sender<bool>,
    at_gate: watch::Sender<usize>,
    notes_gate_open: watch::Sender<bool>,
    notes_at_gate: watch::Sender<usize>,
    given_back: watch::Sender<usize>,
    committed: watch::Sender<usize>,
    notes_refused: watch::Sender<usize>,
    cleared_out: watch::Sender<usize>,
}

impl TestStore {
    pub(crate) fn open(path: &Path) -> Self {
        Self {
            sqlite: SqliteStore::open(&Options::new(path)).unwrap(),
            epoch: Mutex::default(),
            trouble: Mutex::default(),
            serves_many: AtomicBool::new(false),
            begun: AtomicUsize::new(0),
            gate_open: watch::Sender::new(true),
            at_gate: watch::Sender::new(0),
            notes_gate_open: watch::Sender::new(true),
            notes_at_gate: watch::Sender::new(0),
            given_back: watch::Sender::new(0),
            committed: watch::Sender::new(0),
            notes_refused: watch::Sender::new(0),
            cleared_out: watch::Sender::new(0),
        }
    }

    /// What the merchant's own program does: executes statements, and returns the first column of what the last one finds.
    pub(crate) fn sql(&self, statements: &str) -> Vec<i64> {
        let connection = rusqlite::Connection::open(self.sqlite.path()).unwrap();
        let (before, last) = statements.rsplit_once(';').unwrap_or(("", statements));
        connection.execute_batch(before).unwrap();
        let mut last = connection.prepare(last).unwrap();
        last.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// From now on, as if this were the epoch of the database.
    pub(crate) fn pretend_epoch(&self, epoch: Epoch) {
        *self.epoch.lock().unwrap() = Some(epoch);
    }

    /// From now on.
    pub(crate) fn trouble(&self, trouble: Trouble) {
        *self.troubled() = trouble;
    }

    /// As if it were a server with many nodes: what it does need not be the only thing at a time.
    pub(crate) fn serve_many(&self) {
        self.serves_many.store(true, Ordering::SeqCst);
    }

    /// Holds transactions before their commit.
    pub(crate) fn close_gate(&self) {
        self.gate_open.send_replace(false);
    }

    /// Lets them go.
    pub(crate) fn open_gate(&self) {
        self.gate_open.send_replace(true);
    }

    /// Waits until the `nth` transaction, counted from the store's opening, wants to commit.
    pub(crate) async fn at_gate(&self, nth: usize) {
        let mut at_gate = self.at_gate.subscribe();
        within("a transaction at the gate", at_gate.wait_for(|count| *count >= nth)).await.unwrap();
    }

    /// Holds notes before they are written.
    pub(crate) fn close_notes_gate(&self) {
        self.notes_gate_open.send_replace(false);
    }

    /// Lets them go.
    pub(crate) fn open_notes_gate(&self) {
        self.notes_gate_open.send_replace(true);
    }

    /// Waits until notes are to be written.
    pub(crate) async fn notes_at_gate(&self) {
        let mut at_gate = self.notes_at_gate.subscribe();
        within("notes at the gate", at_gate.wait_for(|count| *count > 0)).await.unwrap();
    }

    /// Waits until all callbacks that did not open were looked at once.
    pub(crate) async fn looked_at_unopened(&self) {
        let mut given_back = self.given_back.subscribe();
        within("a look at what did not open", given_back.wait_for(|count| *count > 0)).await.unwrap();
    }

    /// Waits until `count` transactions are committed.
    pub(crate) async fn committed(&self, count: usize) {
        let mut committed = self.committed.subscribe();
        within("a commit", committed.wait_for(|seen| *seen >= count)).await.unwrap();
    }

    /// Waits until notes could not be written.
    pub(crate) async fn note_refused(&self) {
        let mut refused = self.notes_refused.subscribe();
        within("notes to be refused", refused.wait_for(|count| *count > 0)).await.unwrap();
    }

    /// Waits until old receipts were looked for.
    pub(crate) async fn cleared_out(&self) {
        let mut cleared_out = self.cleared_out.subscribe();
        within("the clearing out", cleared_out.wait_for(|count| *count > 0)).await.unwrap();
    }

    /// What came of the callbacks that were accepted, in the order of their receipts.
    pub(crate) async fn receipts(&self) -> Vec<Outcome> {
        let table = TABLES.iter().find(|table| table.name == "receipt").unwrap();
        let rows = self.sqlite.rows_after(table, &[], 1000).await.unwrap();
        let all = [Outcome::Applied, Outcome::Duplicate, Outcome::Unmatched, Outcome::Incident];
        let outcome = |row: &Row| {
            let code = |outcome: &Outcome| row.last() == Some(&Value::Int(outcome_code(*outcome)));
            all.into_iter().find(code).unwrap()
        };
        rows.iter().map(outcome).collect()
    }

    /// Transactions begun so far.
    pub(crate) fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    fn troubled(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap()
    }

    fn available(&self) -> Result<(), StoreError> {
        if *self.troubled() == Trouble::Unavailable { Err(unavailable()) } else { Ok(()) }
    }
}

fn unavailable() -> StoreError {
    StoreError::Unavailable { reason: Unavailability::DiskFull, source: "told so by a test".into() }
}

#[async_trait]
impl Leases for TestStore {
    async fn lease(&self, role: &Role, owner: &Owner, ttl: Duration) -> Result<Option<Lease>, StoreError> {
        self.available()?;
        if role.is_node() && *self.troubled() == Trouble::PresenceFails {
            return Err(StoreError::Disconnected("told so by a test".into()));
        }
        self.sqlite.lease(role, owner, ttl).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.available()?;
        self.sqlite.release(lease).await
    }

    async fn leases(&self) -> Result<Vec<LeaseView>, StoreError> {
        self.available()?;
        self.sqlite.leases().await
    }
}

#[async_trait]
impl Consumers for TestStore {
    async fn move_consumer(
        &self,
        name: &ConsumerName,
        from: Option<Position>,
        to: Position,
    ) -> Result<Moved, StoreError> {
        self.available()?;
        self.sqlite.move_consumer(name, from, to).await
    }

    async fn remove_consumer(&self, name: &ConsumerName) -> Result<bool, StoreError> {
        self.available()?;
        self.sqlite.remove_consumer(name).await
    }

    async fn consumer(&self, name: &ConsumerName) -> Result<Option<ConsumerView>, StoreError> {
        self.available()?;
        self.sqlite.consumer(name).await
    }

    async fn all_consumers(&self) -> Result<Vec<ConsumerView>, StoreError> {
        self.available()?;
        self.sqlite.all_consumers().await
    }

    async fn newest_position(&self) -> Result<Position, StoreError> {
        self.available()?;
        self.sqlite.newest_position().await
    }
}

#[async_trait]
impl Store for TestStore {
    fn epoch(&self) -> Option<Epoch> {
        self.epoch.lock().unwrap().clone().or_else(|| self.sqlite.epoch())
    }

    fn needs_sequencer(&self) -> bool {
        self.serves_many.load(Ordering::SeqCst) || self.sqlite.needs_sequencer()
    }

    fn deliveries(&self) -> &dyn Deliveries {
        self.sqlite.deliveries()
    }

    fn consumers(&self) -> &dyn Consumers {
        self
    }

    fn effects(&self) -> &dyn EffectBook {
        self.sqlite.effects()
    }

    async fn begin(&self) -> Result<Box<dyn Tx + '_>, StoreError> {
        self.available()?;
        self.begun.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(TestTx { inner: self.sqlite.begin().await?, store: self }))
    }

    async fn note(&self, notes: &[Note]) -> Result<(), StoreError> {
        self.available()?;
        self.notes_at_gate.send_modify(|count| *count += 1);
        let mut gate_open = self.notes_gate_open.subscribe();
        gate_open.wait_for(|open| *open).await.map_err(|closed| StoreError::Unexpected(closed.into()))?;
        let trouble = self.troubled().clone();
        let refused = match trouble {
            Trouble::NotesFail => Some(unavailable()),
            Trouble::NotesPanic => panic!("told so by a test"),
            Trouble::NotesCut => Some(StoreError::Disconnected("told so by a test".into())),
            Trouble::RejectedNotesRefused if notes.iter().any(|note| matches!(note, Note::Rejected(_))) => {
                Some(StoreError::Unexpected("told so by a test".into()))
            }
            _ => None,
        };
        if let Some(error) = refused {
            self.notes_refused.send_modify(|count| *count += 1);
            return Err(error);
        }
        self.sqlite.note(notes).await
    }

    async fn rejected_before(
        &self,
        row: RejectedRow,
        back: usize,
    ) -> Result<Option<RejectedRow>, StoreError> {
        self.sqlite.rejected_before(row, back).await
    }

    async fn forget_rejected(&self, last: RejectedRow, rows_max: usize) -> Result<usize, StoreError> {
        self.available()?;
        self.sqlite.forget_rejected(last, rows_max).await
    }

    async fn prune(&self, before: UnixMillis, rows_max: usize) -> Result<usize, StoreError> {
        self.available()?;
        let gone = self.sqlite.prune(before, rows_max).await?;
        self.cleared_out.send_modify(|count| *count += 1);
        Ok(gone)
    }

    async fn sequence(&self, lease: &Lease, transactions_max: usize) -> Result<usize, StoreError> {
        self.available()?;
        self.sqlite.sequence(lease, transactions_max).await
    }

    async fn order(&self, key: &OrderKey) -> Result<Option<OrderView>, StoreError> {
        self.available()?;
        self.sqlite.order(key).await
    }

    async fn messages_after(&self, after: Position, limit: usize) -> Result<Vec<MessageView>, StoreError> {
        self.available()?;
        self.sqlite.messages_after(after, limit).await
    }

    async fn ledger_after(&self, after: OrderId, limit: usize) -> Result<Vec<LedgerLine>, StoreError> {
        self.sqlite.ledger_after(after, limit).await
    }

    async fn rejected_latest(&self, limit: usize) -> Result<Vec<Rejected>, StoreError> {
        self.sqlite.rejected_latest(limit).await
    }

    async fn take_unopened(
        &self,
        owner: &Owner,
        ttl: Duration,
        after: UnopenedRow,
        limit: usize,
    ) -> Result<Vec<(UnopenedRow, Unopened)>, StoreError> {
        self.available()?;
        assert!(*self.troubled() != Trouble::TakingPanics, "told so by a test");
        self.sqlite.take_unopened(owner, ttl, after, limit).await
    }

    async fn return_unopened(&self, owner: &Owner) -> Result<(), StoreError> {
        self.available()?;
        self.sqlite.return_unopened(owner).await?;
        self.given_back.send_modify(|count| *count += 1);
        Ok(())
    }

    async fn forget_unopened(&self, merchant: &MerchantId, id: &NotificationId) -> Result<(), StoreError> {
        self.available()?;
        self.sqlite.forget_unopened(merchant, id).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.sqlite.counts().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.available()?;
        self.sqlite.ping().await
    }
}

struct TestTx<'a> {
    inner: Box<dyn Tx + 'a>,
    store: &'a TestStore,
}

#[async_trait]
impl Tx for TestTx<'_> {
    async fn orders_for_update(&mut self, keys: &[OrderKey]) -> Result<Vec<KnownOrder>, StoreError> {
        self.inner.orders_for_update(keys).await
    }

    async fn claim(&mut self, claims: &[Claim]) -> Result<Claimed, StoreError> {
        self.inner.claim(claims).await
    }

    async fn payments_under(&mut self, awaited: &[OrderId]) -> Result<Vec<KeptPayment>, StoreError> {
        self.inner.payments_under(awaited).await
    }

    async fn save(&mut self, changes: &Changes) -> Result<(), StoreError> {
        if let Trouble::Refuses { transaction_id } = &*self.store.troubled()
            && changes.payments.iter().any(|change| change.content.payment.as_str() == transaction_id)
        {
            let source = "told so by a test".into();
            return Err(StoreError::Constraint { name: "payment_statement_once", source });
        }
        self.inner.save(changes).await
    }

    fn statements(&mut self) -> &mut dyn Statements {
        self.inner.statements()
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.store.at_gate.send_modify(|count| *count += 1);
        let mut gate_open = self.store.gate_open.subscribe();
        gate_open.wait_for(|open| *open).await.map_err(|closed| StoreError::Unexpected(closed.into()))?;
        let trouble = self.store.troubled().clone();
        match trouble {
            Trouble::CommitFails => return Err(unavailable()),
            Trouble::CommitPanics => panic!("told so by a test"),
            _ => {}
        }
        self.inner.commit().await?;
        self.store.committed.send_modify(|count| *count += 1);
        Ok(())
    }
}
