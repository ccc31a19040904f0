//! An order in ordinary mode: one merchant, one order. The resource of its payment notification and the answer to its
//! query.

use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::field::{currency, currency_default, debug_shows, text};
use crate::{Fen, Payment};

/// An order in ordinary mode. In a notification it is paid, and [`Self::payment`] is there.
#[derive(Clone, PartialEq, Deserialize)]
pub struct Transaction {
    /// The Mini Program or app that was paid in.
    pub appid: String,
    /// The merchant.
    pub mchid: String,
    /// The merchant's order number.
    pub out_trade_no: String,
    /// WeChat Pay's payment number; `None` while unpaid.
    #[serde(default, deserialize_with = "text")]
    pub transaction_id: Option<String>,
    /// Such as `JSAPI`.
    #[serde(default, deserialize_with = "text")]
    pub trade_type: Option<String>,
    /// `SUCCESS` in every payment notification so far; an open list.
    pub trade_state: String,
    /// The state in Chinese.
    #[serde(default, deserialize_with = "text")]
    pub trade_state_desc: Option<String>,
    /// Bank and kind of card.
    #[serde(default, deserialize_with = "text")]
    pub bank_type: Option<String>,
    /// What the merchant attached to the order.
    #[serde(default, deserialize_with = "text")]
    pub attach: Option<String>,
    /// When it was paid, RFC 3339 with offset.
    #[serde(default, deserialize_with = "text")]
    pub success_time: Option<String>,
    /// Who paid.
    pub payer: Option<Payer>,
    /// How much; an answer about an unpaid order may leave it out.
    pub amount: Option<Amount>,
    /// Every other field, such as `scene_info` and `promotion_detail`. Of a repeated one, the last.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

debug_shows!(Transaction: appid, mchid, out_trade_no, transaction_id, trade_state, amount);

impl Transaction {
    /// The payment; `None` for an order without one.
    #[must_use]
    pub fn payment(&self) -> Option<Payment<'_>> {
        let amount = self.amount.as_ref()?;
        Some(Payment {
            mchid: &self.mchid,
            sub_mchid: None,
            appid: &self.appid,
            out_trade_no: &self.out_trade_no,
            transaction_id: self.transaction_id.as_deref()?,
            total: amount.total,
            currency: &amount.currency,
            state: &self.trade_state,
            success_time: self.success_time.as_deref(),
        })
    }
}

/// Who paid.
#[derive(Clone, PartialEq, Deserialize)]
pub struct Payer {
    /// The user's id within the `appid`.
    #[serde(default, deserialize_with = "text")]
    pub openid: Option<String>,
    /// Every other field.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl fmt::Debug for Payer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Payer([REDACTED])")
    }
}

/// How much was paid.
#[derive(Clone, PartialEq, Deserialize)]
pub struct Amount {
    /// The order's amount: compare it with the order's.
    pub total: Fen,
    /// What the user paid after coupons.
    pub payer_total: Option<Fen>,
    /// The order's currency; `CNY` where absent or empty.
    #[serde(default = "currency_default", deserialize_with = "currency")]
    pub currency: String,
    /// The currency that the user paid in.
    #[serde(default, deserialize_with = "text")]
    pub payer_currency: Option<String>,
    /// Every other field.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

debug_shows!(Amount: total, payer_total, currency, payer_currency);
