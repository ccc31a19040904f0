//! An order in partner mode: a service provider (`sp_`) takes it for a merchant of its own (`sub_`). The resource of
//! its payment notification, which goes to the provider, and the answer to its query.

use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::field::{debug_shows, text};
use super::transaction::Amount;
use crate::Payment;

/// An order in partner mode. In a notification it is paid, and [`Self::payment`] is there.
#[derive(Clone, PartialEq, Deserialize)]
pub struct PartnerTransaction {
    /// The provider's Mini Program or app.
    pub sp_appid: String,
    /// The provider, whose keys the notification is made with.
    pub sp_mchid: String,
    /// The merchant's own Mini Program or app, if the order named it.
    #[serde(default, deserialize_with = "text")]
    pub sub_appid: Option<String>,
    /// The merchant, who gets the money.
    pub sub_mchid: String,
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
    /// The state in Chinese.
    #[serde(default, deserialize_with = "text")]
    pub trade_state_desc: Option<String>,
    /// Bank and kind of card.
    #[serde(default, deserialize_with = "text")]
    pub bank_type: Option<String>,
    /// What was attached to the order.
    #[serde(default, deserialize_with = "text")]
    pub attach: Option<String>,
    /// When it was paid, RFC 3339 with offset.
    #[serde(default, deserialize_with = "text")]
    pub success_time: Option<String>,
    /// Who paid.
    pub payer: Option<PartnerPayer>,
    /// How much; an answer about an unpaid order may leave it out.
    pub amount: Option<Amount>,
    /// Every other field, such as `scene_info` and `promotion_detail`. Of a repeated one, the last.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

debug_shows!(PartnerTransaction: sp_appid, sp_mchid, sub_appid, sub_mchid, out_trade_no, transaction_id, trade_state, amount);

impl PartnerTransaction {
    /// The payment; `None` for an order without one.
    #[must_use]
    pub fn payment(&self) -> Option<Payment<'_>> {
        let amount = self.amount.as_ref()?;
        Some(Payment {
            mchid: &self.sp_mchid,
            sub_mchid: Some(&self.sub_mchid),
            appid: &self.sp_appid,
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
pub struct PartnerPayer {
    /// The user's id within `sp_appid`.
    #[serde(default, deserialize_with = "text")]
    pub sp_openid: Option<String>,
    /// The user's id within `sub_appid`.
    #[serde(default, deserialize_with = "text")]
    pub sub_openid: Option<String>,
    /// Every other field.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl fmt::Debug for PartnerPayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PartnerPayer([REDACTED])")
    }
}
