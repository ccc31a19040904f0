//! Writes what was decided, table by table: orders that are new, payments, orders that moved, the rest.

use payonce_core::{
    Json, MerchantId, Order, OrderKey, OrderState, StoreError, fault,
    order::OrderId,
    store::{
        Changes, NewIncident, NewMessage, OrderChange, OrderMoved, OrderRow, PaymentChange, PaymentRow,
        Receipt,
        codes::{STATE_AWAITED, outcome_code, remedy_code, source_code, standing_code, state_code},
    },
};
use rusqlite::{Connection, params};

use crate::errors::{class, constraint};

pub(crate) fn save(connection: &Connection, changes: &Changes) -> Result<(), StoreError> {
    // Order matters: payments and messages point at their order, incidents at their payment.
    let orders = write_orders(connection, &changes.orders)?;
    fault!("save: orders written, payments not yet");
    let payments = write_payments(connection, &changes.payments, &orders)?;
    fault!("save: payments written, messages not yet");
    update_orders(connection, &changes.orders, &orders)?;
    insert_notifications(connection, changes)?;
    insert_messages(connection, &changes.messages, &orders)?;
    insert_incidents(connection, &changes.incidents, &payments)?;
    insert_receipts(connection, &changes.receipts)
}

/// Inserts new orders, registers awaited ones; returns the row of each order in the list.
fn write_orders(connection: &Connection, orders: &[OrderChange]) -> Result<Vec<OrderId>, StoreError> {
    let mut rows = Vec::with_capacity(orders.len());
    for change in orders {
        rows.push(match (change.row, &change.order) {
            (OrderRow::New, order) => insert_order(connection, &change.key, order.as_ref())?,
            (OrderRow::Awaited(id), Some(order)) => {
                register_awaited(connection, id, order)?;
                id
            }
            (OrderRow::Awaited(id) | OrderRow::Registered { id, .. }, _) => id,
        });
    }
    Ok(rows)
}

/// Inserts an order, pending for the moment, or a number that payments wait under.
fn insert_order(
    connection: &Connection,
    key: &OrderKey,
    order: Option<&Order>,
) -> Result<OrderId, StoreError> {
    let terms = order.map(|order| &order.terms);
    connection
        .prepare_cached(
            "INSERT INTO orders (mchid, out_trade_no, amount, currency, appid, sub_mchid, expires_at, state, \
             flagged, messages, registered_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 0, ?9)",
        )
        .and_then(|mut insert| {
            insert.execute(params![
                key.merchant.as_str(),
                key.out_trade_no.as_str(),
                terms.map(|terms| terms.amount.get()),
                terms.map(|terms| terms.currency.as_str()),
                terms.map(|terms| terms.appid.as_str()),
                terms.and_then(|terms| terms.sub_merchant.as_ref()).map(MerchantId::as_str),
                terms.and_then(|terms| terms.expires_at).map(|at| at.0),
                order.map_or(STATE_AWAITED, |_| state_code(&OrderState::Pending)),
                order.map(|order| order.registered_at.0),
            ])
        })
        .map_err(|error| constraint(error, || "order_number_once"))?;
    Ok(OrderId(connection.last_insert_rowid()))
}

/// Registers an order, pending for the moment, under a number that payments wait under.
fn register_awaited(connection: &Connection, id: OrderId, order: &Order) -> Result<(), StoreError> {
    let terms = &order.terms;
    let registered = connection
        .prepare_cached(
            "UPDATE orders SET amount = ?2, currency = ?3, appid = ?4, sub_mchid = ?5, expires_at = ?6, state = 0, \
             registered_at = ?7 WHERE id = ?1 AND state = 4",
        )
        .and_then(|mut update| {
            update.execute(params![
                id.0,
                terms.amount.get(),
                terms.currency.as_str(),
                terms.appid.as_str(),
                terms.sub_merchant.as_ref().map(MerchantId::as_str),
                terms.expires_at.map(|at| at.0),
                order.registered_at.0,
            ])
        })
        .map_err(class)?;
    if registered == 1 { Ok(()) } else { Err(OrderMoved.into()) }
}

/// Inserts new payments and moves old ones; returns the row of each payment in the list.
fn write_payments(
    connection: &Connection,
    payments: &[PaymentChange],
    orders: &[OrderId],
) -> Result<Vec<PaymentRow>, StoreError> {
    let mut insert = connection
        .prepare_cached(
            "INSERT INTO payment (mchid, transaction_id, rival, told_apart, out_trade_no, amount, currency, appid, sub_mchid, \
             standing, order_id, paid_at, source, learnt_at, detail) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        )
        .map_err(class)?;
    let mut rows = Vec::with_capacity(payments.len());
    for payment in payments {
        if let Some(row) = payment.row {
            move_payment(connection, row, payment, orders)?;
            rows.push(row);
            continue;
        }
        let content = &payment.content;
        insert
            .execute(params![
                content.key.merchant.as_str(),
                content.payment.as_str(),
                payment.rival,
                payment.told_apart(),
                content.key.out_trade_no.as_str(),
                content.amount.get(),
                content.currency.as_str(),
                content.appid.as_str(),
                content.sub_merchant.as_ref().map(MerchantId::as_str),
                standing_code(payment.standing),
                orders[payment.order].0,
                payment.paid_at.map(|at| at.0),
                source_code(payment.source),
                payment.learnt_at.0,
                payment.detail.as_ref().map(Json::as_str),
            ])
            .map_err(|error| constraint(error, || payment_constraint(connection, payment)))?;
        rows.push(PaymentRow(connection.last_insert_rowid()));
    }
    Ok(rows)
}

/// Which of the two constraints on payments it was: SQLite's code does not say.
fn payment_constraint(connection: &Connection, payment: &PaymentChange) -> &'static str {
    let content = &payment.content;
    let same_statement = connection
        .prepare_cached("SELECT 1 FROM payment WHERE mchid = ?1 AND transaction_id = ?2 AND told_apart = ?3")
        .and_then(|mut select| {
            select.exists(params![
                content.key.merchant.as_str(),
                content.payment.as_str(),
                payment.told_apart()
            ])
        });
    if matches!(same_statement, Ok(true)) { "payment_statement_once" } else { "payment_settles_once" }
}

