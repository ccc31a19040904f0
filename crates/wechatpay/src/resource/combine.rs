//! A combine order (合单): one act of paying, several orders of several merchants. The resource of its payment
//! notification, which tells of all of them at once, and the answer to its query.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::field::{currency, currency_default, debug_shows, text};
use super::transaction::Payer;
use crate::{Fen, Payment};

/// A combine order. In a notification every sub-order is paid, and [`Self::payments`] has one for each.
#[derive(Clone, PartialEq, Deserialize)]
pub struct CombineTransaction {
    /// The Mini Program or app that was paid in.
    pub combine_appid: String,
    /// The merchant who combined the orders, whose keys the notification is made with. It may sell nothing itself.
    pub combine_mchid: String,
    /// The number of the whole. It is never refunded by.
    pub combine_out_trade_no: String,
    /// WeChat Pay's number of the whole.
    #[serde(default, deserialize_with = "text")]
    pub combine_transaction_id: Option<String>,
    /// The orders. A notification has at least one.
    pub sub_orders: Vec<SubOrder>,
    /// Who paid.
    pub combine_payer_info: Option<Payer>,
    /// Every other field, such as `scene_info`. Of a repeated one, the last.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

debug_shows!(CombineTransaction: combine_appid, combine_mchid, combine_out_trade_no, combine_transaction_id, sub_orders);

impl CombineTransaction {
    /// The payments, in the order of the sub-orders; of those that are not paid, none.
    pub fn payments(&self) -> impl Iterator<Item = Payment<'_>> {
        self.sub_orders.iter().filter_map(|sub_order| sub_order.payment(&self.combine_appid))
    }
}

/// One order of a combine order.
#[derive(Clone, PartialEq, Deserialize)]
pub struct SubOrder {
    /// The merchant of this order.
    pub mchid: String,
    /// The merchant that a provider acts for.
    #[serde(default, deserialize_with = "text")]
    pub sub_mchid: Option<String>,
    /// That merchant's own Mini Program or app.
    #[serde(default, deserialize_with = "text")]
    pub sub_appid: Option<String>,
    /// The order number.
    pub out_trade_no: String,
    /// WeChat Pay's payment number; `None` while unpaid.
    #[serde(default, deserialize_with = "text")]
    pub transaction_id: Option<String>,
    /// Such as `JSAPI`.
    #[serde(default, deserialize_with = "text")]
    pub trade_type: Option<String>,
    /// `SUCCESS` in every payment notification so far; an open list.
    pub trade_state: String,
    /// Bank and kind of card.
    #[serde(default, deserialize_with = "text")]
    pub bank_type: Option<String>,
    /// What was attached to the order.
    #[serde(default, deserialize_with = "text")]
    pub attach: Option<String>,
    /// When it was paid, RFC 3339 with offset.
    #[serde(default, deserialize_with = "text")]
    pub success_time: Option<String>,
    /// The payer's id within `sub_appid`.
    #[serde(default, deserialize_with = "text")]
    pub sub_openid: Option<String>,
    /// How much; an answer about an unpaid order may leave it out.
    pub amount: Option<SubOrderAmount>,
    /// Every other field, such as `promotion_detail`. Of a repeated one, the last.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

debug_shows!(SubOrder: mchid, sub_mchid, sub_appid, out_trade_no, transaction_id, trade_state, amount);

impl SubOrder {
    /// The payment of this order, in the `combine_appid` given; `None` for an order without one.
    #[must_use]
    pub fn payment<'a>(&'a self, combine_appid: &'a str) -> Option<Payment<'a>> {
        let amount = self.amount.as_ref()?;
        Some(Payment {
            mchid: &self.mchid,
            sub_mchid: self.sub_mchid.as_deref(),
            appid: combine_appid,
            out_trade_no: &self.out_trade_no,
            transaction_id: self.transaction_id.as_deref()?,
            total: amount.total_amount,
            currency: &amount.currency,
            state: &self.trade_state,
            success_time: self.success_time.as_deref(),
        })
    }
}

/// How much was paid for one order of a combine order, under names of its own.
#[derive(Clone, PartialEq, Deserialize)]
pub struct SubOrderAmount {
    /// The order's amount: compare it with the order's.
    pub total_amount: Fen,
    /// What the user paid after coupons.
    pub payer_amount: Option<Fen>,
    /// The order's currency; `CNY` where absent or empty.
    #[serde(default = "currency_default", deserialize_with = "currency")]
    pub currency: String,
    /// The currency that the user paid in.
    #[serde(default, deserialize_with = "text")]
    pub payer_currency: Option<String>,
    /// Every other field, such as `settlement_rate`.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

debug_shows!(SubOrderAmount: total_amount, payer_amount, currency, payer_currency);
