//! What a database must do for payonce, and the rows that go in and out.
//!
//! Invariants: what needs atomicity is a method of [`Tx`]; a [`Tx`] that is dropped has changed nothing; a
//! commit that returned `Ok` is durable. Reads beside the writer are methods of [`Store`] and see only what
//! was committed.

use std::{fmt, time::Duration};

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

pub mod archive;
pub mod codes;
mod consumers;
pub mod delivery;
mod effects;
mod epoch;
mod error;
mod lease;
pub mod prune;
mod views;

pub use consumers::{ConsumerName, ConsumerNameError, ConsumerView, Consumers, Moved};
pub use delivery::Deliveries;
pub use effects::{EffectBook, StatementFailure, Statements};
pub use epoch::Epoch;
pub use error::{
    DEFERRED, DriverError, ForeignValue, OrderMoved, SchemaError, StoreError, Unavailability, with_causes,
};
pub use lease::{Lease, LeaseView, Leases, Owner, Role};
pub use views::{
    Counts, IncidentView, LedgerLine, MessageView, Note, OrderView, PaymentView, Position, Rejected,
    RejectedRow, Unopened, UnopenedRow,
};

/// A database that holds payonce's truth. Any number of nodes may have it open, unless it says otherwise.
#[async_trait]
pub trait Store: Leases + Send + Sync {
    /// What a cached answer is bound to. `None` while it is not known that the database still is the one it was:
    /// no cached answer counts then.
    fn epoch(&self) -> Option<Epoch>;

    /// Whether positions are given after the commit, by whoever holds [`Role::SEQUENCER`]. Where transactions
    /// commit one at a time, in the order of their numbers, a message has its position from the start.
    fn needs_sequencer(&self) -> bool;

    /// Where endpoints, and what is due to them, are kept: in the same database.
    fn deliveries(&self) -> &dyn Deliveries;

    /// Where it is kept how far consumers have read: in the same database.
    fn consumers(&self) -> &dyn Consumers;

    /// What is kept of effects that failed, and whether a statement can be executed: in the same database.
    fn effects(&self) -> &dyn EffectBook;

    /// Starts a transaction that may write.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be written now (locked, read-only, disk full).
    async fn begin(&self) -> Result<Box<dyn Tx + '_>, StoreError>;

    /// Writes notes, in a transaction of their own: what is worth keeping but changes no order.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    async fn note(&self, notes: &[Note]) -> Result<(), StoreError>;

    /// The refused callback that came `back` rows before another one (from 1); `None` if there are not so many. Rows are
    /// passed over one by one, since their numbers have gaps, and they are wide: ask for some hundred at a time.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be read now.
    async fn rejected_before(&self, row: RejectedRow, back: usize)
    -> Result<Option<RejectedRow>, StoreError>;

    /// Deletes the first refused callbacks, up to the row `last` and at most `rows_max`, so that no one waits long. Returns
    /// how many went; none means that none of them is left but what others delete at the time.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    async fn forget_rejected(&self, last: RejectedRow, rows_max: usize) -> Result<usize, StoreError>;

    /// Deletes receipts, refused callbacks and what failed of effects that are older than `before`. At most `rows_max` rows
    /// of each at a time, so that no one waits long. Returns how many went; less than `rows_max` means that none is left, or that the next are to
    /// be looked for behind rows of a clock that was ahead ([`prune`]): later calls come to them.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    async fn prune(&self, before: UnixMillis, rows_max: usize) -> Result<usize, StoreError>;

    /// Gives positions to committed messages that have none, transaction by transaction, for up to `transactions_max`
    /// of them. Returns how many messages got one.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if `lease` is no longer held; nothing is changed then. Else as
    /// [`begin`](Self::begin).
    async fn sequence(&self, lease: &Lease, transactions_max: usize) -> Result<usize, StoreError>;

    /// One order with its payments and incidents.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be read now.
    async fn order(&self, key: &OrderKey) -> Result<Option<OrderView>, StoreError>;

    /// Up to `limit` messages after a position, in the order of their positions. Whoever reads on from the last one
    /// skips none: a message never gets a position below one that could be read.
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

