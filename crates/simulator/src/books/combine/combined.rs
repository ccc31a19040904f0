//! A combined order: what it is about, and which orders are its parts.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wechatpay::UnixSeconds;

use super::super::{OrderKey, OrderPayer, TradeType};

/// What a combined order is about, beside its parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CombineTerms {
    /// The app in which it is paid.
    pub combine_appid: String,
    /// The merchant that combines, and signs.
    pub combine_mchid: String,
    /// Its number of the whole.
    pub combine_out_trade_no: String,
    /// How it is paid.
    pub trade_type: TradeType,
    /// Where the payment is told.
    pub notify_url: String,
    /// Who is to pay; without it, whoever comes.
    pub payer: Option<OrderPayer>,
    /// Shop or terminal.
    pub device_id: Option<String>,
    /// The whole request as it was said: the same number goes on only with the same parameters.
    pub parameters: Value,
}

/// A combined order in the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Combined {
    /// What it is about.
    pub terms: CombineTerms,
    /// The orders that it consists of.
    pub parts: Vec<OrderKey>,
    /// When it was placed.
    pub placed_at: UnixSeconds,
    /// The `prepay_id`, `code_url` or `h5_url` that was given out last.
    pub ticket: Option<String>,
    /// WeChat's number of the whole, once it is paid.
    pub transaction_id: Option<String>,
    /// Who paid, under the app.
    pub openid: Option<String>,
}

impl CombineTerms {
    /// By what it is found.
    #[must_use]
    pub fn key(&self) -> OrderKey {
        OrderKey::new(&self.combine_mchid, &self.combine_out_trade_no)
    }
}
