//! A refund as WeChat Pay tells it.
//!
//! Invariant: an answer about another refund than was asked for is refused; the account that was paid is not shown by
//! `Debug`. Deliberately absent: the notice of a refund, whose fields have other names.

use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::Fen;
use crate::answer::AnswerError;
use crate::api::wire::{list, open_list, read, text};

open_list! {
    /// What became of a refund.
    RefundStatus {
        /// Accepted, not paid out yet.
        Processing = "PROCESSING",
        /// Paid out.
        Success = "SUCCESS",
        /// Not done, say for want of money; for ever under this number: refund under a new one.
        Closed = "CLOSED",
        /// The user's account does not take it: see [`super::AbnormalRefund`].
        Abnormal = "ABNORMAL",
    }
}

impl RefundStatus {
    /// Whether nothing will change it any more. `false` for a status that is not known.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Success | Self::Closed)
    }
}

/// A refund.
#[derive(Clone, PartialEq, Deserialize)]
pub struct Refund {
    /// WeChat Pay's number.
    pub refund_id: String,
    /// The merchant's number.
    pub out_refund_no: String,
    /// The order's number at WeChat Pay.
    pub transaction_id: String,
    /// The order's number at the merchant.
    pub out_trade_no: String,
    /// `ORIGINAL`, `BALANCE`, `OTHER_BALANCE`, `OTHER_BANKCARD`.
    #[serde(default, deserialize_with = "text")]
    pub channel: Option<String>,
    /// Where the user gets it, in Chinese; may name a bank card's last digits.
    #[serde(default, deserialize_with = "text")]
    pub user_received_account: Option<String>,
    /// When it was paid out, RFC 3339 with offset; only with `SUCCESS`.
    #[serde(default, deserialize_with = "text")]
    pub success_time: Option<String>,
    /// When it was accepted, RFC 3339 with offset.
    #[serde(default, deserialize_with = "text")]
    pub create_time: Option<String>,
    /// What became of it.
    pub status: RefundStatus,
    /// The merchant's account that paid, such as `AVAILABLE`.
    #[serde(default, deserialize_with = "text")]
    pub funds_account: Option<String>,
    /// How much.
    pub amount: RefundAmount,
    /// What of the order's promotions goes back.
    #[serde(default, deserialize_with = "list")]
    pub promotion_detail: Vec<RefundPromotion>,
    /// Every other field.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Refund {
    pub(super) fn read(body: &[u8], out_refund_no: &str) -> Result<Self, AnswerError> {
        let refund: Self = read(body)?;
        if refund.out_refund_no == out_refund_no {
            Ok(refund)
        } else {
            Err(AnswerError::AboutAnother { field: "out_refund_no" })
        }
    }
}

impl fmt::Debug for Refund {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refund")
            .field("refund_id", &self.refund_id)
            .field("out_refund_no", &self.out_refund_no)
            .field("out_trade_no", &self.out_trade_no)
            .field("status", &self.status)
            .field("amount", &self.amount)
            .finish_non_exhaustive()
    }
}

/// How much of what, all in fen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RefundAmount {
    /// The order's amount.
    pub total: Fen,
    /// This refund's.
    pub refund: Fen,
    /// From which accounts.
    #[serde(default, deserialize_with = "list")]
    pub from: Vec<RefundFrom>,
    /// What the user paid for the order.
    pub payer_total: Option<Fen>,
    /// What the user gets.
    pub payer_refund: Option<Fen>,
    /// What the merchant gives of its settlement.
    pub settlement_refund: Option<Fen>,
    /// The order's amount less coupons that lessen the settlement.
    pub settlement_total: Option<Fen>,
    /// What goes back to promotions.
    pub discount_refund: Option<Fen>,
    /// The fee that the merchant gets back.
    pub refund_fee: Option<Fen>,
    /// `CNY`; absent means the same.
    #[serde(default, deserialize_with = "text")]
    pub currency: Option<String>,
}

/// The part that one account paid.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RefundFrom {
    /// `AVAILABLE` or `UNAVAILABLE`.
    pub account: String,
    /// In fen.
    pub amount: Fen,
}

/// What of a promotion goes back.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct RefundPromotion {
    /// The coupon's number.
    #[serde(default, deserialize_with = "text")]
    pub promotion_id: Option<String>,
    /// `GLOBAL` or `SINGLE`.
    #[serde(default, deserialize_with = "text")]
    pub scope: Option<String>,
    /// `CASH` or `NOCASH`; in older answers `COUPON` or `DISCOUNT`.
    #[serde(default, rename = "type", deserialize_with = "text")]
    pub kind: Option<String>,
    /// What it took off the order, in fen.
    pub amount: Option<Fen>,
    /// What of it goes back, in fen.
    pub refund_amount: Option<Fen>,
    /// Every other field, such as `goods_detail`.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}
