//! `/secapi/pay/refund`, `/pay/refundquery`.

use serde_json::Value;
use wechatpay::v2::Fields;

use super::door::{Ask, Reply};
use super::error::Error;
use super::fields::{fen, number, optional_text, optional_word};
use crate::api::v3::fields::is_notify_url;
use crate::books::{FundsAccount, OrderKey, OrderNumber, Refund, RefundStatement, RefundTerms, Refusal};
use crate::calendar;
use crate::simulator::Desk;

const REFUND_MARKS: &[u8] = b"_-|*@";

/// Refunds in one answer.
const PAGE: usize = 10;

const SOURCES: [&str; 2] = ["REFUND_SOURCE_UNSETTLED_FUNDS", "REFUND_SOURCE_RECHARGE_FUNDS"];

pub(super) fn apply(desk: &mut Desk<'_>, ask: &Ask) -> Result<Reply, Error> {
    let order = order_number(ask).ok_or_else(|| Error::missing("out_trade_no"))?;
    let terms = terms(ask)?;
    let refund = desk.books.refund(ask.whose(), order, terms, desk.now, desk.rng)?;
    let mut own = of_order(refund);
    own.insert("out_refund_no", refund.terms.out_refund_no.as_str());
    own.insert("refund_id", refund.refund_id.as_str());
    let refunded = refund.terms.refund_fen.to_string();
    for name in ["refund_fee", "settlement_refund_fee", "cash_refund_fee"] {
        own.insert(name, refunded.as_str());
    }
    own.insert("coupon_refund_fee", "0");
    own.insert("coupon_refund_count", "0");
    Ok(Reply::Fields(own))
}

pub(super) fn query(desk: &mut Desk<'_>, ask: &Ask) -> Result<Reply, Error> {
    let offset = match ask.fields.get("offset") {
        None => 0,
        Some(offset) => offset.parse().map_err(|_| Error::invalid("offset"))?,
    };
    let refunds = named(desk, ask)?;
    let first = refunds.first().ok_or(Refusal::RefundNotExist)?;
    let mut own = of_order(first);
    own.insert("total_refund_count", refunds.len().to_string());
    let page: Vec<_> = refunds.iter().skip(offset).take(PAGE).collect();
    own.insert("refund_count", page.len().to_string());
    for (place, refund) in page.into_iter().enumerate() {
        let statement = RefundStatement::of(refund, desk.now);
        let mut put = |name: &str, value: &str| own.insert(&format!("{name}_{place}"), value);
        put("out_refund_no", &refund.terms.out_refund_no);
        put("refund_id", &refund.refund_id);
        put("refund_channel", statement.channel());
        put("refund_fee", &refund.terms.refund_fen.to_string());
        put("settlement_refund_fee", &refund.terms.refund_fen.to_string());
        put("refund_status", refund.status(desk.now).v2_name());
        put("refund_account", refund.terms.v2_source());
        put("refund_recv_accout", &statement.received_account());
        if let Some(at) = refund.succeeded_at(desk.now) {
            put("refund_success_time", &calendar::bill_time(at));
        }
    }
    Ok(Reply::Fields(own))
}

/// The refunds that the request names: one, or all of an order.
fn named<'a>(desk: &'a Desk<'_>, ask: &Ask) -> Result<Vec<&'a Refund>, Error> {
    let (books, whose) = (&*desk.books, ask.whose());
    if let Some(id) = ask.fields.get("refund_id") {
        let found = books.refunds().find(|(key, refund)| key.mchid == ask.mch_id && refund.refund_id == id);
        let (key, _) = found.ok_or(Refusal::RefundNotExist)?;
        return Ok(vec![books.find_refund(whose, &key.out_refund_no)?]);
    }
    if let Some(number) = ask.fields.get("out_refund_no") {
        return Ok(vec![books.find_refund(whose, number)?]);
    }
    let order = order_number(ask).ok_or_else(|| Error::missing("out_refund_no"))?;
    let (key, _): (OrderKey, _) = books.paid_order(whose, order)?;
    Ok(books.refunds_of(&key).collect())
}

fn order_number(ask: &Ask) -> Option<OrderNumber<'_>> {
    let by_id = ask.fields.get("transaction_id").map(OrderNumber::TransactionId);
    by_id.or_else(|| ask.fields.get("out_trade_no").map(OrderNumber::OutTradeNo))
}

fn terms(ask: &Ask) -> Result<RefundTerms, Error> {
    let fields = &ask.fields;
    let notify_url = optional_text(fields, "notify_url", 256)?;
    if notify_url.as_deref().is_some_and(|url| !is_notify_url(url)) {
        return Err(Error::invalid("notify_url"));
    }
    optional_text(fields, "refund_desc", 80 * 4)?;
    optional_word(fields, "refund_fee_type", &["CNY"])?;
    let source = optional_word(fields, "refund_account", &SOURCES)?;
    let mut parameters: Value = serde_json::from_str(&fields.to_json()).unwrap_or_default();
    if let Some(parameters) = parameters.as_object_mut() {
        for apart in ["transaction_id", "out_trade_no", "total_fee", "refund_fee"] {
            parameters.remove(apart);
        }
    }
    Ok(RefundTerms {
        out_refund_no: number(fields, "out_refund_no", 64, REFUND_MARKS)?,
        refund_fen: fen(fields, "refund_fee")?,
        total_fen: fen(fields, "total_fee")?,
        notify_url,
        funds_account: source.map(|source| {
            if source == SOURCES[1] { FundsAccount::Available } else { FundsAccount::Unsettled }
        }),
        from: Vec::new(),
        protocol: ask.protocol(),
        parameters,
    })
}

/// What an answer says of the order.
fn of_order(refund: &Refund) -> Fields {
    let payment = &refund.payment;
    let total = payment.amount_fen.to_string();
    let mut own = Fields::default();
    own.insert("transaction_id", payment.transaction_id.as_str());
    own.insert("out_trade_no", payment.out_trade_no.as_str());
    for name in ["total_fee", "settlement_total_fee", "cash_fee"] {
        own.insert(name, total.as_str());
    }
    own.insert("fee_type", "CNY");
    own
}
