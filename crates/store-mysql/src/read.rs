//! Reads beside the writers: what they see was committed. Each is one statement, and so of one moment; messages take
//! two, but never change once they can be seen.

use payonce_core::{
    MerchantId, OrderKey, OutTradeNo, StoreError, UnixMillis,
    decide::Standing,
    message::MessageId,
    order::OrderId,
    store::{
        Counts, IncidentView, KnownOrder, LedgerLine, MessageView, OrderView, PaymentView, Position,
        Rejected, RejectedRow, codes,
    },
};
use sqlx::{MySqlConnection, mysql::MySqlRow};

use crate::{
    errors::class,
    rows::{
        self, ORDER_COLUMNS, PAYMENT_COLUMNS, json, json_table, kept_payment, known, learnt_at, limit_of,
        order_columns, payment_columns, read, value,
    },
};

/// A row for each open incident of each payment, for a payment without one too, and for an order without any.
const ORDER: &str = concat!(
    "SELECT ",
    order_columns!(),
    ", ",
    payment_columns!(),
    ", i.kind, i.remedy, i.opened_at FROM payonce_orders o LEFT JOIN payonce_payment p ON p.order_id = o.id \
     LEFT JOIN payonce_incident i ON i.payment_id = p.id AND i.resolved_at IS NULL \
     WHERE o.mchid = ? AND o.out_trade_no = ? AND o.state <> 4 ORDER BY p.standing, p.id, i.id"
);

pub(crate) async fn order(
    connection: &mut MySqlConnection,
    key: &OrderKey,
) -> Result<Option<OrderView>, StoreError> {
    let select = sqlx::query(ORDER).bind(key.merchant.as_str()).bind(key.out_trade_no.as_str());
    let found = select.fetch_all(connection).await.map_err(class)?;
    let mut payments: Vec<PaymentView> = Vec::new();
    let mut incidents = Vec::new();
    let mut last = None;
    for row in &found {
        let Some(id) = value::<Option<i64>>(row, ORDER_COLUMNS)? else { break };
        if last.replace(id) != Some(id) {
            payments.push(payment(row)?);
        }
        incidents.extend(incident(row)?);
    }
    incidents.sort_by_key(|incident: &IncidentView| incident.opened_at);
    let Some(row) = found.first() else { return Ok(None) };
    let settling = payments.first().filter(|payment| payment.standing == Standing::Settling);
    let by = settling.map(|payment| payment.content.payment.clone());
    Ok(match rows::order(row, key.clone(), by)? {
        KnownOrder::Registered(_, order) => Some(OrderView { order, payments, incidents }),
        KnownOrder::Awaited(..) => None,
    })
}

fn payment(row: &MySqlRow) -> Result<PaymentView, StoreError> {
    let kept = kept_payment(row, ORDER_COLUMNS)?;
    Ok(PaymentView {
        content: kept.content,
        standing: kept.standing,
        paid_at: kept.paid_at,
        source: kept.source,
        learnt_at: learnt_at(row, ORDER_COLUMNS)?,
    })
}

fn incident(row: &MySqlRow) -> Result<Option<IncidentView>, StoreError> {
    const AT: usize = ORDER_COLUMNS + PAYMENT_COLUMNS;
    let Some(kind) = value::<Option<&str>>(row, AT)? else { return Ok(None) };
    Ok(Some(IncidentView {
        kind: known("incident.kind", codes::incident_kind(kind))?,
        remedy: known("incident.remedy", codes::remedy(value(row, AT + 1)?))?,
        opened_at: UnixMillis(value(row, AT + 2)?),
    }))
}

pub(crate) async fn messages_after(
    connection: &mut MySqlConnection,
    after: Position,
    limit: usize,
) -> Result<Vec<MessageView>, StoreError> {
    // Two statements: joined in one, all messages from here on would be sorted for the first few.
    const MESSAGES: &str = concat!(
        "SELECT j.first_position + m.place, m.id, m.kind, m.body, m.created_at FROM ",
        json_table!("batch" "BIGINT", 0; "first_position" "BIGINT", 1; "from_place" "BIGINT", 2),
        " STRAIGHT_JOIN payonce_message m FORCE INDEX (PRIMARY) ON m.batch = j.batch AND m.place >= j.from_place"
    );
    let batches = batches_after(connection, after, limit).await?;
    if batches.is_empty() {
        return Ok(Vec::new());
    }
    let found = sqlx::query(MESSAGES).bind(json(batches)).fetch_all(connection).await.map_err(class)?;
    let message = |row: &MySqlRow| {
        Ok(MessageView {
            position: Position(value(row, 0)?),
            id: MessageId(value(row, 1)?),
            kind: value(row, 2)?,
            body: value(row, 3)?,
            created_at: UnixMillis(value(row, 4)?),
        })
    };
    let mut messages = found.iter().map(message).collect::<Result<Vec<_>, StoreError>>()?;
    messages.sort_unstable_by_key(|message| message.position);
    messages.truncate(limit);
    Ok(messages)
}

