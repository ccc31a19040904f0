//! Writes what was decided, table by table, each with one statement or two however much there is.
//!
//! New rows are written in the order of their unique key, so that two nodes which write the same ones wait at the
//! first. Which row a statement returns first is never relied upon.

use payonce_core::{
    Json, MerchantId, Order, OrderKey, StoreError, Terms, fault,
    order::OrderId,
    store::{
        Changes, NewIncident, NewMessage, OrderChange, OrderMoved, OrderRow, PaymentChange, PaymentRow,
        Receipt,
        codes::{STATE_AWAITED, outcome_code, remedy_code, source_code, standing_code, state_code},
    },
};
use sqlx::PgConnection;

use crate::{
    errors::class,
    rows::{code, column, count, known, value},
};

pub(crate) async fn save(connection: &mut PgConnection, changes: &Changes) -> Result<(), StoreError> {
    // Order matters: payments and messages point at their order, incidents at their payment.
    let orders = insert_orders(connection, &changes.orders).await?;
    register_awaited(connection, &changes.orders).await?;
    move_orders(connection, &changes.orders).await?;
    fault!("save: orders written, payments not yet");
    insert_payments(connection, &changes.payments, &orders).await?;
    move_payments(connection, &changes.payments, &orders).await?;
    fault!("save: payments written, messages not yet");
    insert_notifications(connection, changes).await?;
    insert_messages(connection, &changes.messages, &orders).await?;
    insert_incidents(connection, &changes.incidents, &changes.payments).await?;
    insert_receipts(connection, &changes.receipts.iter().collect::<Vec<_>>()).await
}

fn state_of(order: Option<&Order>) -> i16 {
    code(order.map_or(STATE_AWAITED, |order| state_code(&order.state)))
}

/// Inserts new orders as they shall be; returns the row of each order in the list.
async fn insert_orders(
    connection: &mut PgConnection,
    orders: &[OrderChange],
) -> Result<Vec<OrderId>, StoreError> {
    let mut new: Vec<&OrderChange> = orders.iter().filter(|change| change.row == OrderRow::New).collect();
    let mut ids = Vec::new();
    if !new.is_empty() {
        new.sort_unstable_by_key(|change| &change.key);
        ids = insert_sorted_orders(connection, &new).await?;
    }
    let row = |change: &OrderChange| match change.row.id() {
        Some(id) => Ok(id),
        None => {
            let place = new.binary_search_by_key(&&change.key, |change| &change.key).ok();
            known("orders.id", place.and_then(|place| ids[place]))
        }
    };
    orders.iter().map(row).collect()
}

fn sub_mchid(terms: &Terms) -> Option<&str> {
    terms.sub_merchant.as_ref().map(MerchantId::as_str)
}

fn terms(change: &OrderChange) -> Option<&Terms> {
    change.order.as_ref().map(|order| &order.terms)
}

/// Returns the row of each, in the order of the list.
async fn insert_sorted_orders(
    connection: &mut PgConnection,
    new: &[&OrderChange],
) -> Result<Vec<Option<OrderId>>, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO payonce.orders (mchid, out_trade_no, amount, currency, appid, sub_mchid, expires_at, state, \
         flagged, messages, registered_at) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], \
         $5::text[], $6::text[], $7::bigint[], $8::smallint[], $9::boolean[], $10::integer[], $11::bigint[]) \
         RETURNING id, mchid, out_trade_no",
    )
    .bind(column(new, |change| change.key.merchant.as_str()))
    .bind(column(new, |change| change.key.out_trade_no.as_str()))
    .bind(column(new, |change| terms(change).map(|terms| terms.amount.get())))
    .bind(column(new, |change| terms(change).map(|terms| terms.currency.as_str())))
    .bind(column(new, |change| terms(change).map(|terms| terms.appid.as_str())))
    .bind(column(new, |change| terms(change).and_then(sub_mchid)))
    .bind(column(new, |change| terms(change).and_then(|terms| terms.expires_at).map(|at| at.0)))
    .bind(column(new, |change| state_of(change.order.as_ref())))
    .bind(column(new, |change| change.order.as_ref().is_some_and(|order| order.flagged)))
    .bind(column(new, |change| change.order.as_ref().map_or(0, |order| count(order.messages))))
    .bind(column(new, |change| change.order.as_ref().map(|order| order.registered_at.0)))
    .fetch_all(connection)
    .await
    .map_err(class)?;
    let mut ids = vec![None; new.len()];
    for row in &inserted {
        let key: (&str, &str) = (value(row, 1)?, value(row, 2)?);
        if let Ok(place) = new.binary_search_by_key(&key, |change| text_of(&change.key)) {
            ids[place] = Some(OrderId(value(row, 0)?));
        }
    }
    Ok(ids)
}

