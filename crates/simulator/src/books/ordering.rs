//! Placing an order, finding it again, closing it.
//!
//! Invariant: the same number with the same parameters is the same order and gets a fresh ticket, however often it is
//! asked for; with other parameters it is refused and the order stays what it was. Deliberately absent: paying.

use std::collections::btree_map::Entry;

use rand::Rng;
use wechatpay::UnixSeconds;

use super::order::Ticket;
use super::{Books, Order, OrderKey, OrderPayer, Refusal, Seller, Standing, Terms, TradeState, TradeType};
use crate::{calendar, random};

/// A `prepay_id` and a `code_url` are good for two hours, whatever the order's `time_expire`.
const TICKET_SECONDS: i64 = 2 * 3600;

/// An `h5_url` is good for five minutes.
const H5_TICKET_SECONDS: i64 = 5 * 60;

/// A number of WeChat's has no more characters.
const TRANSACTION_ID_LEN_MAX: usize = 32;

/// What a prepay gives: what leads the user to the cashier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepaid {
    /// The `prepay_id`, which APIv2 tells in any case. It leads to the cashier for two hours.
    pub prepay_id: String,
    /// `prepay_id`, `code_url` or `h5_url`, by the order's trade type.
    pub ticket: String,
    /// Until when it leads there.
    pub good_until: UnixSeconds,
}

/// On whose behalf an order is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whose<'a> {
    /// The merchant that signs.
    pub(crate) mchid: &'a str,
    /// The sub-merchant, in partner mode.
    pub(crate) sub_mchid: Option<&'a str>,
}

impl Books {
    /// Places an order, or goes on with one that was placed with the same parameters.
    ///
    /// # Errors
    /// [`Refusal`]: the seller or the payer does not fit, or the number was used otherwise.
    pub fn prepay(&mut self, terms: Terms, now: UnixSeconds, rng: &mut impl Rng) -> Result<Prepaid, Refusal> {
        self.may_sell(&terms.seller)?;
        self.may_pay(&terms)?;
        let key = terms.key();
        let trade_type = terms.trade_type;
        if self.combined.contains_key(&key) {
            return Err(Refusal::OutTradeNoUsed);
        }
        let place = self.orders.len();
        match self.orders.entry(key.clone()) {
            Entry::Vacant(entry) => {
                let (ticket, refunds, combined) = (None, Vec::new(), None);
                let standing = Standing::Open;
                entry.insert(Order { terms, placed_at: now, place, standing, ticket, refunds, combined });
            }
            Entry::Occupied(entry) => goes_on(entry.get(), &terms, now)?,
        }
        Ok(self.issue(&key, trade_type, now, rng))
    }

    /// Closes an order that is not paid. Closing it again changes nothing and is no error.
    ///
    /// # Errors
    /// [`Refusal`]: there is no such order of this merchant's, or it is paid.
    pub(crate) fn close(
        &mut self,
        whose: Whose<'_>,
        out_trade_no: &str,
        now: UnixSeconds,
    ) -> Result<(), Refusal> {
        let state = self.find(whose, out_trade_no)?.state(now);
        match state {
            TradeState::Success | TradeState::Refund => Err(Refusal::OrderPaid),
            TradeState::Closed => Ok(()),
            TradeState::NotPay => {
                let key = OrderKey::new(whose.mchid, out_trade_no);
                if let Some(order) = self.orders.get_mut(&key) {
                    order.standing = Standing::Closed { at: now };
                }
                Ok(())
            }
        }
    }

    /// The order with the merchant's own number.
    ///
    /// # Errors
    /// [`Refusal`]: there is none, or it is another sub-merchant's.
    pub(crate) fn find(&self, whose: Whose<'_>, out_trade_no: &str) -> Result<&Order, Refusal> {
        let order = self.order(&OrderKey::new(whose.mchid, out_trade_no)).ok_or(Refusal::OrderNotExist)?;
        whose.may_see(order)?;
        Ok(order)
    }

    /// The order that WeChat's number paid.
    ///
    /// # Errors
    /// [`Refusal`]: there is none, it is another merchant's, or the number cannot be one.
    pub(crate) fn find_paid(&self, whose: Whose<'_>, transaction_id: &str) -> Result<&Order, Refusal> {
        let well_formed = (1..=TRANSACTION_ID_LEN_MAX).contains(&transaction_id.len())
            && transaction_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !well_formed {
            return Err(Refusal::TransactionIdMalformed);
        }
        let (key, order) = self.order_of(transaction_id).ok_or(Refusal::OrderNotExist)?;
        if key.mchid != whose.mchid {
            return Err(Refusal::MchidNotMatchOrder);
        }
        whose.may_see(order)?;
        Ok(order)
    }

    /// The order to which a `prepay_id`, `code_url` or `h5_url` leads, while it is good.
    #[must_use]
    pub fn led_to(&self, ticket: &str, now: UnixSeconds) -> Option<&OrderKey> {
        self.tickets.get(ticket, now).map(|ticket| &ticket.order)
    }

