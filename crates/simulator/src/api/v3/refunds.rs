//! `/v3/refund/domestic/refunds`: asking for a refund, what became of it, and another way where its own is closed.
//! Ordinary merchants and providers ask alike; a provider names its sub-merchant.
//!
//! Invariants: what reaches the books broke no rule for a single field; which of an order's two numbers was given makes no
//! difference when it is asked for again; cards and names are opened and forgotten. Deliberately absent: what refunded
//! goods do, which are checked, kept, and compared.

use serde_json::Value;

use super::door::Ask;
use super::error::{Error, FieldRule};
use super::fields::{Object, optional_parameter, parse};
use super::prepay::AMOUNT_FEN_MAX;
use super::reply::Reply;
use crate::books::{
    Destination, FundsAccount, OrderNumber, Protocol, RefundFrom, RefundStatement, RefundTerms, Whose,
};
use crate::simulator::Desk;

/// What a refund's number may hold beside letters and digits.
const REFUND_MARKS: &[u8] = b"_-|*@";

const ASKED: [&str; 9] = [
    "transaction_id",
    "out_trade_no",
    "sub_mchid",
    "out_refund_no",
    "reason",
    "notify_url",
    "funds_account",
    "amount",
    "goods_detail",
];

/// Fields that say which order, or that have a place of their own in [`RefundTerms`].
const APART: [&str; 5] = ["transaction_id", "out_trade_no", "sub_mchid", "out_refund_no", "amount"];

const REDIRECTED: [&str; 6] =
    ["sub_mchid", "out_refund_no", "type", "bank_type", "bank_account", "real_name"];

/// Banks whose cards can be named.
const BANK_TYPES: [&str; 15] = [
    "CMB_DEBIT",
    "COMM_DEBIT",
    "ABC_DEBIT",
    "CCB_DEBIT",
    "ICBC_DEBIT",
    "BOC_DEBIT",
    "PAB_DEBIT",
    "SPDB_DEBIT",
    "CITIC_DEBIT",
    "CEB_DEBIT",
    "CMBC_DEBIT",
    "CIB_DEBIT",
    "GDB_DEBIT",
    "PSBC_DEBIT",
    "NBCB_DEBIT",
];

/// The path names WeChat's number here; the route shares its segment with the merchant's.
const REFUND_ID: &str = "out_refund_no";

pub(super) fn apply(desk: &mut Desk<'_>, ask: &Ask) -> Result<Reply, Error> {
    let whole = parse(&ask.body)?;
    let body = Object::whole(&whole, &ASKED)?;
    let transaction_id = body.optional_text("transaction_id", "微信支付订单号", 32)?;
    let out_trade_no = body.optional_text("out_trade_no", "商户订单号", 32)?;
    let order = match (&transaction_id, &out_trade_no) {
        (Some(id), _) => OrderNumber::TransactionId(id),
        (None, Some(number)) => OrderNumber::OutTradeNo(number),
        (None, None) => {
            return Err(body.breaks("transaction_id", "微信支付订单号", FieldRule::Missing).into());
        }
    };
    let sub_mchid = body.optional_text("sub_mchid", "子商户号", 32)?;
    let terms = terms(&body, &whole)?;
    let whose = whose(ask, sub_mchid.as_deref());
    let refund = desk.books.refund(whose, order, terms, desk.now, desk.rng)?;
    Ok(Reply::Json(RefundStatement::of(refund, desk.now).to_json()))
}

pub(super) fn query(desk: &mut Desk<'_>, ask: &Ask) -> Result<Reply, Error> {
    let sub_mchid = optional_parameter(&ask.query, "sub_mchid");
    let refund = desk.books.find_refund(whose(ask, sub_mchid), ask.path("out_refund_no"))?;
    Ok(Reply::Json(RefundStatement::of(refund, desk.now).to_json()))
}

pub(super) fn apply_abnormal(desk: &mut Desk<'_>, ask: &Ask) -> Result<Reply, Error> {
    let body = parse(&ask.body)?;
    let body = Object::whole(&body, &REDIRECTED)?;
    let sub_mchid = body.optional_text("sub_mchid", "子商户号", 32)?;
    let out_refund_no = body.number("out_refund_no", "商户退款单号", 1..=64, REFUND_MARKS)?;
    let kind = body.one_of("type", "异常退款处理方式", &["USER_BANK_CARD", "MERCHANT_BANK_CARD"])?;
    let destination = if kind == "USER_BANK_CARD" {
        let bank_type = body.one_of("bank_type", "开户银行", &BANK_TYPES)?;
        opens(ask, &body, "bank_account", "收款银行卡号")?;
        opens(ask, &body, "real_name", "收款用户姓名")?;
        Destination::UserCard { bank_type }
    } else {
        Destination::MerchantCard
    };
    let numbers = (ask.path(REFUND_ID), out_refund_no.as_str());
    let whose = whose(ask, sub_mchid.as_deref());
    let refund = desk.books.redirect_refund(whose, numbers, destination, desk.now, desk.rng)?;
    Ok(Reply::Json(RefundStatement::of(refund, desk.now).to_json()))
}

