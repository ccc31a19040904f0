//! A combined order as a query tells it. Invariant: `Debug` shows no payer. Deliberately absent: a state of the whole:
//! each sub-order has its own.

use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::answer::AnswerError;
use crate::api::wire::{CURRENCY_DEFAULT, list, needed, text};
use crate::api::{OrderPayer, Promotion, TradeState};
use crate::{Fen, Payment};

/// A combined order, paid or not.
#[derive(Clone, PartialEq, Deserialize)]
pub struct CombineOrder {
    /// The app that it was placed in.
    #[serde(default, deserialize_with = "text")]
    pub combine_appid: Option<String>,
    /// The merchant that placed it.
    pub combine_mchid: String,
    /// Its number there.
    pub combine_out_trade_no: String,
    /// WeChat Pay's number of the whole; refunds go by the sub-orders'.
    #[serde(default, deserialize_with = "text")]
    pub combine_transaction_id: Option<String>,
    /// Who paid.
    pub combine_payer_info: Option<OrderPayer>,
    /// What was paid together.
    #[serde(default, deserialize_with = "list")]
    pub sub_orders: Vec<CombineSubOrder>,
    /// Every other field.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl CombineOrder {
    /// The payments, in the order of the sub-orders; of those that are not paid, none.
    ///
    /// # Errors
    /// Where a sub-order is said to be paid but lacks what every payment has.
    pub fn payments(&self) -> Result<Vec<Payment<'_>>, AnswerError> {
        let paid = self.sub_orders.iter().filter(|sub_order| sub_order.trade_state.is_paid());
        paid.map(|sub_order| sub_order.payment(self.combine_appid.as_deref())).collect()
    }
}

impl fmt::Debug for CombineOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CombineOrder")
            .field("combine_mchid", &self.combine_mchid)
            .field("combine_out_trade_no", &self.combine_out_trade_no)
            .field("sub_orders", &self.sub_orders)
            .finish_non_exhaustive()
    }
}

/// One of the orders paid together.
#[derive(Clone, PartialEq, Deserialize)]
pub struct CombineSubOrder {
    /// The merchant, in partner mode the provider.
    pub mchid: String,
    /// The sub-merchant, in partner mode.
    #[serde(default, deserialize_with = "text")]
    pub sub_mchid: Option<String>,
    /// The sub-merchant's app.
    #[serde(default, deserialize_with = "text")]
    pub sub_appid: Option<String>,
    /// The payer under that app.
    #[serde(default, deserialize_with = "text")]
    pub sub_openid: Option<String>,
    /// The merchant's number.
    pub out_trade_no: String,
    /// WeChat Pay's number, once paid.
    #[serde(default, deserialize_with = "text")]
    pub transaction_id: Option<String>,
    /// Such as `JSAPI`, once paid.
    #[serde(default, deserialize_with = "text")]
    pub trade_type: Option<String>,
    /// What became of it.
    pub trade_state: TradeState,
    /// Bank and kind of card, once paid.
    #[serde(default, deserialize_with = "text")]
    pub bank_type: Option<String>,
    /// What the merchant attached.
    #[serde(default, deserialize_with = "text")]
    pub attach: Option<String>,
    /// When it was paid, RFC 3339 with offset.
    #[serde(default, deserialize_with = "text")]
    pub success_time: Option<String>,
    /// How much.
    pub amount: Option<CombineAmount>,
    /// What promotions took off.
    #[serde(default, deserialize_with = "list")]
    pub promotion_detail: Vec<Promotion>,
    /// Every other field.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl CombineSubOrder {
    fn payment<'a>(&'a self, combine_appid: Option<&'a str>) -> Result<Payment<'a>, AnswerError> {
        let amount = needed("amount", self.amount.as_ref())?;
        Ok(Payment {
            mchid: &self.mchid,
            sub_mchid: self.sub_mchid.as_deref(),
            appid: needed("combine_appid", combine_appid)?,
            out_trade_no: &self.out_trade_no,
            transaction_id: needed("transaction_id", self.transaction_id.as_deref())?,
            total: amount.total_amount,
            currency: amount.currency.as_deref().unwrap_or(CURRENCY_DEFAULT),
            state: self.trade_state.as_str(),
            success_time: self.success_time.as_deref(),
        })
    }
}

impl fmt::Debug for CombineSubOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CombineSubOrder")
            .field("mchid", &self.mchid)
            .field("sub_mchid", &self.sub_mchid)
            .field("out_trade_no", &self.out_trade_no)
            .field("trade_state", &self.trade_state)
            .field("amount", &self.amount)
            .finish_non_exhaustive()
    }
}

/// How much, in fen. The names differ from an ordinary order's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CombineAmount {
    /// The sub-order's.
    pub total_amount: Fen,
    /// What the user paid after promotions.
    pub payer_amount: Option<Fen>,
    /// `CNY`; absent means the same.
    #[serde(default, deserialize_with = "text")]
    pub currency: Option<String>,
    /// What the user paid in.
    #[serde(default, deserialize_with = "text")]
    pub payer_currency: Option<String>,
}