fn text_of(key: &OrderKey) -> (&str, &str) {
    (key.merchant.as_str(), key.out_trade_no.as_str())
}

/// Registers orders under numbers that payments wait under.
async fn register_awaited(connection: &mut PgConnection, orders: &[OrderChange]) -> Result<(), StoreError> {
    let (mut ids, mut registered) = (Vec::new(), Vec::new());
    for change in orders {
        if let (OrderRow::Awaited(id), Some(order)) = (change.row, &change.order) {
            ids.push(id.0);
            registered.push(order);
        }
    }
    if ids.is_empty() {
        return Ok(());
    }
    let asked = ids.len();
    let update = sqlx::query(
        "UPDATE payonce.orders o SET amount = c.amount, currency = c.currency, appid = c.appid, \
         sub_mchid = c.sub_mchid, expires_at = c.expires_at, state = c.state, flagged = c.flagged, \
         messages = c.messages, registered_at = c.registered_at FROM unnest($1::bigint[], $2::bigint[], $3::text[], \
         $4::text[], $5::text[], $6::bigint[], $7::smallint[], $8::boolean[], $9::integer[], $10::bigint[]) \
         AS c (id, amount, currency, appid, sub_mchid, expires_at, state, flagged, messages, registered_at) \
         WHERE o.id = c.id AND o.state = 4",
    )
    .bind(ids)
    .bind(column(&registered, |order| order.terms.amount.get()))
    .bind(column(&registered, |order| order.terms.currency.as_str()))
    .bind(column(&registered, |order| order.terms.appid.as_str()))
    .bind(column(&registered, |order| sub_mchid(&order.terms)))
    .bind(column(&registered, |order| order.terms.expires_at.map(|at| at.0)))
    .bind(column(&registered, |order| state_of(Some(order))))
    .bind(column(&registered, |order| order.flagged))
    .bind(column(&registered, |order| count(order.messages)))
    .bind(column(&registered, |order| order.registered_at.0));
    all_were_there(update.execute(connection).await.map_err(class)?.rows_affected(), asked)
}

/// Writes where registered orders stand now. `messages` guards: whoever wrote the order since has written a message.
async fn move_orders(connection: &mut PgConnection, orders: &[OrderChange]) -> Result<(), StoreError> {
    let (mut ids, mut before, mut moved) = (Vec::new(), Vec::new(), Vec::new());
    for change in orders {
        if let (OrderRow::Registered { id, messages_before }, Some(order)) = (change.row, &change.order) {
            ids.push(id.0);
            before.push(count(messages_before));
            moved.push(order);
        }
    }
    if ids.is_empty() {
        return Ok(());
    }
    let asked = ids.len();
    let update = sqlx::query(
        "UPDATE payonce.orders o SET state = c.state, flagged = c.flagged, messages = c.messages \
         FROM unnest($1::bigint[], $2::integer[], $3::smallint[], $4::boolean[], $5::integer[]) \
         AS c (id, before, state, flagged, messages) WHERE o.id = c.id AND o.messages = c.before",
    )
    .bind(ids)
    .bind(before)
    .bind(column(&moved, |order| state_of(Some(order))))
    .bind(column(&moved, |order| order.flagged))
    .bind(column(&moved, |order| count(order.messages)));
    all_were_there(update.execute(connection).await.map_err(class)?.rows_affected(), asked)
}

fn all_were_there(updated: u64, asked: usize) -> Result<(), StoreError> {
    if updated == asked as u64 { Ok(()) } else { Err(OrderMoved.into()) }
}