    /// An order number of a merchant that is free, made as many merchants make it: `yyyyMMddHHmmss` and 10 random digits.
    #[must_use]
    pub fn free_out_trade_no(&self, mchid: &str, now: UnixSeconds, rng: &mut impl Rng) -> String {
        loop {
            let out_trade_no = format!("{}{}", calendar::second_digits(now), random::digits(rng, 10));
            if self.order(&OrderKey::new(mchid, &out_trade_no)).is_none() {
                return out_trade_no;
            }
        }
    }

    /// Whether the payer's openid can be of the app that it is said to be of.
    pub(super) fn may_pay(&self, terms: &Terms) -> Result<(), Refusal> {
        match &terms.payer {
            Some(OrderPayer::Openid(openid)) if !self.is_of(terms.seller.appid(), openid) => {
                Err(Refusal::OpenidMismatch)
            }
            Some(OrderPayer::SubOpenid(openid)) => match terms.seller.sub_appid() {
                Some(appid) if self.is_of(appid, openid) => Ok(()),
                _ => Err(Refusal::SubOpenidMismatch),
            },
            _ => Ok(()),
        }
    }

    pub(super) fn issue(
        &mut self,
        key: &OrderKey,
        trade_type: TradeType,
        now: UnixSeconds,
        rng: &mut impl Rng,
    ) -> Prepaid {
        let is_whole = !self.orders.contains_key(key);
        let prepaid = Prepaid::fresh(trade_type, is_whole, now, rng);
        let Prepaid { ticket, good_until, prepay_id } = &prepaid;
        let id_until = UnixSeconds(now.0 + TICKET_SECONDS);
        for (name, good_until) in [(prepay_id, id_until), (ticket, *good_until)] {
            self.tickets.insert(name.clone(), Ticket { order: key.clone(), good_until }, now);
        }
        let place = match self.orders.get_mut(key) {
            Some(order) => Some(&mut order.ticket),
            None => self.combined.get_mut(key).map(|combined| &mut combined.ticket),
        };
        let former = place.and_then(|place| place.replace(ticket.clone()));
        // A new code makes the former one void; a prepay_id stays good for its two hours.
        if let Some(former) = former.filter(|_| trade_type == TradeType::Native) {
            self.tickets.remove(&former);
        }
        prepaid
    }
}

impl Whose<'_> {
    /// An order of the other mode is none for this one, nor is a part of a combined order.
    fn may_see(self, order: &Order) -> Result<(), Refusal> {
        match (&order.terms.seller, self.sub_mchid) {
            _ if order.combined.is_some() => Err(Refusal::OrderNotExist),
            (Seller::Ordinary { .. }, None) => Ok(()),
            (Seller::Partner { sub_mchid, .. }, Some(asked)) if sub_mchid == asked => Ok(()),
            (Seller::Partner { .. }, Some(_)) => Err(Refusal::SubMchidNotMatchOrder),
            _ => Err(Refusal::OrderNotExist),
        }
    }
}

/// Whether an order that exists may be asked for again in these terms.
fn goes_on(order: &Order, terms: &Terms, now: UnixSeconds) -> Result<(), Refusal> {
    if order.combined.is_some() {
        return Err(Refusal::OutTradeNoUsed);
    }
    match order.state(now) {
        TradeState::Success | TradeState::Refund => Err(Refusal::PaidAlready),
        TradeState::Closed => Err(Refusal::OrderClosed),
        TradeState::NotPay if order.terms.trade_type != terms.trade_type => Err(Refusal::OutTradeNoUsed),
        TradeState::NotPay if order.terms.parameters != terms.parameters => Err(Refusal::ReentryDiffers),
        TradeState::NotPay if now >= order.payable_until() => Err(Refusal::OrderExpired),
        TradeState::NotPay => Ok(()),
    }
}

impl Prepaid {
    /// In WeChat's shapes, of which one is another for combined orders.
    fn fresh(trade_type: TradeType, is_whole: bool, now: UnixSeconds, rng: &mut impl Rng) -> Self {
        let beginning = if is_whole { "up_wx" } else { "wx" };
        let prepay_id = format!("{beginning}{}{}", calendar::second_digits(now), random::hex(rng, 20));
        let (ticket, seconds) = match trade_type {
            TradeType::Jsapi | TradeType::App => (prepay_id.clone(), TICKET_SECONDS),
            TradeType::Native => {
                (format!("weixin://wxpay/bizpayurl?pr={}", random::alphanumeric(rng, 9)), TICKET_SECONDS)
            }
            TradeType::Mweb => {
                let package = random::digits(rng, 10);
                let page = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb";
                (format!("{page}?prepay_id={prepay_id}&package={package}"), H5_TICKET_SECONDS)
            }
        };
        Self { prepay_id, ticket, good_until: UnixSeconds(now.0 + seconds) }
    }
}
