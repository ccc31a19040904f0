//! Writes what was decided, table by table, each with one statement or two however much there is (megabytes of text
//! take more: [`portions`]).
//!
//! New rows are written in the order of their unique key, so that two nodes which write the same ones wait at the
//! first. Which constraint refused a row is told by the statement, and where it could be two, by asking.

use payonce_core::{
    Json, MerchantId, Order, OrderKey, StoreError, Terms, fault,
    order::OrderId,
    store::{
        Changes, NewIncident, NewMessage, OrderChange, OrderMoved, OrderRow, PaymentChange, PaymentRow,
        Receipt,
        codes::{STATE_AWAITED, outcome_code, remedy_code, source_code, standing_code, state_code},
    },
};
use serde::Serialize;
use sqlx::{Error, MySqlConnection};

use crate::{
    errors::{class, constraint, is_duplicate},
    rows::{ascii, free_text, json, json_table, known, portions, row_at, value},
};

pub(crate) async fn save(connection: &mut MySqlConnection, changes: &Changes) -> Result<(), StoreError> {
    // Order matters: payments and messages point at their order, incidents at their payment.
    let orders = insert_orders(connection, changes).await?;
    register_awaited(connection, &changes.orders).await?;
    move_orders(connection, &changes.orders).await?;
    touch_awaited(connection, &changes.orders).await?;
    fault!("save: orders written, payments not yet");
    insert_payments(connection, &changes.payments, &orders).await?;
    move_payments(connection, &changes.payments, &orders).await?;
    fault!("save: payments written, messages not yet");
    insert_notifications(connection, changes).await?;
    insert_messages(connection, &changes.messages, &orders).await?;
    insert_incidents(connection, &changes.incidents, &changes.payments).await?;
    insert_receipts(connection, &changes.receipts.iter().collect::<Vec<_>>()).await
}

/// Where an order stands, as its columns `state`, `flagged`, `messages`.
fn standing_of(order: Option<&Order>) -> (i64, u8, u32) {
    order.map_or((STATE_AWAITED, 0, 0), |order| {
        (state_code(&order.state), u8::from(order.flagged), order.messages)
    })
}

/// The columns `amount`, `currency`, `appid`, `sub_mchid`, `expires_at` of an order.
fn terms_of(terms: &Terms) -> (i64, &str, &str, Option<&str>, Option<i64>) {
    let sub_mchid = terms.sub_merchant.as_ref().map(MerchantId::as_str);
    let expires_at = terms.expires_at.map(|at| at.0);
    (terms.amount.get(), terms.currency.as_str(), terms.appid.as_str(), sub_mchid, expires_at)
}

fn text_of(key: &OrderKey) -> (&str, &str) {
    (key.merchant.as_str(), key.out_trade_no.as_str())
}

/// Inserts new orders as they shall be; returns the row of each order in the list that others point at.
async fn insert_orders(
    connection: &mut MySqlConnection,
    changes: &Changes,
) -> Result<Vec<Option<OrderId>>, StoreError> {
    const INSERT: &str = concat!(
        "INSERT INTO payonce_orders (mchid, out_trade_no, amount, currency, appid, sub_mchid, expires_at, state, \
         flagged, messages, registered_at) SELECT j.mchid, j.out_trade_no, j.amount, j.currency, j.appid, \
         j.sub_mchid, j.expires_at, j.state, j.flagged, j.messages, j.registered_at FROM ",
        json_table!(
            "mchid" ascii!(32), 0; "out_trade_no" ascii!(32), 1; "amount" "BIGINT", 2; "currency" ascii!(3), 3;
            "appid" ascii!(32), 4; "expires_at" "BIGINT", 5; "state" "INT", 6; "flagged" "INT", 7;
            "messages" "INT", 8; "registered_at" "BIGINT", 9; "sub_mchid" ascii!(32), 10
        )
    );
    let mut ids: Vec<_> = changes.orders.iter().map(|change| change.row.id()).collect();
    let mut new: Vec<usize> = (0..ids.len()).filter(|&slot| ids[slot].is_none()).collect();
    if new.is_empty() {
        return Ok(ids);
    }
    new.sort_unstable_by_key(|&slot| &changes.orders[slot].key);
    let rows = new.iter().map(|&slot| {
        let OrderChange { key, order, .. } = &changes.orders[slot];
        let (mchid, out_trade_no) = text_of(key);
        let (amount, currency, appid, sub_mchid, expires_at) = order
            .as_ref()
            .map(|order| terms_of(&order.terms))
            .map_or((None, None, None, None, None), |terms| {
                (Some(terms.0), Some(terms.1), Some(terms.2), terms.3, terms.4)
            });
        let (state, flagged, messages) = standing_of(order.as_ref());
        let registered_at = order.as_ref().map(|order| order.registered_at.0);
        (
            mchid,
            out_trade_no,
            amount,
            currency,
            appid,
            expires_at,
            state,
            flagged,
            messages,
            registered_at,
            sub_mchid,
        )
    });
    execute(connection, INSERT, json(rows)).await.map_err(constraint("order_number_once"))?;
    if !changes.payments.is_empty() || !changes.messages.is_empty() {
        find_orders(connection, &changes.orders, &new, &mut ids).await?;
    }
    Ok(ids)
}

