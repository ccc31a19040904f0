//! `/pay/downloadbill`: the file itself, or in XML why there is none.

use wechatpay::v2::Fields;

use super::door::{Ask, Reply};
use super::error::Error;
use crate::api::v3::bills::gzipped;
use crate::books::{BillKind, BillRequest, Refusal, TradeRows};
use crate::calendar;
use crate::simulator::Desk;

pub(super) fn download(desk: &mut Desk<'_>, ask: &Ask) -> Result<Reply, Error> {
    let fields: &Fields = &ask.fields;
    let parameters = |return_msg| Error::NoBill { return_msg, error_code: "20001" };
    let kind = match fields.get("bill_type") {
        None | Some("ALL") => trade(ask, TradeRows::All),
        Some("SUCCESS") => trade(ask, TradeRows::Payments),
        Some("REFUND") => trade(ask, TradeRows::Refunds),
        Some("RECHARGE_REFUND") => BillKind::Nothing,
        Some(_) => return Err(parameters("invalid bill_type")),
    };
    let gzip = match fields.get("tar_type") {
        None => false,
        Some("GZIP") => true,
        Some(_) => return Err(parameters("data format error")),
    };
    let date = fields.get("bill_date").ok_or_else(|| parameters("missing parameter"))?;
    let day = calendar::day(date, "%Y%m%d").ok_or_else(|| parameters("data format error"))?;
    let request = BillRequest { mchid: ask.mch_id.clone(), day, kind };
    match desk.books.bill(&request, desk.now) {
        Ok(text) if gzip => Ok(Reply::File(gzipped(&text))),
        Ok(text) => Ok(Reply::File(text.into_bytes())),
        Err(Refusal::NoStatement) => Err(Error::NoBill { return_msg: "No Bill Exist", error_code: "20002" }),
        Err(Refusal::StatementCreating) => {
            Err(Error::NoBill { return_msg: "Bill Creating", error_code: "20002" })
        }
        Err(_) => Err(parameters("data format error")),
    }
}

fn trade(ask: &Ask, rows: TradeRows) -> BillKind {
    BillKind::Trade { rows, sub_mchid: ask.sub_mch_id.clone() }
}
