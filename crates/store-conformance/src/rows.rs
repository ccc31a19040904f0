//! Rows made by hand, for what `apply` would never write.

use payonce_core::{
    Order, Paid,
    decide::Standing,
    message::{MessageId, MessageKind},
    order::OrderId,
    store::{NewMessage, OrderChange, OrderRow, OrderSlot, PaymentChange, Subject},
};

use crate::facts::{NOW, key, terms};

/// A fresh order without messages.
pub(crate) fn new_order(order: &str) -> OrderChange {
    let order = Order::registered(key(order), terms(), NOW);
    OrderChange { row: OrderRow::New, key: order.key.clone(), order: Some(order) }
}

/// An order that gets one message more.
pub(crate) fn next_message(id: OrderId, order: &Order) -> OrderChange {
    let row = OrderRow::Registered { id, messages_before: order.messages };
    let order = Order { messages: order.messages + 1, ..order.clone() };
    OrderChange { row, key: order.key.clone(), order: Some(order) }
}

/// A payment that settles the order at `slot`.
pub(crate) fn settling(paid: &Paid, slot: OrderSlot) -> PaymentChange {
    PaymentChange { standing: Standing::Settling, ..disputed(paid, 0, slot) }
}

/// A further payment of the order at `slot`.
pub(crate) fn second(paid: &Paid, slot: OrderSlot) -> PaymentChange {
    PaymentChange { standing: Standing::Second, ..disputed(paid, 0, slot) }
}

/// A payment that disagrees with the order at `slot`.
pub(crate) fn disputed(paid: &Paid, rival: u32, slot: OrderSlot) -> PaymentChange {
    PaymentChange {
        row: None,
        content: paid.content.clone(),
        rival,
        standing: Standing::Disputed,
        order: slot,
        paid_at: paid.paid_at,
        source: paid.source,
        detail: None,
        learnt_at: NOW,
    }
}

/// The `sequence`th message of the order at `slot`, which is `order`.
pub(crate) fn message(kind: MessageKind, order: &str, slot: OrderSlot, sequence: u32) -> NewMessage {
    NewMessage {
        id: MessageId::of_order(&key(order), sequence),
        kind,
        order: Some((slot, sequence)),
        subject: Subject::Order,
        cause: 0,
        body: "{}".to_owned(),
        created_at: NOW,
    }
}