/// Finds the rows of the orders in these slots: the databases do not agree on how to say it at once.
async fn find_orders(
    connection: &mut MySqlConnection,
    orders: &[OrderChange],
    slots: &[usize],
    ids: &mut [Option<OrderId>],
) -> Result<(), StoreError> {
    const FIND: &str = concat!(
        "SELECT j.place, o.id FROM ",
        json_table!("mchid" ascii!(32), 0; "out_trade_no" ascii!(32), 1),
        " STRAIGHT_JOIN payonce_orders o FORCE INDEX (order_number_once) \
         ON o.mchid = j.mchid AND o.out_trade_no = j.out_trade_no"
    );
    let keys = json(slots.iter().map(|&slot| text_of(&orders[slot].key)));
    for row in sqlx::query(FIND).bind(keys).fetch_all(connection).await.map_err(class)? {
        ids[*row_at(slots, &row, 0)?] = Some(OrderId(value(&row, 1)?));
    }
    Ok(())
}

/// Registers orders under numbers that payments wait under.
async fn register_awaited(
    connection: &mut MySqlConnection,
    orders: &[OrderChange],
) -> Result<(), StoreError> {
    const REGISTER: &str = concat!(
        "UPDATE ",
        json_table!(
            "id" "BIGINT", 0; "amount" "BIGINT", 1; "currency" ascii!(3), 2; "appid" ascii!(32), 3;
            "expires_at" "BIGINT", 4; "state" "INT", 5; "flagged" "INT", 6; "messages" "INT", 7;
            "registered_at" "BIGINT", 8; "sub_mchid" ascii!(32), 9
        ),
        " STRAIGHT_JOIN payonce_orders o FORCE INDEX (PRIMARY) ON o.id = j.id AND o.state = 4 \
         SET o.amount = j.amount, o.currency = j.currency, o.appid = j.appid, o.sub_mchid = j.sub_mchid, o.expires_at = j.expires_at, \
         o.state = j.state, o.flagged = j.flagged, o.messages = j.messages, o.registered_at = j.registered_at"
    );
    let rows = orders.iter().filter_map(|change| {
        let (OrderRow::Awaited(id), Some(order)) = (change.row, &change.order) else { return None };
        let (amount, currency, appid, sub_mchid, expires_at) = terms_of(&order.terms);
        let (state, flagged, messages) = standing_of(Some(order));
        let registered_at = order.registered_at.0;
        Some((id.0, amount, currency, appid, expires_at, state, flagged, messages, registered_at, sub_mchid))
    });
    update_all(connection, REGISTER, rows.collect()).await
}

/// Writes where registered orders stand now. `messages` guards: whoever wrote the order since has written a message.
async fn move_orders(connection: &mut MySqlConnection, orders: &[OrderChange]) -> Result<(), StoreError> {
    const MOVE: &str = concat!(
        "UPDATE ",
        json_table!(
            "id" "BIGINT", 0; "messages_before" "INT", 1; "state" "INT", 2; "flagged" "INT", 3; "messages" "INT", 4
        ),
        " STRAIGHT_JOIN payonce_orders o FORCE INDEX (PRIMARY) ON o.id = j.id AND o.messages = j.messages_before \
         SET o.state = j.state, o.flagged = j.flagged, o.messages = j.messages"
    );
    let rows = orders.iter().filter_map(|change| {
        let (OrderRow::Registered { id, messages_before }, Some(order)) = (change.row, &change.order) else {
            return None;
        };
        let (state, flagged, messages) = standing_of(Some(order));
        Some((id.0, messages_before, state, flagged, messages))
    });
    update_all(connection, MOVE, rows.collect()).await
}

