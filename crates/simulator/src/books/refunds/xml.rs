//! A refund in the words of APIv2: its states, accounts, and what its notice seals.

use wechatpay::UnixSeconds;

use super::{FundsAccount, Refund, RefundStatement, RefundStatus, RefundTerms};
use crate::calendar;

impl RefundStatus {
    /// `refund_status`.
    pub(crate) fn v2_name(self) -> &'static str {
        match self {
            Self::Processing => "PROCESSING",
            Self::Success => "SUCCESS",
            Self::Closed => "REFUNDCLOSE",
            Self::Abnormal => "CHANGE",
        }
    }
}

impl RefundTerms {
    /// `refund_account`.
    pub(crate) fn v2_source(&self) -> &'static str {
        match self.funds_account {
            Some(FundsAccount::Available) => "REFUND_SOURCE_RECHARGE_FUNDS",
            _ => "REFUND_SOURCE_UNSETTLED_FUNDS",
        }
    }
}

impl RefundTerms {
    /// `refund_request_source`. Only a call has parameters.
    fn v2_asked_by(&self) -> &'static str {
        if self.parameters.is_null() { "VENDOR_PLATFORM" } else { "API" }
    }
}

impl Refund {
    /// What the notice of its end says openly.
    pub(super) fn v2_outer(&self) -> Vec<(String, String)> {
        let seller = &self.payment.seller;
        let mut fields =
            vec![("return_code", "SUCCESS"), ("appid", seller.appid()), ("mch_id", seller.signer())];
        fields.extend(seller.sub_appid().map(|appid| ("sub_appid", appid)));
        fields.extend(seller.sub_mchid().map(|mchid| ("sub_mch_id", mchid)));
        fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// What the notice of its end seals.
    pub(super) fn v2_inner(&self, at: UnixSeconds) -> Vec<(String, String)> {
        let (payment, terms) = (&self.payment, &self.terms);
        let (total, refunded) = (payment.amount_fen.to_string(), terms.refund_fen.to_string());
        let success_time = self.succeeded_at(at).map(calendar::bill_time).unwrap_or_default();
        [
            ("transaction_id", payment.transaction_id.clone()),
            ("out_trade_no", payment.out_trade_no.clone()),
            ("refund_id", self.refund_id.clone()),
            ("out_refund_no", terms.out_refund_no.clone()),
            ("total_fee", total.clone()),
            ("settlement_total_fee", total),
            ("refund_fee", refunded.clone()),
            ("settlement_refund_fee", refunded.clone()),
            ("cash_refund_fee", refunded),
            ("refund_status", self.status(at).v2_name().to_owned()),
            ("success_time", success_time),
            ("refund_recv_accout", RefundStatement::of(self, at).received_account()),
            ("refund_account", terms.v2_source().to_owned()),
            ("refund_request_source", terms.v2_asked_by().to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}
