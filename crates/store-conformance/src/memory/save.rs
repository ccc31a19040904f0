//! Writes [`Changes`] into the model's tables, with the constraints that every schema has under these names.

use payonce_core::{
    StoreError,
    decide::{IncidentKind, Standing},
    message::MessageKind,
    order::OrderId,
    store::{
        Changes, KeptPayment, MessageView, NewMessage, OrderChange, OrderRow as RowOf, PaymentChange,
        PaymentRow, Position,
    },
};

use super::tables::{self, Incident, MessageRow, OrderRow, Tables, number, place};

/// What the model says where a database has its driver's error.
#[derive(Debug, thiserror::Error)]
#[error("the model store refuses it")]
struct Refusal;

pub(super) fn save(tables: &mut Tables, changes: &Changes) -> Result<(), StoreError> {
    let orders = write_orders(tables, &changes.orders)?;
    let payments = write_payments(tables, &changes.payments, &orders)?;
    for notification in &changes.notifications {
        once("notification_once", tables.notifications.insert(notification.clone()))?;
    }
    for message in &changes.messages {
        write_message(tables, message, &orders)?;
    }
    for incident in &changes.incidents {
        tables.incidents.push(Incident {
            payment: payments[incident.payment],
            kind: incident.kind,
            remedy: incident.remedy,
            opened_at: incident.opened_at,
            resolved: false,
        });
    }
    tables.receipts.extend_from_slice(&changes.receipts);
    Ok(())
}

fn once(name: &'static str, holds: bool) -> Result<(), StoreError> {
    if holds { Ok(()) } else { Err(StoreError::Constraint { name, source: Box::new(Refusal) }) }
}

/// Returns the row of each order in the list.
fn write_orders(tables: &mut Tables, changes: &[OrderChange]) -> Result<Vec<OrderId>, StoreError> {
    let mut rows = Vec::with_capacity(changes.len());
    for change in changes {
        let Some(id) = change.row.id() else {
            once("order_number_once", tables.order_by_key(&change.key).is_none())?;
            tables.orders.push(OrderRow { key: change.key.clone(), order: change.order.clone() });
            rows.push(OrderId(number(tables.orders.len() - 1)));
            continue;
        };
        rows.push(id);
        let Some(order) = &change.order else { continue };
        let row = &mut tables.orders[place(id.0)];
        let messages = row.order.as_ref().map(|order| order.messages);
        let unmoved = match change.row {
            RowOf::Registered { messages_before, .. } => messages == Some(messages_before),
            RowOf::New | RowOf::Awaited(_) => messages.is_none(),
        };
        if !unmoved {
            return Err(StoreError::Conflict(Box::new(Refusal)));
        }
        row.order = Some(order.clone());
    }
    Ok(rows)
}

/// Returns the place of each payment in the list.
fn write_payments(
    tables: &mut Tables,
    changes: &[PaymentChange],
    orders: &[OrderId],
) -> Result<Vec<usize>, StoreError> {
    let mut places = Vec::with_capacity(changes.len());
    for change in changes {
        let order = orders[change.order];
        if let Some(row) = change.row {
            places.push(place(row.0));
            told_apart(tables, change)?;
            settles_alone(tables, change.standing, order)?;
            move_payment(tables, place(row.0), change, order);
            continue;
        }
        told_apart(tables, change)?;
        settles_alone(tables, change.standing, order)?;
        places.push(tables.payments.len());
        let kept = KeptPayment {
            row: PaymentRow(number(tables.payments.len())),
            content: change.content.clone(),
            rival: change.rival,
            standing: change.standing,
            paid_at: change.paid_at,
            source: change.source,
            detail: change.detail.clone(),
        };
        let (learnt_at, told_apart) = (change.learnt_at, change.told_apart());
        tables.payments.push(tables::PaymentRow { kept, order, learnt_at, told_apart });
    }
    Ok(places)
}

/// Of one number, each statement is told apart from the others.
fn told_apart(tables: &Tables, change: &PaymentChange) -> Result<(), StoreError> {
    let other = |row: &tables::PaymentRow| Some(row.kept.row) != change.row;
    let same = |row: &tables::PaymentRow| {
        row.told_apart == change.told_apart() && row.kept.content.claim() == change.content.claim()
    };
    once("payment_statement_once", !tables.payments.iter().any(|row| other(row) && same(row)))
}

/// An order has one settling payment at the most.
fn settles_alone(tables: &Tables, standing: Standing, order: OrderId) -> Result<(), StoreError> {
    let settles = |row: &tables::PaymentRow| row.kept.standing == Standing::Settling && row.order == order;
    let alone = standing != Standing::Settling || !tables.payments.iter().any(settles);
    once("payment_settles_once", alone)
}

/// A payment that waited for its order has found it, which resolves the incident about the unknown order.
fn move_payment(tables: &mut Tables, place: usize, change: &PaymentChange, order: OrderId) {
    let row = &mut tables.payments[place];
    (row.kept.standing, row.kept.detail, row.order) = (change.standing, change.detail.clone(), order);
    row.told_apart = change.told_apart();
    for incident in &mut tables.incidents {
        incident.resolved |= incident.payment == place && incident.kind == IncidentKind::UnknownOrder;
    }
}

fn write_message(tables: &mut Tables, message: &NewMessage, orders: &[OrderId]) -> Result<(), StoreError> {
    let order = message.order.map(|(slot, sequence)| (orders[slot], sequence));
    if let Some((id, _)) = order {
        once("message_sequence_once", tables.messages.iter().all(|row| row.order != order))?;
        let succeeded = MessageKind::PaymentSucceeded.name();
        let same =
            |row: &MessageRow| row.order.is_some_and(|(other, _)| other == id) && row.view.kind == succeeded;
        let first = message.kind != MessageKind::PaymentSucceeded || !tables.messages.iter().any(same);
        once("payment_succeeded_once", first)?;
    }
    let view = MessageView {
        position: Position(number(tables.messages.len())),
        id: message.id.clone(),
        kind: message.kind.name(),
        body: message.body.clone(),
        created_at: message.created_at,
    };
    tables.messages.push(MessageRow { view, order });
    Ok(())
}