async fn insert_payments(
    connection: &mut PgConnection,
    payments: &[PaymentChange],
    orders: &[OrderId],
) -> Result<(), StoreError> {
    let mut new: Vec<&PaymentChange> = payments.iter().filter(|payment| payment.row.is_none()).collect();
    if new.is_empty() {
        return Ok(());
    }
    new.sort_unstable_by_key(|payment| statement(payment));
    sqlx::query(
        "INSERT INTO payonce.payment (mchid, transaction_id, rival, told_apart, out_trade_no, amount, currency, appid, sub_mchid, \
         standing, order_id, paid_at, source, learnt_at, detail) SELECT * FROM unnest($1::text[], $2::text[], \
         $3::integer[], $4::integer[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::smallint[], \
         $11::bigint[], $12::bigint[], $13::smallint[], $14::bigint[], $15::text[])",
    )
    .bind(column(&new, |payment| payment.content.key.merchant.as_str()))
    .bind(column(&new, |payment| payment.content.payment.as_str()))
    .bind(column(&new, |payment| count(payment.rival)))
    .bind(column(&new, |payment| payment.told_apart()))
    .bind(column(&new, |payment| payment.content.key.out_trade_no.as_str()))
    .bind(column(&new, |payment| payment.content.amount.get()))
    .bind(column(&new, |payment| payment.content.currency.as_str()))
    .bind(column(&new, |payment| payment.content.appid.as_str()))
    .bind(column(&new, |payment| payment.content.sub_merchant.as_ref().map(MerchantId::as_str)))
    .bind(column(&new, |payment| code(standing_code(payment.standing))))
    .bind(column(&new, |payment| orders[payment.order].0))
    .bind(column(&new, |payment| payment.paid_at.map(|at| at.0)))
    .bind(column(&new, |payment| code(source_code(payment.source))))
    .bind(column(&new, |payment| payment.learnt_at.0))
    .bind(column(&new, |payment| payment.detail.as_ref().map(Json::as_str)))
    .execute(connection)
    .await
    .map(drop)
    .map_err(class)
}

/// What statements about payments are sorted by.
fn statement(payment: &PaymentChange) -> (&str, &str, u32) {
    (payment.content.key.merchant.as_str(), payment.content.payment.as_str(), payment.rival)
}

/// What is unique of a statement. Not its rank: two transactions that knew nothing of each other may have given one twice.
fn key_of(payment: &PaymentChange) -> (&str, &str, i32) {
    (payment.content.key.merchant.as_str(), payment.content.payment.as_str(), payment.told_apart())
}

/// Payments that waited for their order have found it, which ends the incidents about the unknown order.
async fn move_payments(
    connection: &mut PgConnection,
    payments: &[PaymentChange],
    orders: &[OrderId],
) -> Result<(), StoreError> {
    let (moved, rows): (Vec<&PaymentChange>, Vec<i64>) =
        payments.iter().filter_map(|payment| payment.row.map(|PaymentRow(row)| (payment, row))).unzip();
    if moved.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "WITH moved AS (UPDATE payonce.payment p SET standing = c.standing, order_id = c.order_id, \
           detail = c.detail, told_apart = c.told_apart \
           FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::text[], $5::bigint[], $6::integer[]) \
           AS c (id, standing, order_id, detail, at, told_apart) WHERE p.id = c.id RETURNING p.id, c.at) \
         UPDATE payonce.incident i SET resolved_at = moved.at FROM moved \
         WHERE i.payment_id = moved.id AND i.kind = 'unknown_order' AND i.resolved_at IS NULL",
    )
    .bind(rows)
    .bind(column(&moved, |payment| code(standing_code(payment.standing))))
    .bind(column(&moved, |payment| orders[payment.order].0))
    .bind(column(&moved, |payment| payment.detail.as_ref().map(Json::as_str)))
    .bind(column(&moved, |payment| payment.learnt_at.0))
    .bind(column(&moved, |payment| payment.told_apart()))
    .execute(connection)
    .await
    .map(drop)
    .map_err(class)
}

