//! The user pays. What follows is a notice to the merchant.
//!
//! Invariants: an order is paid at most once; a payment carries its order's amount; each payment puts one notice into
//! the outbox. Deliberately absent: attempts that a bank refused, which change nothing.

use rand::Rng;
use rand::seq::IndexedRandom as _;
use wechatpay::UnixSeconds;

use super::payment::Transaction;
use super::{
    Books, Content, Event, Notice, OrderKey, OrderPayer, Payment, Protocol, Refusal, Standing, Subject,
    Terms, TradeState,
};
use crate::{calendar, random};

/// Codes of banks and of the WeChat balance, as found in `bank_type`.
const BANK_TYPES: [&str; 4] = ["OTHERS", "CMB_DEBIT", "ICBC_DEBIT", "CCB_CREDIT"];

/// Who pays, and from where.
pub(super) struct Purse {
    /// By the simulator's own name.
    pub(super) user: String,
    pub(super) bank_type: &'static str,
}

impl Purse {
    pub(super) fn of(user: String, rng: &mut impl Rng) -> Self {
        Self { user, bank_type: BANK_TYPES.choose(rng).expect("BUG: the list is not empty") }
    }
}

impl Books {
    /// Pays an order, and has the merchant told of it. Of a combined order, or of one of its parts, all parts are paid.
    /// `user` names who pays; without it, the one whom the order names, or else a passer-by.
    ///
    /// # Errors
    /// [`Refusal`]: there is no such order, it is not to be paid (any more), or by another user.
    pub fn pay(
        &mut self,
        key: &OrderKey,
        user: Option<&str>,
        now: UnixSeconds,
        rng: &mut impl Rng,
    ) -> Result<Payment, Refusal> {
        if let Some(whole) = self.head_of(key) {
            let mut payments = self.pay_combined(&whole, user, now, rng)?;
            let named = payments.iter().position(|payment| payment.order_key() == *key);
            return Ok(payments.swap_remove(named.unwrap_or(0)));
        }
        let terms = self.payable(key, now)?;
        let user = self.payer(&terms, user, rng)?;
        let (url, protocol) = (terms.notify_url.clone(), terms.protocol);
        let purse = Purse::of(user, rng);
        let payment = self.take(terms, &purse, now, rng);
        self.notices.push(notice(key, &payment, url, protocol, rng), now);
        Ok(payment)
    }

    /// The terms of an order that can be paid.
    pub(super) fn payable(&self, key: &OrderKey, now: UnixSeconds) -> Result<Terms, Refusal> {
        let order = self.order(key).ok_or(Refusal::OrderNotExist)?;
        match order.state(now) {
            TradeState::Success | TradeState::Refund => Err(Refusal::PaidAlready),
            TradeState::Closed => Err(Refusal::OrderClosed),
            TradeState::NotPay if now >= order.payable_until() => Err(Refusal::OrderExpired),
            TradeState::NotPay => Ok(order.terms.clone()),
        }
    }

    /// Takes the money of an order that is payable.
    pub(super) fn take(
        &mut self,
        terms: Terms,
        purse: &Purse,
        now: UnixSeconds,
        rng: &mut impl Rng,
    ) -> Payment {
        let key = terms.key();
        let payment = Payment {
            openid: self.openid(terms.seller.appid(), &purse.user, rng),
            sub_openid: terms.seller.sub_appid().map(|appid| self.openid(appid, &purse.user, rng)),
            transaction_id: transaction_id(now, rng),
            bank_type: purse.bank_type.to_owned(),
            seller: terms.seller,
            out_trade_no: terms.out_trade_no,
            trade_type: terms.trade_type,
            amount_fen: terms.amount_fen,
            attach: terms.attach,
            device_id: terms.device_id,
            success_time: now,
        };
        if let Some(order) = self.orders.get_mut(&key) {
            order.standing = Standing::Paid(Box::new(payment.clone()));
        }
        self.paid.insert(payment.transaction_id.clone(), key);
        payment
    }

