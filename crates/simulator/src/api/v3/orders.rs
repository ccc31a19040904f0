//! Asking for an order by either number, and closing it.
//!
//! Invariant: who asks is the merchant whom the request names, in partner mode with its sub-merchant.

use super::door::Ask;
use super::error::Error;
use super::fields::{Object, parameter, parse};
use super::reply::Reply;
use crate::books::{Transaction, Whose};
use crate::simulator::Desk;

/// On whose behalf it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// The merchant's own.
    Ordinary,
    /// A sub-merchant's, by its provider.
    Partner,
}

pub(super) fn query_by_out_trade_no(desk: &mut Desk<'_>, ask: &Ask, mode: Mode) -> Result<Reply, Error> {
    let whose = named_in_query(ask, mode)?;
    let order = desk.books.find(whose, out_trade_no(ask)?)?;
    Ok(Reply::json(&Transaction::of_order(order, desk.now)))
}

pub(super) fn query_by_transaction_id(desk: &mut Desk<'_>, ask: &Ask, mode: Mode) -> Result<Reply, Error> {
    let order = desk.books.find_paid(named_in_query(ask, mode)?, ask.path("transaction_id"))?;
    Ok(Reply::json(&Transaction::of_order(order, desk.now)))
}

pub(super) fn close(desk: &mut Desk<'_>, ask: &Ask, mode: Mode) -> Result<Reply, Error> {
    let body = parse(&ask.body)?;
    let (mchid, sub_mchid) = match mode {
        Mode::Ordinary => {
            let body = Object::whole(&body, &["mchid"])?;
            (body.text("mchid", "直连商户号", 1..=32)?, None)
        }
        Mode::Partner => {
            let body = Object::whole(&body, &["sp_mchid", "sub_mchid"])?;
            let sub_mchid = body.text("sub_mchid", "子商户号", 1..=32)?;
            (body.text("sp_mchid", "服务商户号", 1..=32)?, Some(sub_mchid))
        }
    };
    let whose = of_caller(ask, &mchid, sub_mchid.as_deref())?;
    desk.books.close(whose, out_trade_no(ask)?, desk.now)?;
    Ok(Reply::Nothing)
}

fn out_trade_no(ask: &Ask) -> Result<&str, Error> {
    Ok(ask.number("out_trade_no", "商户订单号", 32)?)
}

/// Whom the query names.
fn named_in_query(ask: &Ask, mode: Mode) -> Result<Whose<'_>, Error> {
    match mode {
        Mode::Ordinary => of_caller(ask, parameter(&ask.query, "mchid", "直连商户号")?, None),
        Mode::Partner => {
            let mchid = parameter(&ask.query, "sp_mchid", "服务商户号")?;
            of_caller(ask, mchid, Some(parameter(&ask.query, "sub_mchid", "子商户号")?))
        }
    }
}

/// Whoever is named must be who signed.
fn of_caller<'a>(ask: &Ask, mchid: &'a str, sub_mchid: Option<&'a str>) -> Result<Whose<'a>, Error> {
    if ask.caller.mchid == mchid { Ok(Whose { mchid, sub_mchid }) } else { Err(Error::OtherMchid) }
}
