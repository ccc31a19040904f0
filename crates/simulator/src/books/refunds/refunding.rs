//! Asking for a refund, for what became of it, and for another way where its own is closed.
//!
//! Invariant: the same number with the same parameters is the same refund, however often it is asked for; with others it
//! is refused and the refund stays what it was.

use rand::Rng;
use wechatpay::UnixSeconds;

use super::refund::Ending;
use super::{
    Destination, PAYOUT_SECONDS, REFUNDABLE_SECONDS, REFUNDS_MAX, Refund, RefundKey, RefundStatement,
    RefundStatus, RefundTerms, SPACE_SECONDS,
};
use crate::books::{
    Books, Content, Event, Notice, Order, OrderKey, Payment, Protocol, Refusal, Subject, Whose,
};
use crate::{calendar, random};

/// Either number of an order.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OrderNumber<'a> {
    /// WeChat's.
    TransactionId(&'a str),
    /// The merchant's.
    OutTradeNo(&'a str),
}

impl Books {
    /// Accepts a refund, or tells of the one that was accepted under this number.
    ///
    /// # Errors
    /// [`Refusal`]: there is no such payment, not so much of it is left, or the number was used otherwise.
    pub(crate) fn refund(
        &mut self,
        whose: Whose<'_>,
        order: OrderNumber<'_>,
        terms: RefundTerms,
        now: UnixSeconds,
        rng: &mut impl Rng,
    ) -> Result<&Refund, Refusal> {
        let (order, payment) = self.paid_order(whose, order)?;
        let key = RefundKey::new(whose.mchid, &terms.out_refund_no);
        match self.refunds.get(&key) {
            Some(known) => goes_on(known, &order, &terms)?,
            None => self.accept(order, payment, terms, now, rng)?,
        }
        self.refunds.get(&key).ok_or(Refusal::RefundNotExist)
    }

    /// One refund, whoever's.
    #[must_use]
    pub fn refund_of(&self, key: &RefundKey) -> Option<&Refund> {
        self.refunds.get(key)
    }

    /// All refunds, by merchant and number.
    pub fn refunds(&self) -> impl Iterator<Item = (&RefundKey, &Refund)> {
        self.refunds.iter()
    }

    /// The refund of an order with this number.
    pub(in crate::books) fn refund_numbered(&self, order: &Order, out_refund_no: &str) -> Option<&Refund> {
        self.refunds.get(&RefundKey::new(order.terms.seller.signer(), out_refund_no))
    }

    /// The refunds of an order, in the order of their acceptance.
    pub fn refunds_of<'a>(&'a self, order: &OrderKey) -> impl Iterator<Item = &'a Refund> + use<'a> {
        let numbered = move |order: &'a Order| {
            order.refunds.iter().filter_map(move |number| self.refund_numbered(order, number))
        };
        self.order(order).into_iter().flat_map(numbered)
    }

    /// The refund with the merchant's own number.
    ///
    /// # Errors
    /// [`Refusal`]: there is none, or it is another sub-merchant's.
    pub(crate) fn find_refund(&self, whose: Whose<'_>, out_refund_no: &str) -> Result<&Refund, Refusal> {
        let key = RefundKey::new(whose.mchid, out_refund_no);
        let refund = self.refunds.get(&key).ok_or(Refusal::RefundNotExist)?;
        let order = self.order(&refund.order).ok_or(Refusal::RefundNotExist)?;
        whose.may_refund(order)?;
        Ok(refund)
    }

    /// The payment that is to go back, and its order.
    ///
    /// # Errors
    /// [`Refusal`]: there is no such order of this merchant's, or nobody paid it.
    pub(crate) fn paid_order(
        &self,
        whose: Whose<'_>,
        number: OrderNumber<'_>,
    ) -> Result<(OrderKey, Payment), Refusal> {
        let key = match number {
            OrderNumber::TransactionId(id) => self.paid.get(id).ok_or(Refusal::NothingToRefund)?.clone(),
            OrderNumber::OutTradeNo(number) => OrderKey::new(whose.mchid, number),
        };
        if key.mchid != whose.mchid {
            return Err(Refusal::MchidNotMatchOrder);
        }
        let order = self.order(&key).ok_or(Refusal::NothingToRefund)?;
        whose.may_refund(order)?;
        let payment = order.payment().ok_or(Refusal::NothingToRefund)?.clone();
        Ok((key, payment))
    }

    fn accept(
        &mut self,
        order: OrderKey,
        payment: Payment,
        terms: RefundTerms,
        now: UnixSeconds,
        rng: &mut impl Rng,
    ) -> Result<(), Refusal> {
        let before_fen = self.may_go_back(&order, &payment, &terms, now)?;
        let refund_id = format!(
            "50300{}{}{}",
            random::digits(rng, 5),
            calendar::date_digits(now),
            random::digits(rng, 11)
        );
        let ending = Ending { at: UnixSeconds(now.0 + PAYOUT_SECONDS), status: RefundStatus::Success };
        let (created_at, detour, notice) = (now, None, None);
        let number = terms.out_refund_no.clone();
        let refund = Refund {
            refund_id,
            order: order.clone(),
            payment,
            terms,
            created_at,
            before_fen,
            ending,
            detour,
            notice,
        };
        let key = refund.key();
        self.refunds.insert(key.clone(), refund);
        if let Some(order) = self.orders.get_mut(&order) {
            order.refunds.push(number);
        }
        self.announce_end(&key, rng);
        Ok(())
    }

    /// How much of the order went back before.
    fn may_go_back(
        &self,
        order: &OrderKey,
        payment: &Payment,
        terms: &RefundTerms,
        now: UnixSeconds,
    ) -> Result<i64, Refusal> {
        if now.0 - payment.success_time.0 > REFUNDABLE_SECONDS {
            return Err(Refusal::TradeOverdue);
        }
        if terms.total_fen != payment.amount_fen {
            return Err(Refusal::TotalDiffers);
        }
        let kept = |refund: &&Refund| refund.status(now) != RefundStatus::Closed;
        let before_fen = self.refunds_of(order).filter(kept).map(|refund| refund.terms.refund_fen).sum();
        if before_fen == payment.amount_fen {
            return Err(Refusal::RefundedAlready);
        }
        if terms.refund_fen > payment.amount_fen - before_fen {
            return Err(Refusal::RefundTooLarge);
        }
        if self.refunds_of(order).count() >= REFUNDS_MAX {
            return Err(Refusal::TooManyRefunds);
        }
        let last = self.refunds_of(order).map(|refund| refund.created_at.0).max();
        if self.refunds_spaced && last.is_some_and(|last| now.0 - last < SPACE_SECONDS) {
            return Err(Refusal::RefundsTooClose);
        }
        if self.short_of_funds.contains(payment.seller.receiver()) {
            return Err(Refusal::NotEnough);
        }
        Ok(before_fen)
    }

    /// Sends an abnormal refund another way.
    ///
    /// # Errors
    /// [`Refusal`]: there is no such refund, or it is not abnormal.
    pub(crate) fn redirect_refund(
        &mut self,
        whose: Whose<'_>,
        (refund_id, out_refund_no): (&str, &str),
        destination: Destination,
        now: UnixSeconds,
        rng: &mut impl Rng,
    ) -> Result<&Refund, Refusal> {
        let refund = self.find_refund(whose, out_refund_no)?;
        if refund.refund_id != refund_id {
            return Err(Refusal::RefundNotExist);
        }
        let key = refund.key();
        let again = refund.detour.as_ref() == Some(&destination);
        match refund.status(now) {
            RefundStatus::Abnormal => {
                let at = UnixSeconds(now.0 + PAYOUT_SECONDS);
                self.decide(&key, Ending { at, status: RefundStatus::Success }, Some(destination), rng);
            }
            RefundStatus::Processing | RefundStatus::Success if again => {}
            _ => return Err(Refusal::RefundStateWrong),
        }
        self.refunds.get(&key).ok_or(Refusal::RefundNotExist)
    }

    /// Ends a refund that is being processed, now and in this state, whatever its own end would have been.
    ///
    /// # Errors
    /// [`Refusal`]: there is no such refund, or it has ended.
    pub fn end_refund(
        &mut self,
        key: &RefundKey,
        status: RefundStatus,
        now: UnixSeconds,
        rng: &mut impl Rng,
    ) -> Result<(), Refusal> {
        let refund = self.refunds.get(key).ok_or(Refusal::RefundNotExist)?;
        if refund.status(now) != RefundStatus::Processing || status == RefundStatus::Processing {
            return Err(Refusal::RefundStateWrong);
        }
        let (detour, notice) = (refund.detour.clone(), refund.notice);
        // The end that would have come by itself does not, and nobody hears of it.
        if let Some(notice) = notice {
            self.notices.withdraw(notice);
        }
        self.decide(key, Ending { at: now, status }, detour, rng);
        Ok(())
    }

    /// Says whether a merchant has too little money for refunds.
    pub fn set_short_of_funds(&mut self, mchid: &str, is_short: bool) {
        if is_short {
            self.short_of_funds.insert(mchid.to_owned());
        } else {
            self.short_of_funds.remove(mchid);
        }
    }

    /// Says whether two refunds of an order must lie a minute apart.
    pub fn space_refunds(&mut self, spaced: bool) {
        self.refunds_spaced = spaced;
    }

    /// Says where a merchant's refunds are told that name no URL of their own: a setting of the merchant platform.
    pub fn set_refund_url(&mut self, mchid: &str, url: Option<&str>) {
        match url {
            Some(url) => drop(self.refund_urls.insert(mchid.to_owned(), url.to_owned())),
            None => drop(self.refund_urls.remove(mchid)),
        }
    }

    fn decide(&mut self, key: &RefundKey, ending: Ending, detour: Option<Destination>, rng: &mut impl Rng) {
        let Some(refund) = self.refunds.get_mut(key) else { return };
        (refund.ending, refund.detour) = (ending, detour);
        self.announce_end(key, rng);
    }

    /// Puts the notice of its end into the outbox, for when it ends.
    fn announce_end(&mut self, key: &RefundKey, rng: &mut impl Rng) {
        let Some(refund) = self.refunds.get_mut(key) else { return };
        // A refund that names no URL is told where the merchant platform says, and as of old.
        let (url, protocol) = match (&refund.terms.notify_url, self.refund_urls.get(&key.mchid)) {
            (Some(url), _) => (url.clone(), refund.terms.protocol),
            (None, Some(url)) => (url.clone(), Protocol::V2Md5),
            (None, None) => return,
        };
        let at = refund.ending.at;
        let event = match refund.ending.status {
            RefundStatus::Abnormal => Event::REFUND_ABNORMAL,
            RefundStatus::Closed => Event::REFUND_CLOSED,
            RefundStatus::Success | RefundStatus::Processing => Event::REFUND_SUCCESS,
        };
        let content = match protocol {
            Protocol::V3 => {
                Content::V3 { event, plaintext: RefundStatement::of(refund, at).to_notice_json() }
            }
            Protocol::V2Md5 | Protocol::V2Hmac => {
                Content::V2 { told: refund.v2_outer(), sealed: Some(refund.v2_inner(at)), protocol }
            }
        };
        let notice = Notice {
            id: random::uuid(rng),
            mchid: key.mchid.clone(),
            subject: Subject::Refund(key.clone()),
            url,
            created_at: at,
            content,
        };
        refund.notice = Some(self.notices.push(notice, at));
    }
}

/// Whether a refund that exists may be asked for again in these terms.
fn goes_on(known: &Refund, order: &OrderKey, terms: &RefundTerms) -> Result<(), Refusal> {
    if known.order != *order {
        return Err(Refusal::ReentryDiffers);
    }
    if (known.terms.refund_fen, known.terms.total_fen) != (terms.refund_fen, terms.total_fen) {
        return Err(Refusal::RefundFeeMismatch);
    }
    if known.terms == *terms { Ok(()) } else { Err(Refusal::ReentryDiffers) }
}

impl Whose<'_> {
    /// An order of a sub-merchant is refunded in its name only.
    fn may_refund(self, order: &Order) -> Result<(), Refusal> {
        match (order.terms.seller.sub_mchid(), self.sub_mchid) {
            (None, None) => Ok(()),
            (Some(sub_mchid), Some(asked)) if sub_mchid == asked => Ok(()),
            (Some(_), Some(_)) => Err(Refusal::SubMchidNotMatchOrder),
            (Some(_), None) => Err(Refusal::SubMchidMissing),
            (None, Some(_)) => Err(Refusal::NothingToRefund),
        }
    }
}
