//! What is read beside the writer, and the notes that change no order.

use std::fmt;

use crate::{
    decide::{IncidentKind, Outcome, Remedy, Standing},
    fact::{Content, Source},
    ids::{EventType, MerchantId, NotificationId},
    message::MessageId,
    order::{Order, OrderId, OrderKey},
    time::UnixMillis,
};

use super::Receipt;

/// Where a message stands among all messages: later ones have greater positions. Reading starts after 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub i64);

/// A message as it was written. Its `Debug` does not show its body, which names the payer.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageView {
    /// Where it stands.
    pub position: Position,
    /// Its id.
    pub id: MessageId,
    /// Its `type`, for example `payment.succeeded`.
    pub kind: String,
    /// Its bytes: JSON.
    pub body: String,
    /// When it was written.
    pub created_at: UnixMillis,
}

impl fmt::Debug for MessageView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { position, id, kind, body, created_at } = self;
        f.debug_struct("MessageView")
            .field("position", position)
            .field("id", id)
            .field("kind", kind)
            .field("body_bytes", &body.len())
            .field("created_at", created_at)
            .finish()
    }
}

/// An order with all that is known of it.
#[derive(Clone, Debug)]
pub struct OrderView {
    /// The order.
    pub order: Order,
    /// Its payments, the settling one first.
    pub payments: Vec<PaymentView>,
    /// Its open incidents, the earliest first.
    pub incidents: Vec<IncidentView>,
}

/// A payment of an order.
#[derive(Clone, Debug)]
pub struct PaymentView {
    /// The money part.
    pub content: Content,
    /// How it stands to the order.
    pub standing: Standing,
    /// When the customer paid.
    pub paid_at: Option<UnixMillis>,
    /// Who told us first.
    pub source: Source,
    /// When.
    pub learnt_at: UnixMillis,
}

/// An incident of an order.
#[derive(Clone, Debug)]
pub struct IncidentView {
    /// What does not add up.
    pub kind: IncidentKind,
    /// What is to become of the money.
    pub remedy: Remedy,
    /// When it was opened.
    pub opened_at: UnixMillis,
}

/// What an audit counts of one order, each figure from the rows themselves and not from the order's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerLine {
    /// The order's row.
    pub id: OrderId,
    /// The order.
    pub key: OrderKey,
    /// Whether its row says that it is paid.
    pub paid: bool,
    /// Payments that stand as settling it: one if paid, else none.
    pub settling: u32,
    /// `payment.succeeded` messages: one if paid, else none.
    pub succeeded: u32,
}

impl LedgerLine {
    /// Paid, settled and announced once; or not at all.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let once = u32::from(self.paid);
        self.settling == once && self.succeeded == once
    }
}

/// How many rows there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Registered or adopted orders.
    pub orders: u64,
    /// Kept payments.
    pub payments: u64,
    /// Messages.
    pub messages: u64,
    /// Incidents.
    pub incidents: u64,
    /// Receipts of accepted callbacks.
    pub receipts: u64,
    /// Rejected callbacks.
    pub rejected: u64,
    /// Verified callbacks that did not open.
    pub unopened: u64,
}

/// Something worth keeping that changes no order.
#[derive(Clone, Debug)]
pub enum Note {
    /// A callback that was answered from the cache of committed answers.
    Answered(Receipt),
    /// A callback that was refused.
    Rejected(Rejected),
    /// A verified callback that could not be read.
    Unopened(Unopened),
}

/// A callback that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// When it came.
    pub received_at: UnixMillis,
    /// The merchant in its path, as sent.
    pub path_merchant: String,
    /// What it was answered with.
    pub http_status: u16,
    /// Why, as a word: `signature_mismatch`, `signature_probe` …
    pub verdict: String,
    /// Why, as a sentence.
    pub reason: String,
    /// Its headers that concern the signature, one `Name: value` a line, as sent.
    pub headers: String,
    /// Its body as sent, cut at the limit that the server sets.
    pub body: Vec<u8>,
}

/// A verified callback that could not be read: our APIv3 key does not open it, or what it says is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unopened {
    /// Whose it is.
    pub merchant: MerchantId,
    /// The `id` of its envelope.
    pub notification: NotificationId,
    /// When it came: with its headers, this proves the signature again.
    pub received_at: UnixMillis,
    /// Its signature headers, one `Name: value` a line.
    pub headers: String,
    /// Its body, whole.
    pub body: Vec<u8>,
}

/// The row number that a store gave to a callback that did not open; later ones have greater numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnopenedRow(pub i64);

/// The row number that a store gave to a refused callback; later ones have greater numbers. The default one stands
/// before all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RejectedRow(pub i64);

impl RejectedRow {
    /// After all of them.
    pub const END: Self = Self(i64::MAX);
}

impl Receipt {
    /// A receipt of a callback, before it is known what comes of it.
    #[must_use]
    pub fn new(
        merchant: MerchantId,
        notification: NotificationId,
        event_type: EventType,
        received_at: UnixMillis,
    ) -> Self {
        Self { merchant, notification, event_type, received_at, outcome: Outcome::Duplicate }
    }
}
