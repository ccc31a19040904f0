//! A refund that somebody asks for at the merchant platform instead of by a call. It is a refund like any other.
//! Deliberately absent: which person may do so.

use std::num::NonZeroU32;

use rand::Rng;
use wechatpay::UnixSeconds;

use super::{OrderNumber, Refund, RefundStatus, RefundTerms};
use crate::books::{Books, OrderKey, Refusal, Whose};
use crate::{calendar, random};

impl Books {
    /// What of a paid order can still go back, in fen; 0 where nobody paid.
    #[must_use]
    pub fn refundable_fen(&self, order: &OrderKey, now: UnixSeconds) -> i64 {
        let paid =
            self.order(order).and_then(|order| order.payment()).map_or(0, |payment| payment.amount_fen);
        let kept = |refund: &&Refund| refund.status(now) != RefundStatus::Closed;
        let back: i64 = self.refunds_of(order).filter(kept).map(|refund| refund.terms.refund_fen).sum();
        paid - back
    }

    /// Refunds an order, so much of it or all that is left. The end is told where the payment was.
    ///
    /// # Errors
    /// [`Refusal`]: nobody paid, or not so much is left.
    pub fn refund_by_hand(
        &mut self,
        key: &OrderKey,
        fen: Option<NonZeroU32>,
        now: UnixSeconds,
        rng: &mut impl Rng,
    ) -> Result<&Refund, Refusal> {
        let order = self.order(key).ok_or(Refusal::OrderNotExist)?;
        let total_fen = order.payment().ok_or(Refusal::NothingToRefund)?.amount_fen;
        let sub_mchid = order.terms.seller.sub_mchid().map(str::to_owned);
        let url = match &order.combined {
            Some(whole) => self.find_combined(whole)?.terms.notify_url.clone(),
            None => order.terms.notify_url.clone(),
        };
        let terms = RefundTerms {
            out_refund_no: format!("{}{}", calendar::second_digits(now), random::digits(rng, 10)),
            refund_fen: fen.map_or_else(|| self.refundable_fen(key, now), |fen| i64::from(fen.get())),
            total_fen,
            notify_url: Some(url),
            funds_account: None,
            from: Vec::new(),
            protocol: order.terms.protocol,
            // By this its notice knows that nobody called.
            parameters: serde_json::Value::Null,
        };
        let whose = Whose { mchid: &key.mchid, sub_mchid: sub_mchid.as_deref() };
        self.refund(whose, OrderNumber::OutTradeNo(&key.out_trade_no), terms, now, rng)
    }
}