/// Writes the rows of awaited numbers under which something was kept, so that in a cluster too it cannot miss their
/// registration on another member.
async fn touch_awaited(connection: &mut MySqlConnection, orders: &[OrderChange]) -> Result<(), StoreError> {
    const TOUCH: &str = concat!(
        "UPDATE ",
        json_table!("id" "BIGINT", 0),
        " STRAIGHT_JOIN payonce_orders o FORCE INDEX (PRIMARY) ON o.id = j.id AND o.state = 4 \
         SET o.messages = o.messages + 1"
    );
    let rows = orders.iter().filter_map(|change| match (change.row, &change.order) {
        (OrderRow::Awaited(id), None) => Some((id.0,)),
        _ => None,
    });
    update_all(connection, TOUCH, rows.collect()).await
}

/// Updates a row of `payonce_orders` for each row given; a row that is no longer as it was read is a conflict.
async fn update_all<R: Serialize>(
    connection: &mut MySqlConnection,
    update: &'static str,
    rows: Vec<R>,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let asked = rows.len() as u64;
    // The driver has the server count the rows that it found, changed or not.
    let found = execute(connection, update, json(rows)).await.map_err(class)?;
    if found == asked { Ok(()) } else { Err(OrderMoved.into()) }
}

/// Executes a statement that takes one list; returns how many rows it wrote.
async fn execute(connection: &mut MySqlConnection, sql: &'static str, rows: String) -> Result<u64, Error> {
    sqlx::query(sql).bind(rows).execute(connection).await.map(|done| done.rows_affected())
}

fn row_of(orders: &[Option<OrderId>], slot: usize) -> Result<i64, StoreError> {
    known("orders.id", orders[slot]).map(|id| id.0)
}

async fn insert_payments(
    connection: &mut MySqlConnection,
    payments: &[PaymentChange],
    orders: &[Option<OrderId>],
) -> Result<(), StoreError> {
    const INSERT: &str = concat!(
        "INSERT INTO payonce_payment (mchid, transaction_id, rival, told_apart, out_trade_no, amount, currency, appid, sub_mchid, \
         standing, order_id, paid_at, source, learnt_at, detail) SELECT j.mchid, j.transaction_id, j.rival, j.told_apart, \
         j.out_trade_no, j.amount, j.currency, j.appid, j.sub_mchid, j.standing, j.order_id, j.paid_at, j.source, j.learnt_at, j.detail FROM ",
        json_table!(
            "rival" "INT", 0; "standing" "INT", 1; "source" "INT", 2; "amount" "BIGINT", 3; "order_id" "BIGINT", 4;
            "currency" ascii!(3), 5; "paid_at" "BIGINT", 6; "learnt_at" "BIGINT", 7; "mchid" ascii!(32), 8;
            "appid" ascii!(32), 9; "transaction_id" ascii!(32), 10; "out_trade_no" ascii!(32), 11;
            "detail" free_text!(), 12; "sub_mchid" ascii!(32), 13; "told_apart" "INT", 14
        )
    );
    let mut new: Vec<&PaymentChange> = payments.iter().filter(|payment| payment.row.is_none()).collect();
    new.sort_unstable_by_key(|payment| statement(payment));
    for portion in portions(&new, |payment| payment.detail.as_ref().map_or(0, |json| json.as_str().len())) {
        let mut rows = Vec::with_capacity(portion.len());
        for payment in portion {
            let (mchid, transaction_id, rival) = statement(payment);
            let (content, order_id) = (&payment.content, row_of(orders, payment.order)?);
            rows.push((
                rival,
                standing_code(payment.standing),
                source_code(payment.source),
                content.amount.get(),
                order_id,
                content.currency.as_str(),
                payment.paid_at.map(|at| at.0),
                payment.learnt_at.0,
                mchid,
                content.appid.as_str(),
                transaction_id,
                content.key.out_trade_no.as_str(),
                payment.detail.as_ref().map(Json::as_str),
                content.sub_merchant.as_ref().map(MerchantId::as_str),
                payment.told_apart(),
            ));
        }
        let rows = json(rows);
        if let Err(error) = execute(connection, INSERT, rows).await {
            let name = if is_duplicate(&error) { payment_constraint(connection, portion).await? } else { "" };
            return Err(constraint(name)(error));
        }
    }
    Ok(())
}

/// What statements about payments are sorted by.
fn statement(payment: &PaymentChange) -> (&str, &str, u32) {
    (payment.content.key.merchant.as_str(), payment.content.payment.as_str(), payment.rival)
}

/// What is unique of a statement. Not its rank: two transactions that knew nothing of each other may have given one twice.
fn key_of(payment: &PaymentChange) -> (&str, &str, i32) {
    (payment.content.key.merchant.as_str(), payment.content.payment.as_str(), payment.told_apart())
}

