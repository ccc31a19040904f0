//! A refund notice of APIv2, whose inner fields are encrypted and which nothing signs.
//!
//! Invariant: outer fields, which anybody can write, are named `unverified_`. Deliberately absent: a way to make it
//! look verified: AES-ECB has no authentication, so whole blocks of captured notices could be put together anew.

use std::fmt;

use super::callback::dedupe_id;
use super::xml::parse;
use super::{ApiV2Key, FieldError, Fields, OpenError};
use crate::time::beijing;
use crate::{Fen, UnixSeconds};

/// The outermost element of what is encrypted.
const ROOT: &str = "root";

/// A refund notice that opened with our APIv2 key: whoever encrypted the blocks of it knew the key, and that is all
/// that is known. Ask for the refund ([`super::RefundQuery`]) before acting on it (WeChat Pay's rule).
///
/// It may come for a refund of APIv3, where that call named no `notify_url` but the merchant platform has one.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenedRefund {
    /// The app that the notice names outside the encryption.
    pub unverified_appid: Option<String>,
    /// The merchant that the notice names outside the encryption.
    pub unverified_mch_id: Option<String>,
    /// WeChat Pay's payment number.
    pub transaction_id: String,
    /// The merchant's order number.
    pub out_trade_no: String,
    /// WeChat Pay's refund number.
    pub refund_id: String,
    /// The merchant's refund number.
    pub out_refund_no: String,
    /// The order's amount.
    pub total_fee: Fen,
    /// The order's amount without coupons that are not prepaid.
    pub settlement_total_fee: Option<Fen>,
    /// What was asked to be refunded.
    pub refund_fee: Fen,
    /// What is refunded without coupons that are not prepaid.
    pub settlement_refund_fee: Option<Fen>,
    /// What is refunded in cash.
    pub cash_refund_fee: Option<Fen>,
    /// `SUCCESS`, `CHANGE` (APIv3: `ABNORMAL`), `REFUNDCLOSE` (APIv3: `CLOSED`); an open list.
    pub refund_status: String,
    /// When it reached the user: `yyyy-MM-dd HH:mm:ss`, Beijing time. See [`OpenedRefund::refunded_at`].
    pub success_time: Option<String>,
    /// Where it went, Chinese. Personal. WeChat Pay spells the field `refund_recv_accout`.
    pub refund_recv_account: Option<String>,
    /// `REFUND_SOURCE_RECHARGE_FUNDS` or `REFUND_SOURCE_UNSETTLED_FUNDS`; an open list.
    pub refund_account: Option<String>,
    /// `API` or `VENDOR_PLATFORM`; an open list.
    pub refund_request_source: Option<String>,
    /// Every inner field, those above among them.
    pub fields: Fields,
}

impl OpenedRefund {
    pub(super) fn open(outer: &Fields, key: &ApiV2Key) -> Result<Self, OpenError> {
        let inner = key.open_req_info(outer.required("req_info")?)?;
        // What is not even XML was not opened: one error, whatever is wrong.
        let inner = parse(inner.as_bytes(), ROOT).map_err(|_| OpenError::WrongKey)?;
        Ok(Self::read(outer, inner)?)
    }

    fn read(outer: &Fields, fields: Fields) -> Result<Self, FieldError> {
        let required = |name| fields.required(name).map(str::to_owned);
        Ok(Self {
            unverified_appid: outer.owned("appid"),
            unverified_mch_id: outer.owned("mch_id"),
            transaction_id: required("transaction_id")?,
            out_trade_no: required("out_trade_no")?,
            refund_id: required("refund_id")?,
            out_refund_no: required("out_refund_no")?,
            total_fee: fields.fen("total_fee")?,
            settlement_total_fee: fields.fen_optional("settlement_total_fee")?,
            refund_fee: fields.fen("refund_fee")?,
            settlement_refund_fee: fields.fen_optional("settlement_refund_fee")?,
            cash_refund_fee: fields.fen_optional("cash_refund_fee")?,
            refund_status: required("refund_status")?,
            success_time: fields.owned("success_time"),
            refund_recv_account: fields
                .owned("refund_recv_accout")
                .or_else(|| fields.owned("refund_recv_account")),
            refund_account: fields.owned("refund_account"),
            refund_request_source: fields.owned("refund_request_source"),
            fields,
        })
    }

    /// When it reached the user; `None` where it is not said, or not as a time.
    #[must_use]
    pub fn refunded_at(&self) -> Option<UnixSeconds> {
        beijing(self.success_time.as_deref()?)
    }

    /// What tells this notice from every other and is the same on every resend: the refund's number and its state,
    /// since a refund that went wrong is told of again when it went right. At most 64 visible characters, whatever they
    /// are.
    #[must_use]
    pub fn dedupe_id(&self) -> String {
        dedupe_id("refund", &format!("{}/{}", self.refund_id, self.refund_status))
    }
}

impl fmt::Debug for OpenedRefund {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenedRefund")
            .field("transaction_id", &self.transaction_id)
            .field("out_trade_no", &self.out_trade_no)
            .field("refund_id", &self.refund_id)
            .field("out_refund_no", &self.out_refund_no)
            .field("refund_status", &self.refund_status)
            .field("refund_fee", &self.refund_fee)
            .finish_non_exhaustive()
    }
}