    /// Pays an order that its merchant closed, as when both happened in one moment and the payment was first.
    ///
    /// # Errors
    /// [`Refusal`], as of [`Self::pay`].
    pub fn pay_despite_close(
        &mut self,
        key: &OrderKey,
        user: Option<&str>,
        now: UnixSeconds,
        rng: &mut impl Rng,
    ) -> Result<Payment, Refusal> {
        let mut closed = Vec::new();
        for key in self.paid_together(key) {
            if let Some(order) = self.orders.get_mut(&key)
                && matches!(order.standing, Standing::Closed { .. })
            {
                closed.push((key, std::mem::replace(&mut order.standing, Standing::Open)));
            }
        }
        let paid = self.pay(key, user, now, rng);
        for (key, standing) in closed {
            if let (Err(_), Some(order)) = (&paid, self.orders.get_mut(&key)) {
                order.standing = standing;
            }
        }
        paid
    }

    /// The user leaves the cashier without paying. The order stays as it is, and nobody is told.
    ///
    /// # Errors
    /// [`Refusal`]: there is no such order, or there is nothing to leave.
    pub fn leave_cashier(&mut self, key: &OrderKey, now: UnixSeconds) -> Result<(), Refusal> {
        let keys = self.paid_together(key);
        for key in &keys {
            match self.order(key).ok_or(Refusal::OrderNotExist)?.state(now) {
                TradeState::Success | TradeState::Refund => return Err(Refusal::PaidAlready),
                TradeState::Closed => return Err(Refusal::OrderClosed),
                TradeState::NotPay => {}
            }
        }
        for key in keys {
            self.cancellations.entry(key).or_default().push(now);
        }
        Ok(())
    }

    /// Whether the merchant closed an order, or all parts of a combined one.
    pub(crate) fn is_closed(&self, key: &OrderKey) -> bool {
        let is_closed = |key: &OrderKey| {
            self.order(key).is_some_and(|order| matches!(order.standing, Standing::Closed { .. }))
        };
        self.paid_together(key).iter().all(is_closed)
    }

    /// The orders that are paid in one act with that which is named: all parts of its whole, or itself alone.
    fn paid_together(&self, key: &OrderKey) -> Vec<OrderKey> {
        let whole = self.head_of(key).and_then(|whole| self.combined.get(&whole));
        whole.map_or_else(|| vec![key.clone()], |whole| whole.parts.clone())
    }

    /// When users left the cashier of an order without paying.
    #[must_use]
    pub fn cancellations(&self, key: &OrderKey) -> &[UnixSeconds] {
        self.cancellations.get(key).map_or(&[], Vec::as_slice)
    }

    /// Who pays, by the simulator's own name.
    pub(super) fn payer(
        &mut self,
        terms: &Terms,
        user: Option<&str>,
        rng: &mut impl Rng,
    ) -> Result<String, Refusal> {
        let named = match (&terms.payer, terms.seller.sub_appid()) {
            (Some(OrderPayer::Openid(openid)), _) => {
                Some(self.owner(terms.seller.appid(), openid, Refusal::OpenidMismatch)?)
            }
            (Some(OrderPayer::SubOpenid(openid)), Some(appid)) => {
                Some(self.owner(appid, openid, Refusal::SubOpenidMismatch)?)
            }
            _ => None,
        };
        match (named, user) {
            (Some(named), Some(user)) if named != user => Err(Refusal::OtherPayer),
            (Some(named), _) => Ok(named),
            (None, Some(user)) => Ok(user.to_owned()),
            (None, None) => Ok(format!("passer-by-{}", random::alphanumeric(rng, 12))),
        }
    }
}

/// What the merchant is told of a payment.
fn notice(key: &OrderKey, payment: &Payment, url: String, protocol: Protocol, rng: &mut impl Rng) -> Notice {
    let content = match protocol {
        Protocol::V3 => Content::V3 {
            event: Event::TRANSACTION_SUCCESS,
            plaintext: Transaction::of_payment(payment).to_json(),
        },
        Protocol::V2Md5 | Protocol::V2Hmac => {
            Content::V2 { told: payment.v2_notice(), sealed: None, protocol }
        }
    };
    Notice {
        id: random::uuid(rng),
        mchid: key.mchid.clone(),
        subject: Subject::Order(key.clone()),
        url,
        created_at: payment.success_time,
        content,
    }
}

pub(super) fn transaction_id(now: UnixSeconds, rng: &mut impl Rng) -> String {
    format!("4200{}{}{}", random::digits(rng, 6), calendar::date_digits(now), random::digits(rng, 10))
}