/// Which of the two constraints on payments it was.
async fn payment_constraint(
    connection: &mut MySqlConnection,
    payments: &[&PaymentChange],
) -> Result<&'static str, StoreError> {
    const SAME: &str = concat!(
        "SELECT 1 FROM ",
        json_table!("mchid" ascii!(32), 0; "transaction_id" ascii!(32), 1; "told_apart" "INT", 2),
        " STRAIGHT_JOIN payonce_payment p FORCE INDEX (payment_statement_once) \
         ON p.mchid = j.mchid AND p.transaction_id = j.transaction_id AND p.told_apart = j.told_apart LIMIT 1"
    );
    let same = sqlx::query(SAME).bind(json(payments.iter().map(|payment| key_of(payment))));
    let found = same.fetch_optional(connection).await.map_err(class)?;
    Ok(if found.is_some() { "payment_statement_once" } else { "payment_settles_once" })
}

/// Payments that waited for their order have found it, which ends the incidents about the unknown order.
async fn move_payments(
    connection: &mut MySqlConnection,
    payments: &[PaymentChange],
    orders: &[Option<OrderId>],
) -> Result<(), StoreError> {
    const MOVE: &str = concat!(
        "UPDATE ",
        json_table!(
            "id" "BIGINT", 0; "standing" "INT", 1; "order_id" "BIGINT", 2; "detail" free_text!(), 3;
            "told_apart" "INT", 4
        ),
        " STRAIGHT_JOIN payonce_payment p FORCE INDEX (PRIMARY) ON p.id = j.id \
         SET p.standing = j.standing, p.order_id = j.order_id, p.detail = j.detail, p.told_apart = j.told_apart"
    );
    const RESOLVE: &str = concat!(
        "UPDATE ",
        json_table!("payment_id" "BIGINT", 0; "resolved_at" "BIGINT", 1),
        " STRAIGHT_JOIN payonce_incident i FORCE INDEX (incident_of_payment) ON i.payment_id = j.payment_id \
         AND i.kind = 'unknown_order' AND i.resolved_at IS NULL SET i.resolved_at = j.resolved_at"
    );
    let (mut moved, mut changed, mut resolved) = (Vec::new(), Vec::new(), Vec::new());
    for payment in payments {
        let Some(PaymentRow(row)) = payment.row else { continue };
        let order = row_of(orders, payment.order)?;
        let detail = payment.detail.as_ref().map(Json::as_str);
        moved.push((row, standing_code(payment.standing), order, detail, payment.told_apart()));
        changed.push(payment);
        resolved.push((row, payment.learnt_at.0));
    }
    if moved.is_empty() {
        return Ok(());
    }
    if let Err(error) = execute(connection, MOVE, json(moved)).await {
        let name = if is_duplicate(&error) { payment_constraint(connection, &changed).await? } else { "" };
        return Err(constraint(name)(error));
    }
    execute(connection, RESOLVE, json(resolved)).await.map(drop).map_err(class)
}

async fn insert_notifications(connection: &mut MySqlConnection, changes: &Changes) -> Result<(), StoreError> {
    const INSERT: &str = concat!(
        "INSERT INTO payonce_notification_passed (mchid, notification_id) SELECT j.mchid, j.notification_id FROM ",
        json_table!("mchid" ascii!(32), 0; "notification_id" ascii!(64), 1)
    );
    if changes.notifications.is_empty() {
        return Ok(());
    }
    let mut new: Vec<_> =
        changes.notifications.iter().map(|(merchant, id)| (merchant.as_str(), id.as_str())).collect();
    new.sort_unstable();
    execute(connection, INSERT, json(new)).await.map(drop).map_err(constraint("notification_once"))
}

