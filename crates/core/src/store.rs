//! What a database must do for payonce, and the rows that go in and out.
//!
//! Invariants: what needs atomicity is a method of [`Tx`]; a [`Tx`] that is dropped has changed nothing; a
//! commit that returned `Ok` is durable. Reads beside the writer are methods of [`Store`] and see only what
//! was committed.

use async_trait::async_trait;

use crate::{
    decide::{IncidentKind, Outcome, Remedy, Standing},
    fact::{Claim, Content, Source},
    ids::{EventType, MerchantId, NotificationId},
    json::Json,
    message::{MessageId, MessageKind},
    order::{Order, OrderId, OrderKey},
    time::UnixMillis,
};

mod error;
mod views;

pub use error::{DriverError, SchemaError, StoreError, Unavailability};
pub use views::{
    Counts, IncidentView, LedgerLine, MessageView, Note, OrderView, PaymentView, Position, Rejected,
    Retention, Unopened,
};

/// A database that holds payonce's truth.
#[async_trait]
pub trait Store: Send + Sync {
    /// Starts a transaction that may write.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be written now (locked, read-only, disk full).
    async fn begin(&self) -> Result<Box<dyn Tx + '_>, StoreError>;

    /// Writes notes, in a transaction of their own: what is worth keeping but changes no order.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    async fn note(&self, notes: &[Note], retention: &Retention) -> Result<(), StoreError>;

    /// Deletes receipts older than `before`. At most `rows_max` rows at a time, so that no one waits long.
    /// Returns how many went.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    async fn forget_receipts(&self, before: UnixMillis, rows_max: usize) -> Result<usize, StoreError>;

    /// One order with its payments and incidents.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be read now.
    async fn order(&self, key: &OrderKey) -> Result<Option<OrderView>, StoreError>;

    /// Up to `limit` messages after a position, in the order of their positions. Never skips a committed one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be read now.
    async fn messages_after(&self, after: Position, limit: usize) -> Result<Vec<MessageView>, StoreError>;

    /// Up to `limit` orders after an order, each with what an audit counts.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be read now.
    async fn ledger_after(&self, after: OrderId, limit: usize) -> Result<Vec<LedgerLine>, StoreError>;

    /// Up to `limit` rejected callbacks, the latest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be read now.
    async fn rejected_latest(&self, limit: usize) -> Result<Vec<Rejected>, StoreError>;

    /// Up to `limit` verified callbacks that did not open, the earliest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be read now.
    async fn unopened_earliest(&self, limit: usize) -> Result<Vec<Unopened>, StoreError>;

    /// Forgets a callback that opened after all.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    async fn forget_unopened(&self, merchant: &MerchantId, id: &NotificationId) -> Result<(), StoreError>;

    /// How many rows there are of what.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be read now.
    async fn counts(&self) -> Result<Counts, StoreError>;

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it does not.
    async fn ping(&self) -> Result<(), StoreError>;
}

/// A transaction. Dropped without [`commit`](Self::commit), it has changed nothing.
#[async_trait]
pub trait Tx: Send {
    /// Takes dedupe keys and tells what is kept under them. Until this transaction ends, no other can decide
    /// on the same keys: either it waits, or one of the two gets [`StoreError::Conflict`] and comes again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], [`StoreError::Unavailable`].
    async fn claim(&mut self, claims: &[Claim]) -> Result<Claimed, StoreError>;

    /// Locks and returns the orders that exist among `keys`, which are sorted and without doubles.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], [`StoreError::Unavailable`].
    async fn orders_for_update(&mut self, keys: &[OrderKey]) -> Result<Vec<(OrderId, Order)>, StoreError>;

    /// The payments that wait for the registration of these orders, in the order of their arrival.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], [`StoreError::Unavailable`].
    async fn unmatched_payments(&mut self, keys: &[OrderKey]) -> Result<Vec<KeptPayment>, StoreError>;

    /// Writes what was decided.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] if a row would break a promise; [`StoreError::Conflict`],
    /// [`StoreError::Unavailable`]. After an error the transaction can only be dropped.
    async fn save(&mut self, changes: &Changes) -> Result<(), StoreError>;