fn terms(body: &Object<'_>, whole: &Value) -> Result<RefundTerms, Error> {
    let out_refund_no = body.number("out_refund_no", "商户退款单号", 1..=64, REFUND_MARKS)?;
    body.optional_text("reason", "退款原因", 80)?;
    goods(body)?;
    let amount = body.object("amount", "金额信息", &["refund", "from", "total", "currency"])?;
    let refund_fen = amount.integer("refund", "退款金额", 1..=AMOUNT_FEN_MAX)?;
    let total_fen = amount.integer("total", "原订单金额", 1..=AMOUNT_FEN_MAX)?;
    amount.one_of("currency", "退款币种", &["CNY"])?;
    let funds_account = match body.optional_text("funds_account", "退款资金来源", 32)? {
        None => None,
        Some(_) => {
            let known = ["AVAILABLE", "UNSETTLED"];
            Some(account(&body.one_of("funds_account", "退款资金来源", &known)?))
        }
    };
    let from = from(&amount, refund_fen)?;
    if funds_account.is_some() && !from.is_empty() {
        return Err(body.breaks("funds_account", "退款资金来源", FieldRule::Extra).into());
    }
    let mut parameters = whole.clone();
    if let Some(fields) = parameters.as_object_mut() {
        APART.iter().for_each(|field| drop(fields.remove(*field)));
    }
    Ok(RefundTerms {
        out_refund_no,
        refund_fen,
        total_fen,
        notify_url: body.optional_url("notify_url", "退款结果回调url", 256)?,
        funds_account,
        from,
        protocol: Protocol::V3,
        parameters,
    })
}

fn account(name: &str) -> FundsAccount {
    match name {
        "AVAILABLE" => FundsAccount::Available,
        "UNAVAILABLE" => FundsAccount::Unavailable,
        _ => FundsAccount::Unsettled,
    }
}

/// The parts, which come to the whole.
fn from(amount: &Object<'_>, refund_fen: i64) -> Result<Vec<RefundFrom>, Error> {
    let mut parts = Vec::new();
    for part in amount.objects("from", "退款出资账户及金额", &["account", "amount"])? {
        let name = part.one_of("account", "出资账户类型", &["AVAILABLE", "UNAVAILABLE"])?;
        let amount = part.integer("amount", "出资金额", 1..=AMOUNT_FEN_MAX)?;
        parts.push(RefundFrom { account: account(&name), amount });
    }
    let sum: i64 = parts.iter().map(|part| part.amount).sum();
    if parts.is_empty() || sum == refund_fen {
        Ok(parts)
    } else {
        Err(amount.breaks("from", "退款出资账户及金额", FieldRule::NotOneOf).into())
    }
}

fn goods(body: &Object<'_>) -> Result<(), Error> {
    let known = [
        "merchant_goods_id",
        "wechatpay_goods_id",
        "goods_name",
        "unit_price",
        "refund_amount",
        "refund_quantity",
    ];
    for goods in body.objects("goods_detail", "退款商品", &known)? {
        goods.text("merchant_goods_id", "商户侧商品编码", 1..=32)?;
        goods.optional_text("wechatpay_goods_id", "微信支付商品编码", 32)?;
        goods.optional_text("goods_name", "商品名称", 256)?;
        goods.integer("unit_price", "商品单价", 0..=AMOUNT_FEN_MAX)?;
        goods.integer("refund_amount", "商品退款金额", 0..=AMOUNT_FEN_MAX)?;
        goods.integer("refund_quantity", "商品退货数量", 1..=i64::from(u32::MAX))?;
    }
    Ok(())
}

/// Whether a field was sealed for the key that the request names.
fn opens(ask: &Ask, body: &Object<'_>, field: &str, name: &'static str) -> Result<(), Error> {
    let sealed = body.text(field, name, 1..=1024)?;
    let serial = ask.serial.as_deref().ok_or(Error::SerialMissing)?;
    let platform = ask.ring.platform_of(serial).ok_or(Error::SerialUnknown)?;
    match platform.decrypt(&sealed) {
        Some(opened) if opened.is_empty() => Err(body.breaks(field, name, FieldRule::Missing).into()),
        Some(_) => Ok(()),
        None => Err(Error::NotDecrypted { pointer: format!("/{field}") }),
    }
}

/// Refunds name no merchant but the sub-merchant: the other is who signed.
fn whose<'a>(ask: &'a Ask, sub_mchid: Option<&'a str>) -> Whose<'a> {
    Whose { mchid: &ask.caller.mchid, sub_mchid }
}