/// A payment that waited for its order has found it, which ends the incident about the unknown order.
fn move_payment(
    connection: &Connection,
    row: PaymentRow,
    payment: &PaymentChange,
    orders: &[OrderId],
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE payment SET standing = ?2, order_id = ?3, detail = ?4, told_apart = ?5 WHERE id = ?1",
        )
        .and_then(|mut update| {
            update.execute(params![
                row.0,
                standing_code(payment.standing),
                orders[payment.order].0,
                payment.detail.as_ref().map(Json::as_str),
                payment.told_apart(),
            ])
        })
        .map_err(|error| constraint(error, || payment_constraint(connection, payment)))?;
    connection
        .prepare_cached(
            "UPDATE incident SET resolved_at = ?2 \
             WHERE payment_id = ?1 AND kind = 'unknown_order' AND resolved_at IS NULL",
        )
        .and_then(|mut update| update.execute(params![row.0, payment.learnt_at.0]))
        .map_err(class)?;
    Ok(())
}

fn update_orders(
    connection: &Connection,
    orders: &[OrderChange],
    order_rows: &[OrderId],
) -> Result<(), StoreError> {
    // `messages` guards: whoever wrote the order since has written a message with it.
    let mut update = connection
        .prepare_cached(
            "UPDATE orders SET state = ?2, flagged = ?3, messages = ?4 WHERE id = ?1 AND messages = ?5",
        )
        .map_err(class)?;
    for (change, row) in orders.iter().zip(order_rows) {
        let Some(order) = &change.order else { continue };
        let messages_before = match change.row {
            // Just written, as pending. It may be flagged all the same: for a contradiction that was told of before.
            OrderRow::New | OrderRow::Awaited(_) if order.messages == 0 && !order.flagged => continue,
            OrderRow::New | OrderRow::Awaited(_) => 0,
            OrderRow::Registered { messages_before, .. } => messages_before,
        };
        let updated = update
            .execute(params![row.0, state_code(&order.state), order.flagged, order.messages, messages_before])
            .map_err(class)?;
        if updated != 1 {
            return Err(OrderMoved.into());
        }
    }
    Ok(())
}

fn insert_notifications(connection: &Connection, changes: &Changes) -> Result<(), StoreError> {
    if changes.notifications.is_empty() {
        return Ok(());
    }
    let mut insert = connection
        .prepare_cached("INSERT INTO notification_passed (mchid, notification_id) VALUES (?1, ?2)")
        .map_err(class)?;
    for (merchant, id) in &changes.notifications {
        insert
            .execute(params![merchant.as_str(), id.as_str()])
            .map_err(|error| constraint(error, || "notification_once"))?;
    }
    Ok(())
}

fn insert_messages(
    connection: &Connection,
    messages: &[NewMessage],
    orders: &[OrderId],
) -> Result<(), StoreError> {
    let mut insert = connection
        .prepare_cached(
            "INSERT INTO message (id, kind, order_id, sequence, body, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .map_err(class)?;
    for message in messages {
        let (order, sequence) = message.order.map(|(slot, sequence)| (orders[slot].0, sequence)).unzip();
        insert
            .execute(params![
                message.id.0,
                message.kind.name(),
                order,
                sequence,
                message.body,
                message.created_at.0
            ])
            .map_err(|error| constraint(error, || message_constraint(connection, order, sequence)))?;
    }
    Ok(())
}

/// Which of the two constraints on messages it was: SQLite's code does not say.
fn message_constraint(connection: &Connection, order: Option<i64>, sequence: Option<u32>) -> &'static str {
    let same_sequence = connection
        .prepare_cached("SELECT 1 FROM message WHERE order_id = ?1 AND sequence = ?2")
        .and_then(|mut select| select.exists(params![order, sequence]));
    if matches!(same_sequence, Ok(true)) { "message_sequence_once" } else { "payment_succeeded_once" }
}

fn insert_incidents(
    connection: &Connection,
    incidents: &[NewIncident],
    payments: &[PaymentRow],
) -> Result<(), StoreError> {
    if incidents.is_empty() {
        return Ok(());
    }
    let mut insert = connection
        .prepare_cached("INSERT INTO incident (payment_id, kind, remedy, opened_at) VALUES (?1, ?2, ?3, ?4)")
        .map_err(class)?;
    for incident in incidents {
        insert
            .execute(params![
                payments[incident.payment].0,
                incident.kind.as_str(),
                remedy_code(incident.remedy),
                incident.opened_at.0
            ])
            .map_err(class)?;
    }
    Ok(())
}

pub(crate) fn insert_receipts(connection: &Connection, receipts: &[Receipt]) -> Result<(), StoreError> {
    let mut insert = connection
        .prepare_cached(
            "INSERT INTO receipt (mchid, notification_id, event_type, received_at, outcome) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .map_err(class)?;
    for receipt in receipts {
        insert
            .execute(params![
                receipt.merchant.as_str(),
                receipt.notification.as_str(),
                receipt.event_type.as_str(),
                receipt.received_at.0,
                outcome_code(receipt.outcome),
            ])
            .map_err(class)?;
    }
    Ok(())
}