/// The messages of a transaction are one batch, which waits for its positions. Their bodies go as one string of bytes,
/// from which each row cuts its own: as part of the list they would be quoted, and unquoted character by character.
async fn insert_messages(
    connection: &mut MySqlConnection,
    messages: &[NewMessage],
    orders: &[Option<OrderId>],
) -> Result<(), StoreError> {
    const INSERT: &str = concat!(
        "INSERT INTO payonce_message (batch, place, id, kind, order_id, sequence, body, created_at) \
         SELECT ?, ? + j.place - 1, j.id, j.kind, j.order_id, j.sequence, \
         CONVERT(SUBSTRING(?, j.body_at, j.body_bytes) USING utf8mb4), j.created_at FROM ",
        json_table!(
            "body_at" "INT", 0; "body_bytes" "INT", 1; "order_id" "BIGINT", 2; "sequence" "INT", 3;
            "created_at" "BIGINT", 4; "id" ascii!(128), 5; "kind" ascii!(80), 6
        )
    );
    if messages.is_empty() {
        return Ok(());
    }
    let batch = sqlx::query("INSERT INTO payonce_message_batch (messages) VALUES (?)");
    let batch = batch.bind(messages.len() as i64).execute(&mut *connection).await.map_err(class)?;
    let mut first = 0_i64;
    for portion in portions(messages, |message| message.body.len()) {
        let (mut rows, mut bodies) = (Vec::with_capacity(portion.len()), Vec::new());
        for message in portion {
            let order = message.order.map(|(slot, _)| row_of(orders, slot)).transpose()?;
            let sequence = message.order.map(|(_, sequence)| sequence);
            let (id, kind) = (message.id.0.as_str(), message.kind.name());
            // Counted from 1, as SQL does.
            let (at, bytes) = (bodies.len() + 1, message.body.len());
            bodies.extend_from_slice(message.body.as_bytes());
            rows.push((at, bytes, order, sequence, message.created_at.0, id, kind));
        }
        let insert = sqlx::query(INSERT)
            .bind(batch.last_insert_id().cast_signed())
            .bind(first)
            .bind(bodies)
            .bind(json(&rows));
        if let Err(error) = insert.execute(&mut *connection).await {
            let places = rows.iter().map(|row| (row.2, row.3));
            let name =
                if is_duplicate(&error) { message_constraint(connection, json(places)).await? } else { "" };
            return Err(constraint(name)(error));
        }
        first += portion.len() as i64;
    }
    Ok(())
}

/// Which of the two constraints on messages it was.
async fn message_constraint(
    connection: &mut MySqlConnection,
    places: String,
) -> Result<&'static str, StoreError> {
    const SAME: &str = concat!(
        "SELECT 1 FROM ",
        json_table!("order_id" "BIGINT", 0; "sequence" "INT", 1),
        " STRAIGHT_JOIN payonce_message m FORCE INDEX (message_sequence_once) \
         ON m.order_id = j.order_id AND m.sequence = j.sequence LIMIT 1"
    );
    let found = sqlx::query(SAME).bind(places).fetch_optional(connection).await.map_err(class)?;
    Ok(if found.is_some() { "message_sequence_once" } else { "payment_succeeded_once" })
}

/// Incidents find their payment by its unique key, be it new or old.
async fn insert_incidents(
    connection: &mut MySqlConnection,
    incidents: &[NewIncident],
    payments: &[PaymentChange],
) -> Result<(), StoreError> {
    const INSERT: &str = concat!(
        "INSERT INTO payonce_incident (payment_id, kind, remedy, opened_at) \
         SELECT p.id, j.kind, j.remedy, j.opened_at FROM ",
        json_table!(
            "mchid" ascii!(32), 0; "transaction_id" ascii!(32), 1; "told_apart" "INT", 2; "kind" ascii!(32), 3;
            "remedy" "INT", 4; "opened_at" "BIGINT", 5
        ),
        " STRAIGHT_JOIN payonce_payment p FORCE INDEX (payment_statement_once) \
         ON p.mchid = j.mchid AND p.transaction_id = j.transaction_id AND p.told_apart = j.told_apart"
    );
    if incidents.is_empty() {
        return Ok(());
    }
    let rows = incidents.iter().map(|incident| {
        let (mchid, transaction_id, told_apart) = key_of(&payments[incident.payment]);
        let (kind, remedy) = (incident.kind.as_str(), remedy_code(incident.remedy));
        (mchid, transaction_id, told_apart, kind, remedy, incident.opened_at.0)
    });
    execute(connection, INSERT, json(rows)).await.map(drop).map_err(class)
}

pub(crate) async fn insert_receipts(
    connection: &mut MySqlConnection,
    receipts: &[&Receipt],
) -> Result<(), StoreError> {
    const INSERT: &str = concat!(
        "INSERT INTO payonce_receipt (mchid, notification_id, event_type, received_at, outcome) \
         SELECT j.mchid, j.notification_id, j.event_type, j.received_at, j.outcome FROM ",
        json_table!(
            "outcome" "INT", 0; "mchid" ascii!(32), 1; "received_at" "BIGINT", 2; "event_type" ascii!(64), 3;
            "notification_id" ascii!(64), 4
        )
    );
    if receipts.is_empty() {
        return Ok(());
    }
    let rows = receipts.iter().map(|receipt| {
        let (mchid, id) = (receipt.merchant.as_str(), receipt.notification.as_str());
        (outcome_code(receipt.outcome), mchid, receipt.received_at.0, receipt.event_type.as_str(), id)
    });
    execute(connection, INSERT, json(rows)).await.map(drop).map_err(class)
}
