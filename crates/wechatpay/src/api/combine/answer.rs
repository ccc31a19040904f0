//! A combined order as a query tells it. Invariant: `Debug` shows no payer. Deliberately absent: a state of the whole:
//! each sub-order has its own.

use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::Fen;
use crate::api::wire::{list, text};
use crate::api::{OrderPayer, Promotion, TradeState};

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
