//! Reads beside the writers: what they see was committed. Each is one statement, and so of one moment.

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
use sqlx::{PgConnection, postgres::PgRow};

use crate::{
    errors::class,
    rows::{
        self, ORDER_COLUMNS, PAYMENT_COLUMNS, kept_payment, known, learnt_at, limit_of, order_columns,
        payment_columns, read, value,
    },
};

/// A row for each open incident of each payment, for a payment without one too, and for an order without any.
const ORDER: &str = concat!(
    "SELECT ",
    order_columns!(),
    ", ",
    payment_columns!(),
    ", i.kind, i.remedy, i.opened_at FROM payonce.orders o \
     LEFT JOIN LATERAL (SELECT * FROM payonce.payment WHERE order_id = o.id AND standing = 0 \
       UNION ALL SELECT * FROM payonce.payment WHERE order_id = o.id AND standing <> 0) p ON true \
     LEFT JOIN payonce.incident i ON i.payment_id = p.id AND i.resolved_at IS NULL \
     WHERE o.mchid = $1 AND o.out_trade_no = $2 AND o.state <> 4 ORDER BY p.standing, p.id, i.id"
);

pub(crate) async fn order(
    connection: &mut PgConnection,
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

fn payment(row: &PgRow) -> Result<PaymentView, StoreError> {
    let kept = kept_payment(row, ORDER_COLUMNS)?;
    Ok(PaymentView {
        content: kept.content,
        standing: kept.standing,
        paid_at: kept.paid_at,
        source: kept.source,
        learnt_at: learnt_at(row, ORDER_COLUMNS)?,
    })
}

fn incident(row: &PgRow) -> Result<Option<IncidentView>, StoreError> {
    const AT: usize = ORDER_COLUMNS + PAYMENT_COLUMNS;
    let Some(kind) = value::<Option<&str>>(row, AT)? else { return Ok(None) };
    Ok(Some(IncidentView {
        kind: known("incident.kind", codes::incident_kind(kind))?,
        remedy: known("incident.remedy", codes::remedy(i64::from(value::<i16>(row, AT + 1)?)))?,
        opened_at: UnixMillis(value(row, AT + 2)?),
    }))
}

pub(crate) async fn messages_after(
    connection: &mut PgConnection,
    after: Position,
    limit: usize,
) -> Result<Vec<MessageView>, StoreError> {
    // From the batch on in which the position stands.
    let select = sqlx::query(
        "SELECT b.first_position + m.place, m.id, m.kind, m.body, m.created_at \
         FROM payonce.message_batch b JOIN payonce.message m ON m.batch = b.id \
         WHERE b.first_position >= coalesce((SELECT first_position FROM payonce.message_batch \
           WHERE first_position <= $1 ORDER BY first_position DESC LIMIT 1), 0) \
         AND b.first_position + m.place > $1 ORDER BY b.first_position, m.place LIMIT $2",
    );
    let found = select.bind(after.0).bind(limit_of(limit)).fetch_all(connection).await.map_err(class)?;
    let message = |row: &PgRow| {
        Ok(MessageView {
            position: Position(value(row, 0)?),
            id: MessageId(value(row, 1)?),
            kind: value(row, 2)?,
            body: value(row, 3)?,
            created_at: UnixMillis(value(row, 4)?),
        })
    };
    found.iter().map(message).collect()
}

pub(crate) async fn ledger_after(
    connection: &mut PgConnection,
    after: OrderId,
    limit: usize,
) -> Result<Vec<LedgerLine>, StoreError> {
    // The counts scan the rows themselves, so that an order cannot vouch for itself: payments by the order
    // that they name, messages by the order that they belong to.
    let select = sqlx::query(
        "SELECT o.id, o.mchid, o.out_trade_no, o.state IN (1, 2), \
           (SELECT count(*) FROM payonce.payment p WHERE p.order_id = o.id AND p.standing = 0 \
              AND p.mchid = o.mchid AND p.out_trade_no = o.out_trade_no \
              AND p.amount = o.amount AND p.currency = o.currency AND p.appid = o.appid \
              AND p.sub_mchid IS NOT DISTINCT FROM o.sub_mchid)::integer, \
           (SELECT count(*) FROM payonce.message m \
              WHERE m.order_id = o.id AND m.kind = 'payment.succeeded')::integer \
         FROM payonce.orders o WHERE o.id > $1 AND o.state <> 4 ORDER BY o.id LIMIT $2",
    );
    let found = select.bind(after.0).bind(limit_of(limit)).fetch_all(connection).await.map_err(class)?;
    let count = |row: &PgRow, place| Ok::<_, StoreError>(value::<i32>(row, place)?.unsigned_abs());
    let line = |row: &PgRow| {
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
    connection: &mut PgConnection,
    limit: usize,
) -> Result<Vec<Rejected>, StoreError> {
    let select = sqlx::query(
        "SELECT received_at, path_merchant, http_status, verdict, reason, headers, body FROM payonce.rejected \
         ORDER BY id DESC LIMIT $1",
    );
    let found = select.bind(limit_of(limit)).fetch_all(connection).await.map_err(class)?;
    let rejected = |row: &PgRow| {
        Ok(Rejected {
            received_at: UnixMillis(value(row, 0)?),
            path_merchant: value(row, 1)?,
            http_status: read("rejected.http_status", u16::try_from(value::<i32>(row, 2)?))?,
            verdict: value(row, 3)?,
            reason: value(row, 4)?,
            headers: value(row, 5)?,
            body: value(row, 6)?,
        })
    };
    found.iter().map(rejected).collect()
}

pub(crate) async fn rejected_before(
    connection: &mut PgConnection,
    row: RejectedRow,
    back: usize,
) -> Result<Option<RejectedRow>, StoreError> {
    let select = sqlx::query_scalar(
        "SELECT id FROM payonce.rejected WHERE id < $1 ORDER BY id DESC OFFSET $2 LIMIT 1",
    );
    let found = select.bind(row.0).bind(limit_of(back.saturating_sub(1))).fetch_optional(connection).await;
    Ok(found.map_err(class)?.map(RejectedRow))
}

pub(crate) async fn counts(connection: &mut PgConnection) -> Result<Counts, StoreError> {
    let select = sqlx::query(
        "SELECT (SELECT count(*) FROM payonce.orders WHERE state <> 4), (SELECT count(*) FROM payonce.payment), \
         (SELECT count(*) FROM payonce.message), (SELECT count(*) FROM payonce.incident), \
         (SELECT count(*) FROM payonce.receipt), (SELECT count(*) FROM payonce.rejected), \
         (SELECT count(*) FROM payonce.unopened)",
    );
    let row = select.fetch_one(connection).await.map_err(class)?;
    let count = |place| Ok::<_, StoreError>(value::<i64>(&row, place)?.unsigned_abs());
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