/// The batches that hold the next messages: row, first position, and the first place that is asked for.
pub(crate) async fn batches_after(
    connection: &mut MySqlConnection,
    after: Position,
    limit: usize,
) -> Result<Vec<(i64, i64, i64)>, StoreError> {
    // From the batch on in which the position stands; each later one holds a message at least.
    let select = sqlx::query(
        "SELECT id, first_position, messages FROM payonce_message_batch WHERE first_position >= COALESCE((SELECT \
         MAX(first_position) FROM payonce_message_batch WHERE first_position <= ?), 0) \
         ORDER BY first_position LIMIT ?",
    );
    let select = select.bind(after.0).bind(limit_of(limit.saturating_add(1)));
    let mut batches = Vec::new();
    let mut missing = limit_of(limit);
    for row in select.fetch_all(connection).await.map_err(class)? {
        let (id, first, messages): (i64, i64, i64) = (value(&row, 0)?, value(&row, 1)?, value(&row, 2)?);
        let from = after.0.saturating_sub(first).saturating_add(1).clamp(0, messages);
        if missing <= 0 {
            break;
        }
        missing -= messages - from;
        batches.push((id, first, from));
    }
    Ok(batches)
}

pub(crate) async fn ledger_after(
    connection: &mut MySqlConnection,
    after: OrderId,
    limit: usize,
) -> Result<Vec<LedgerLine>, StoreError> {
    // The counts scan the rows themselves, so that an order cannot vouch for itself: payments by the order
    // that they name, messages by the order that they belong to.
    let select = sqlx::query(
        "SELECT o.id, o.mchid, o.out_trade_no, o.state IN (1, 2), \
           (SELECT COUNT(*) FROM payonce_payment p WHERE p.order_id = o.id AND p.standing = 0 \
              AND p.mchid = o.mchid AND p.out_trade_no = o.out_trade_no \
              AND p.amount = o.amount AND p.currency = o.currency AND p.appid = o.appid \
              AND p.sub_mchid <=> o.sub_mchid), \
           (SELECT COUNT(*) FROM payonce_message m WHERE m.order_id = o.id AND m.kind = 'payment.succeeded') \
         FROM payonce_orders o WHERE o.id > ? AND o.state <> 4 ORDER BY o.id LIMIT ?",
    );
    let found = select.bind(after.0).bind(limit_of(limit)).fetch_all(connection).await.map_err(class)?;
    let count = |row: &MySqlRow, place| read("count", u32::try_from(value::<i64>(row, place)?));
    let line = |row: &MySqlRow| {
        Ok(LedgerLine {
            id: OrderId(value(row, 0)?),
            key: OrderKey {
                merchant: read("orders.mchid", MerchantId::parse(value(row, 1)?))?,
                out_trade_no: read("orders.out_trade_no", OutTradeNo::parse(value(row, 2)?))?,
            },
            paid: value(row, 3)?,
            settling: count(row, 4)?,
            succeeded: count(row, 5)?,
        })
    };
    found.iter().map(line).collect()
}

pub(crate) async fn rejected_latest(
    connection: &mut MySqlConnection,
    limit: usize,
) -> Result<Vec<Rejected>, StoreError> {
    let select = sqlx::query(
        "SELECT received_at, path_merchant, http_status, verdict, reason, headers, body FROM payonce_rejected \
         ORDER BY id DESC LIMIT ?",
    );
    let found = select.bind(limit_of(limit)).fetch_all(connection).await.map_err(class)?;
    let callback = |row: &MySqlRow| {
        Ok(Rejected {
            received_at: UnixMillis(value(row, 0)?),
            path_merchant: value(row, 1)?,
            http_status: read("rejected.http_status", u16::try_from(value::<i64>(row, 2)?))?,
            verdict: value(row, 3)?,
            reason: value(row, 4)?,
            headers: value(row, 5)?,
            body: value(row, 6)?,
        })
    };
    found.iter().map(callback).collect()
}

pub(crate) async fn rejected_before(
    connection: &mut MySqlConnection,
    row: RejectedRow,
    back: usize,
) -> Result<Option<RejectedRow>, StoreError> {
    let select =
        sqlx::query_scalar("SELECT id FROM payonce_rejected WHERE id < ? ORDER BY id DESC LIMIT 1 OFFSET ?");
    let found = select.bind(row.0).bind(limit_of(back.saturating_sub(1))).fetch_optional(connection).await;
    Ok(found.map_err(class)?.map(RejectedRow))
}

pub(crate) async fn counts(connection: &mut MySqlConnection) -> Result<Counts, StoreError> {
    let select = sqlx::query(
        "SELECT (SELECT COUNT(*) FROM payonce_orders WHERE state <> 4), (SELECT COUNT(*) FROM payonce_payment), \
         (SELECT COUNT(*) FROM payonce_message), (SELECT COUNT(*) FROM payonce_incident), \
         (SELECT COUNT(*) FROM payonce_receipt), (SELECT COUNT(*) FROM payonce_rejected), \
         (SELECT COUNT(*) FROM payonce_unopened)",
    );
    let row = select.fetch_one(connection).await.map_err(class)?;
    let count = |place| value::<i64>(&row, place).map(i64::unsigned_abs);
    Ok(Counts {
        orders: count(0)?,
        payments: count(1)?,
        messages: count(2)?,
        incidents: count(3)?,
        receipts: count(4)?,
        rejected: count(5)?,
        unopened: count(6)?,
    })
}