    /// Makes it durable. `Ok` means that no crash can undo it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], [`StoreError::Unavailable`]: nothing was committed.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// The row number that a store gave to a payment; what came later has a greater one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentRow(pub i64);

/// What is kept under claimed keys.
#[derive(Clone, Debug, Default)]
pub struct Claimed {
    /// Statements about the claimed payments.
    pub payments: Vec<KeptPayment>,
    /// Those of the claimed notifications that were passed on.
    pub notifications: Vec<(MerchantId, NotificationId)>,
}

/// A payment as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptPayment {
    /// Its row.
    pub row: PaymentRow,
    /// The money part.
    pub content: Content,
    /// Counts the contents under one payment number: 0 for the first, 1 and up for contradicting ones.
    pub rival: u32,
    /// How it stands to its order.
    pub standing: Standing,
    /// When the customer paid.
    pub paid_at: Option<UnixMillis>,
    /// Who told us.
    pub source: Source,
    /// What else WeChat said; kept only while the payment is unmatched (its message holds it otherwise).
    pub detail: Option<Json>,
}

/// Everything that one transaction writes. Rows refer to each other by their place in these lists.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Orders that are new or moved.
    pub orders: Vec<OrderChange>,
    /// Payments that are new or moved.
    pub payments: Vec<PaymentChange>,
    /// Notifications passed on.
    pub notifications: Vec<(MerchantId, NotificationId)>,
    /// Messages, in the order of their sequence numbers.
    pub messages: Vec<NewMessage>,
    /// Incidents opened.
    pub incidents: Vec<NewIncident>,
    /// Callbacks whose facts these are.
    pub receipts: Vec<Receipt>,
}

/// A place in [`Changes::orders`].
pub type OrderSlot = usize;
/// A place in [`Changes::payments`].
pub type PaymentSlot = usize;

/// An order as it shall be.
#[derive(Clone, Debug)]
pub struct OrderChange {
    /// Its row, or `None` if it is new.
    pub id: Option<OrderId>,
    /// What it shall be.
    pub order: Order,
    /// How many messages it had when it was read: the write fails with [`StoreError::Conflict`] if another
    /// transaction wrote one since.
    pub messages_before: u32,
}

/// A payment as it shall be.
#[derive(Clone, Debug)]
pub struct PaymentChange {
    /// Its row, or `None` if it is new. Of an old one only standing, order and detail change, and its incident
    /// about the unknown order is resolved.
    pub row: Option<PaymentRow>,
    /// The money part.
    pub content: Content,
    /// See [`KeptPayment::rival`].
    pub rival: u32,
    /// How it stands to its order.
    pub standing: Standing,
    /// Its order, if registered.
    pub order: Option<OrderSlot>,
    /// When the customer paid.
    pub paid_at: Option<UnixMillis>,
    /// Who told us.
    pub source: Source,
    /// See [`KeptPayment::detail`].
    pub detail: Option<Json>,
    /// When we learnt of it.
    pub learnt_at: UnixMillis,
}

/// A message to be written.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// Its id.
    pub id: MessageId,
    /// What it says.
    pub kind: MessageKind,
    /// Its order and its number among the order's messages (from 1).
    pub order: Option<(OrderSlot, u32)>,
    /// Its bytes: JSON.
    pub body: String,
    /// When it was written.
    pub created_at: UnixMillis,
}

/// An incident to be written.
#[derive(Clone, Debug)]
pub struct NewIncident {
    /// What does not add up.
    pub kind: IncidentKind,
    /// What is to become of the money.
    pub remedy: Remedy,
    /// The payment it is about.
    pub payment: PaymentSlot,
    /// When it was opened.
    pub opened_at: UnixMillis,
}

/// A callback that was accepted.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Whose it is.
    pub merchant: MerchantId,
    /// Its number.
    pub notification: NotificationId,
    /// Its type.
    pub event_type: EventType,
    /// When it came.
    pub received_at: UnixMillis,
    /// What came of it.
    pub outcome: Outcome,
}
