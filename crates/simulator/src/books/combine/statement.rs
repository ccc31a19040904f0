//! The JSON of a combined order in APIv3: as the answer of a query, and inside its notice. What only a payment brings is
//! absent before.

use serde::Serialize;
use wechatpay::UnixSeconds;

use super::super::{Books, Order, Payment, TradeState, TradeType};
use super::Combined;
use crate::calendar;

#[derive(Serialize)]
pub(crate) struct CombineStatement<'a> {
    combine_appid: &'a str,
    combine_mchid: &'a str,
    combine_out_trade_no: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    combine_transaction_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scene_info: Option<Scene<'a>>,
    sub_orders: Vec<Part<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    combine_payer_info: Option<Payer<'a>>,
}

#[derive(Serialize)]
struct Scene<'a> {
    device_id: &'a str,
}

#[derive(Serialize)]
struct Payer<'a> {
    openid: &'a str,
}

#[derive(Serialize)]
struct Part<'a> {
    mchid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_appid: Option<&'a str>,
    #[serde(flatten)]
    paid: Option<Paid<'a>>,
    trade_state: TradeState,
    out_trade_no: &'a str,
    amount: Amount,
}

#[derive(Serialize)]
struct Paid<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_openid: Option<&'a str>,
    trade_type: TradeType,
    bank_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    attach: Option<&'a str>,
    success_time: String,
    transaction_id: &'a str,
}

#[derive(Serialize)]
struct Amount {
    total_amount: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    payer_amount: Option<i64>,
    currency: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payer_currency: Option<&'static str>,
}

impl<'a> CombineStatement<'a> {
    pub(crate) fn of(books: &'a Books, combined: &'a Combined, now: UnixSeconds) -> Self {
        let terms = &combined.terms;
        Self {
            combine_appid: &terms.combine_appid,
            combine_mchid: &terms.combine_mchid,
            combine_out_trade_no: &terms.combine_out_trade_no,
            combine_transaction_id: combined.transaction_id.as_deref(),
            scene_info: terms.device_id.as_deref().map(|device_id| Scene { device_id }),
            sub_orders: books.parts(combined).map(|order| Part::of(order, now)).collect(),
            combine_payer_info: combined.openid.as_deref().map(|openid| Payer { openid }),
        }
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("BUG: structs of texts and integers always serialise")
    }
}

impl<'a> Part<'a> {
    fn of(order: &'a Order, now: UnixSeconds) -> Self {
        let seller = &order.terms.seller;
        let payment = order.payment();
        Self {
            mchid: seller.signer(),
            sub_mchid: seller.sub_mchid(),
            sub_appid: seller.sub_appid(),
            paid: payment.map(Paid::of),
            trade_state: order.state(now),
            out_trade_no: &order.terms.out_trade_no,
            amount: Amount {
                total_amount: order.terms.amount_fen,
                payer_amount: payment.map(|payment| payment.amount_fen),
                currency: "CNY",
                payer_currency: payment.map(|_| "CNY"),
            },
        }
    }
}

impl<'a> Paid<'a> {
    fn of(payment: &'a Payment) -> Self {
        Self {
            sub_openid: payment.sub_openid.as_deref(),
            trade_type: payment.trade_type,
            bank_type: &payment.bank_type,
            attach: payment.attach.as_deref(),
            success_time: calendar::rfc3339(payment.success_time),
            transaction_id: &payment.transaction_id,
        }
    }
}
