//! Reads beside the writer: what they see was committed.

use std::sync::LazyLock;

use payonce_core::{
    MerchantId, OrderKey, OutTradeNo, UnixMillis,
    message::MessageId,
    order::OrderId,
    store::{
        Counts, IncidentView, KnownOrder, LedgerLine, MessageView, OrderView, PaymentView, Position,
        Rejected, RejectedRow, codes,
    },
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::{
    rows::{self, PAYMENT_COLUMNS, RowError, known, read, text},
    tx::ORDER_BY_KEY,
};

static PAYMENTS_OF_ORDER: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {PAYMENT_COLUMNS} FROM payment WHERE order_id = ?1 AND standing = 0 \
         UNION ALL \
         SELECT {PAYMENT_COLUMNS} FROM payment WHERE order_id = ?1 AND standing <> 0 ORDER BY standing, id"
    )
});

pub(crate) fn order(connection: &Connection, key: &OrderKey) -> Result<Option<OrderView>, RowError> {
    // One snapshot for all three tables.
    let snapshot = connection.unchecked_transaction()?;
    let mut select = snapshot.prepare_cached(&ORDER_BY_KEY)?;
    let mut found = select.query(params![key.merchant.as_str(), key.out_trade_no.as_str()])?;
    let Some(row) = found.next()? else { return Ok(None) };
    let KnownOrder::Registered(id, order) = rows::order(row, key)? else { return Ok(None) };

    let mut payments = Vec::new();
    let mut incidents = Vec::new();
    let mut select = snapshot.prepare_cached(&PAYMENTS_OF_ORDER)?;
    let mut found = select.query([id.0])?;
    while let Some(row) = found.next()? {
        let kept = rows::kept_payment(row)?;
        incidents_of(&snapshot, kept.row.0, &mut incidents)?;
        payments.push(PaymentView {
            content: kept.content,
            standing: kept.standing,
            paid_at: kept.paid_at,
            source: kept.source,
            learnt_at: UnixMillis(row.get(12)?),
        });
    }
    incidents.sort_by_key(|incident| incident.opened_at);
    Ok(Some(OrderView { order, payments, incidents }))
}

fn incidents_of(
    connection: &Connection,
    payment: i64,
    incidents: &mut Vec<IncidentView>,
) -> Result<(), RowError> {
    let mut select = connection.prepare_cached(
        "SELECT kind, remedy, opened_at FROM incident WHERE payment_id = ?1 AND resolved_at IS NULL ORDER BY id",
    )?;
    let mut found = select.query([payment])?;
    while let Some(row) = found.next()? {
        incidents.push(IncidentView {
            kind: known("incident.kind", codes::incident_kind(text(row, 0)?))?,
            remedy: known("incident.remedy", codes::remedy(row.get(1)?))?,
            opened_at: UnixMillis(row.get(2)?),
        });
    }
    Ok(())
}

pub(crate) fn messages_after(
    connection: &Connection,
    after: Position,
    limit: usize,
) -> Result<Vec<MessageView>, RowError> {
    let mut select = connection.prepare_cached(
        "SELECT position, id, kind, body, created_at FROM message WHERE position > ?1 ORDER BY position LIMIT ?2",
    )?;
    all(select.query(params![after.0, limit_of(limit)])?, |row| {
        Ok(MessageView {
            position: Position(row.get(0)?),
            id: MessageId(row.get(1)?),
            kind: row.get(2)?,
            body: row.get(3)?,
            created_at: UnixMillis(row.get(4)?),
        })
    })
}

pub(crate) fn ledger_after(
    connection: &Connection,
    after: OrderId,
    limit: usize,
) -> Result<Vec<LedgerLine>, RowError> {
    // The counts scan the rows themselves, so that an order cannot vouch for itself: payments by the order
    // that they name, messages by the order that they belong to.
    let mut select = connection.prepare_cached(
        "SELECT o.id, o.mchid, o.out_trade_no, o.state IN (1, 2), \
           (SELECT count(*) FROM payment p WHERE p.order_id = o.id AND p.standing = 0 \
              AND p.mchid = o.mchid AND p.out_trade_no = o.out_trade_no \
              AND p.amount = o.amount AND p.currency = o.currency AND p.appid = o.appid \
              AND p.sub_mchid IS o.sub_mchid), \
           (SELECT count(*) FROM message m WHERE m.order_id = o.id AND m.kind = 'payment.succeeded') \
         FROM orders o WHERE o.id > ?1 AND o.state <> 4 ORDER BY o.id LIMIT ?2",
    )?;
    all(select.query(params![after.0, limit_of(limit)])?, |row| {
        Ok(LedgerLine {
            id: OrderId(row.get(0)?),
            key: OrderKey {
                merchant: read("orders.mchid", MerchantId::parse(text(row, 1)?))?,
                out_trade_no: read("orders.out_trade_no", OutTradeNo::parse(text(row, 2)?))?,
            },
            paid: row.get(3)?,
            settling: row.get(4)?,
            succeeded: row.get(5)?,
        })
    })
}

pub(crate) fn rejected_latest(connection: &Connection, limit: usize) -> Result<Vec<Rejected>, RowError> {
    let mut select = connection.prepare_cached(
        "SELECT received_at, path_merchant, http_status, verdict, reason, headers, body FROM rejected \
         ORDER BY id DESC LIMIT ?1",
    )?;
    all(select.query([limit_of(limit)])?, |row| {
        Ok(Rejected {
            received_at: UnixMillis(row.get(0)?),
            path_merchant: row.get(1)?,
            http_status: row.get(2)?,
            verdict: row.get(3)?,
            reason: row.get(4)?,
            headers: row.get(5)?,
            body: row.get(6)?,
        })
    })
}

pub(crate) fn rejected_before(
    connection: &Connection,
    row: RejectedRow,
    back: usize,
) -> Result<Option<RejectedRow>, RowError> {
    let mut select = connection
        .prepare_cached("SELECT id FROM rejected WHERE id < ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2")?;
    let passed = limit_of(back.saturating_sub(1));
    Ok(select.query_row([row.0, passed], |row| row.get(0)).optional()?.map(RejectedRow))
}

pub(crate) fn counts(connection: &Connection) -> Result<Counts, RowError> {
    let count = |table: &str| -> Result<u64, RowError> {
        let rows: i64 =
            connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        Ok(rows.unsigned_abs())
    };
    Ok(Counts {
        orders: count("orders WHERE state <> 4")?,
        payments: count("payment")?,
        messages: count("message")?,
        incidents: count("incident")?,
        receipts: count("receipt")?,
        rejected: count("rejected")?,
        unopened: count("unopened")?,
    })
}

fn limit_of(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn all<T>(
    mut found: rusqlite::Rows<'_>,
    read: impl Fn(&Row<'_>) -> Result<T, RowError>,
) -> Result<Vec<T>, RowError> {
    let mut values = Vec::new();
    while let Some(row) = found.next()? {
        values.push(read(row)?);
    }
    Ok(values)
}