async fn insert_notifications(connection: &mut PgConnection, changes: &Changes) -> Result<(), StoreError> {
    if changes.notifications.is_empty() {
        return Ok(());
    }
    let mut new: Vec<_> = changes.notifications.iter().collect();
    new.sort_unstable();
    sqlx::query(
        "INSERT INTO payonce.notification_passed (mchid, notification_id) SELECT * FROM unnest($1::text[], $2::text[])",
    )
    .bind(column(&new, |(merchant, _)| merchant.as_str()))
    .bind(column(&new, |(_, id)| id.as_str()))
    .execute(connection)
    .await
    .map(drop)
    .map_err(class)
}

/// The messages of a transaction are one batch, which waits for its positions.
async fn insert_messages(
    connection: &mut PgConnection,
    messages: &[NewMessage],
    orders: &[OrderId],
) -> Result<(), StoreError> {
    if messages.is_empty() {
        return Ok(());
    }
    let messages: Vec<&NewMessage> = messages.iter().collect();
    sqlx::query(
        "WITH batch AS (INSERT INTO payonce.message_batch (messages) VALUES (cardinality($1::text[])) RETURNING id) \
         INSERT INTO payonce.message (batch, place, id, kind, order_id, sequence, body, created_at) \
         SELECT batch.id, m.place - 1, m.id, m.kind, m.order_id, m.sequence, m.body, m.created_at FROM batch, \
         unnest($1::text[], $2::text[], $3::bigint[], $4::integer[], $5::text[], $6::bigint[]) WITH ORDINALITY \
         AS m (id, kind, order_id, sequence, body, created_at, place)",
    )
    .bind(column(&messages, |message| message.id.0.as_str()))
    .bind(column(&messages, |message| message.kind.name()))
    .bind(column(&messages, |message| message.order.map(|(slot, _)| orders[slot].0)))
    .bind(column(&messages, |message| message.order.map(|(_, sequence)| count(sequence))))
    .bind(column(&messages, |message| message.body.as_str()))
    .bind(column(&messages, |message| message.created_at.0))
    .execute(connection)
    .await
    .map(drop)
    .map_err(class)
}

/// Incidents find their payment by its unique key, be it new or old.
async fn insert_incidents(
    connection: &mut PgConnection,
    incidents: &[NewIncident],
    payments: &[PaymentChange],
) -> Result<(), StoreError> {
    if incidents.is_empty() {
        return Ok(());
    }
    let incidents: Vec<&NewIncident> = incidents.iter().collect();
    let of = |incident: &NewIncident| key_of(&payments[incident.payment]);
    sqlx::query(
        "INSERT INTO payonce.incident (payment_id, kind, remedy, opened_at) \
         SELECT p.id, c.kind, c.remedy, c.opened_at \
         FROM unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::smallint[], $6::bigint[]) WITH ORDINALITY \
         AS c (mchid, transaction_id, told_apart, kind, remedy, opened_at, place) JOIN payonce.payment p \
         ON p.mchid = c.mchid AND p.transaction_id = c.transaction_id AND p.told_apart = c.told_apart ORDER BY c.place",
    )
    .bind(column(&incidents, |incident| of(incident).0))
    .bind(column(&incidents, |incident| of(incident).1))
    .bind(column(&incidents, |incident| of(incident).2))
    .bind(column(&incidents, |incident| incident.kind.as_str()))
    .bind(column(&incidents, |incident| code(remedy_code(incident.remedy))))
    .bind(column(&incidents, |incident| incident.opened_at.0))
    .execute(connection)
    .await
    .map(drop)
    .map_err(class)
}

pub(crate) async fn insert_receipts(
    connection: &mut PgConnection,
    receipts: &[&Receipt],
) -> Result<(), StoreError> {
    if receipts.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO payonce.receipt (mchid, notification_id, event_type, received_at, outcome) \
         SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::smallint[])",
    )
    .bind(column(receipts, |receipt| receipt.merchant.as_str()))
    .bind(column(receipts, |receipt| receipt.notification.as_str()))
    .bind(column(receipts, |receipt| receipt.event_type.as_str()))
    .bind(column(receipts, |receipt| receipt.received_at.0))
    .bind(column(receipts, |receipt| code(outcome_code(receipt.outcome))))
    .execute(connection)
    .await
    .map(drop)
    .map_err(class)
}