    /// Takes up to `limit` verified callbacks that did not open and stand after `after`, the earliest first. For `ttl`
    /// no other owner gets them, so that nodes share the work. A callback that another has is passed over.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    async fn take_unopened(
        &self,
        owner: &Owner,
        ttl: Duration,
        after: UnopenedRow,
        limit: usize,
    ) -> Result<Vec<(UnopenedRow, Unopened)>, StoreError>;

    /// Gives back what `owner` took and could not open.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    async fn return_unopened(&self, owner: &Owner) -> Result<(), StoreError>;

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
    /// Locks and returns the numbers that the database knows among `keys`, which are sorted and without doubles.
    /// Locks are taken in that order, so that two transactions never wait for each other.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], [`StoreError::Disconnected`], [`StoreError::Unavailable`].
    async fn orders_for_update(&mut self, keys: &[OrderKey]) -> Result<Vec<KnownOrder>, StoreError>;

    /// Tells what is kept under dedupe keys, sorted and without doubles. Comes after
    /// [`orders_for_update`](Self::orders_for_update): what another transaction wrote for a locked order is seen. Two
    /// that decide on the same keys all the same (under different orders, or none) meet at a constraint in
    /// [`save`](Self::save), and one of them comes again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], [`StoreError::Disconnected`], [`StoreError::Unavailable`].
    async fn claim(&mut self, claims: &[Claim]) -> Result<Claimed, StoreError>;

    /// The payments under these numbers, in the order of their arrival: those that wait, and those that contradict
    /// another statement about the same payment.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], [`StoreError::Disconnected`], [`StoreError::Unavailable`].
    async fn payments_under(&mut self, awaited: &[OrderId]) -> Result<Vec<KeptPayment>, StoreError>;

    /// Writes what was decided.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] if a row would break a promise; [`StoreError::Conflict`],
    /// [`StoreError::Disconnected`], [`StoreError::Unavailable`]. After an error the transaction can only be dropped.
    async fn save(&mut self, changes: &Changes) -> Result<(), StoreError>;

    /// The merchant's own statements, in this transaction.
    fn statements(&mut self) -> &mut dyn Statements;

    /// Makes it durable. `Ok` means that no crash can undo it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], [`StoreError::Disconnected`], [`StoreError::Unavailable`]: nothing was committed.
    /// [`StoreError::CommitUnknown`]: nobody knows.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// A number of an order that stands in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownOrder {
    /// The order is registered.
    Registered(OrderId, Order),
    /// Nobody registered it; payments wait for it. The row keeps a registration and a payment that run at the same
    /// time from missing each other: both write it.
    Awaited(OrderId, OrderKey),
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
    /// Orders that are new or moved, and those that the rows below belong to.
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
    /// Its row.
    pub row: OrderRow,
    /// Its number.
    pub key: OrderKey,
    /// What it shall be. `None`: nobody registered it, payments wait for it.
    pub order: Option<Order>,
}

/// The row of an order that is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderRow {
    /// There is none yet.
    New,
    /// That of a [`KnownOrder::Awaited`].
    Awaited(OrderId),
    /// That of a [`KnownOrder::Registered`].
    Registered {
        /// The row.
        id: OrderId,
        /// How many messages it had when it was read: the write fails with [`StoreError::Conflict`] if another
        /// transaction wrote one since.
        messages_before: u32,
    },
}

impl OrderRow {
    /// The row's number, unless it is new.
    #[must_use]
    pub fn id(self) -> Option<OrderId> {
        match self {
            Self::New => None,
            Self::Awaited(id) | Self::Registered { id, .. } => Some(id),
        }
    }
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
    /// The order that it names, registered or awaited.
    pub order: OrderSlot,
    /// When the customer paid.
    pub paid_at: Option<UnixMillis>,
    /// Who told us.
    pub source: Source,
    /// See [`KeptPayment::detail`].
    pub detail: Option<Json>,
    /// When we learnt of it.
    pub learnt_at: UnixMillis,
}

impl PaymentChange {
    /// What tells the statement from others under its payment's number: unique there. Its rival, in general. But what
    /// comes to count although it waited, or although it is not the first, does not show in the row of any other
    /// statement: two of those, of two orders, meet here.
    #[must_use]
    pub fn told_apart(&self) -> i32 {
        let counts = matches!(self.standing, Standing::Settling | Standing::Second);
        if counts && (self.row.is_some() || self.rival > 0) {
            return -1;
        }
        i32::try_from(self.rival).unwrap_or(i32::MAX)
    }
}

/// A message to be written. Its `Debug` does not show its body, which names the payer.
#[derive(Clone)]
pub struct NewMessage {
    /// Its id.
    pub id: MessageId,
    /// What it says.
    pub kind: MessageKind,
    /// Its order and its number among the order's messages (from 1).
    pub order: Option<(OrderSlot, u32)>,
    /// What it is about.
    pub subject: Subject,
    /// Which fact of the batch caused it, from 0.
    pub cause: usize,
    /// Its bytes: JSON.
    pub body: String,
    /// When it was written.
    pub created_at: UnixMillis,
}

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A payment.
    Payment(PaymentSlot),
    /// Its order alone.
    Order,
    /// A notification: its place in [`Changes::notifications`].
    Notification(usize),
}

impl fmt::Debug for NewMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, kind, order, subject, cause, body, created_at } = self;
        f.debug_struct("NewMessage")
            .field("id", id)
            .field("kind", kind)
            .field("order", order)
            .field("subject", subject)
            .field("cause", cause)
            .field("body_bytes", &body.len())
            .field("created_at", created_at)
            .finish()
    }
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
