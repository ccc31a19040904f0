//! A message as an effect sees it: typed, beside the bytes that everyone else gets.

use crate::{
    fact::{Content, Source},
    ids::{MerchantId, NotificationId},
    message::{MessageId, MessageKind},
    order::{OrderKey, OrderState},
    store::{Changes, NewMessage, Subject},
    time::UnixMillis,
};

/// A message whose transaction is not committed yet. Its `Debug` does not show its body, which names the payer.
#[derive(Clone)]
pub struct EffectMessage<'a> {
    /// Its id.
    pub id: &'a MessageId,
    /// Its `type`, for example `payment.succeeded`.
    pub kind: String,
    /// The merchant that it concerns.
    pub merchant: &'a MerchantId,
    /// The order that it is about, registered or merely named by a payment.
    pub order: Option<&'a OrderKey>,
    /// Its number among the order's messages, if the order is registered.
    pub sequence: Option<u32>,
    /// The payment that it is about.
    pub payment: Option<Paid<'a>>,
    /// The notification that it hands on.
    pub notification: Option<&'a NotificationId>,
    /// Of `payment.succeeded`: whether the payment came after the order was closed.
    pub late: Option<bool>,
    /// Its bytes: JSON.
    pub body: &'a str,
    /// When it was written.
    pub created_at: UnixMillis,
}

/// The payment that a message is about.
#[derive(Clone, Copy, Debug)]
pub struct Paid<'a> {
    /// The money part.
    pub content: &'a Content,
    /// When the customer paid.
    pub paid_at: Option<UnixMillis>,
    /// Who told us.
    pub source: Source,
}

impl<'a> EffectMessage<'a> {
    /// `message`, which is one of those in `changes`.
    pub(super) fn of(message: &'a NewMessage, changes: &'a Changes) -> Self {
        let registered = message.order.map(|(slot, _)| &changes.orders[slot]);
        let (payment, handed_on) = match message.subject {
            Subject::Payment(slot) => (Some(&changes.payments[slot]), None),
            Subject::Notification(slot) => (None, Some(&changes.notifications[slot])),
            Subject::Order => (None, None),
        };
        let order = registered.map(|change| &change.key).or(payment.map(|payment| &payment.content.key));
        let merchant = order.map(|key| &key.merchant).or(handed_on.map(|(merchant, _)| merchant));
        let merchant = merchant.expect("BUG: a message is about an order, a payment or a notification");
        let late = match registered.and_then(|change| change.order.as_ref()).map(|order| &order.state) {
            Some(OrderState::Paid { late, .. }) if message.kind == MessageKind::PaymentSucceeded => {
                Some(*late)
            }
            _ => None,
        };
        Self {
            id: &message.id,
            kind: message.kind.name(),
            merchant,
            order,
            sequence: message.order.map(|(_, sequence)| sequence),
            payment: payment.map(|payment| Paid {
                content: &payment.content,
                paid_at: payment.paid_at,
                source: payment.source,
            }),
            notification: handed_on.map(|(_, id)| id),
            late,
            body: &message.body,
            created_at: message.created_at,
        }
    }

    /// What its failures are kept under: the payment, else the notification, else the order. The message's id would not do:
    /// another one may have come before it by the time that its fact succeeds.
    #[must_use]
    pub fn subject(&self) -> String {
        match (self.payment, self.notification, self.order) {
            (Some(paid), _, _) => format!("payment:{}:{}", self.merchant, paid.content.payment),
            (None, Some(id), _) => format!("event:{}:{id}", self.merchant),
            (None, None, Some(key)) => format!("order:{}:{}", self.merchant, key.out_trade_no),
            (None, None, None) => format!("message:{}", self.id.0),
        }
    }
}

impl std::fmt::Debug for EffectMessage<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, kind, order, payment, body, .. } = self;
        f.debug_struct("EffectMessage")
            .field("id", id)
            .field("kind", kind)
            .field("order", order)
            .field("payment", &payment.map(|paid| &paid.content.payment))
            .field("body_bytes", &body.len())
            .finish_non_exhaustive()
    }
}
