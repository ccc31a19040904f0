//! The resource of a domestic refund notification, ordinary and partner mode.
//!
//! Deliberately absent: the answer to a refund query, which names the same things otherwise (`status`), and cross-border
//! refunds, whose amounts are not fen.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::field::{currency, currency_default, debug_shows, text};
use crate::Fen;

/// A refund that reached a state.
#[derive(Clone, PartialEq, Deserialize)]
pub struct Refund {
    /// The merchant, in ordinary mode. One of `mchid` and `sp_mchid` is there.
    #[serde(default, deserialize_with = "text")]
    pub mchid: Option<String>,
    /// The provider, in partner mode.
    #[serde(default, deserialize_with = "text")]
    pub sp_mchid: Option<String>,
    /// The provider's merchant, in partner mode.
    #[serde(default, deserialize_with = "text")]
    pub sub_mchid: Option<String>,
    /// The number of the order.
    pub out_trade_no: String,
    /// WeChat Pay's number of the payment.
    pub transaction_id: String,
    /// The merchant's number of the refund.
    pub out_refund_no: String,
    /// WeChat Pay's number of the refund.
    pub refund_id: String,
    /// `SUCCESS`, `CLOSED` (nothing was refunded) or `ABNORMAL` (the money cannot reach the user: handle it on the
    /// merchant platform); an open list.
    pub refund_status: String,
    /// When the money went, RFC 3339 with offset; on success.
    #[serde(default, deserialize_with = "text")]
    pub success_time: Option<String>,
    /// Where the money went, Chinese text. It describes the user's account.
    #[serde(default, deserialize_with = "text")]
    pub user_received_account: Option<String>,
    /// Who paid for the refund, in e-commerce: `REFUND_SOURCE_PARTNER_ADVANCE` or `REFUND_SOURCE_SUB_MERCHANT`.
    #[serde(default, deserialize_with = "text")]
    pub refund_account: Option<String>,
    /// How much.
    pub amount: RefundAmount,
    /// Every other field. Of a repeated one, the last.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

debug_shows!(Refund: mchid, sp_mchid, sub_mchid, out_trade_no, transaction_id, out_refund_no, refund_id, refund_status, amount);

impl Refund {
    /// Whose keys the notification is made with: the merchant, or in partner mode the provider.
    #[must_use]
    pub fn merchant(&self) -> Option<&str> {
        self.mchid.as_deref().or(self.sp_mchid.as_deref())
    }
}

/// How much was refunded.
#[derive(Clone, PartialEq, Deserialize)]
pub struct RefundAmount {
    /// The order's amount.
    pub total: Fen,
    /// What is refunded of it: compare it with what was asked for.
    pub refund: Fen,
    /// What the user had paid after coupons.
    pub payer_total: Option<Fen>,
    /// What the user gets back; coupons are not refunded as money.
    pub payer_refund: Option<Fen>,
    /// The order's currency; `CNY` where absent or empty, as domestic notifications have it.
    #[serde(default = "currency_default", deserialize_with = "currency")]
    pub currency: String,
    /// Every other field.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

debug_shows!(RefundAmount: total, refund, payer_total, payer_refund, currency);
