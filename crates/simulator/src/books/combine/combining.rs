//! Placing, finding, closing and paying a combined order.
//!
//! Invariant: what is refused changes no part; whatever can be refused is looked at before the first part is touched.

use std::collections::BTreeSet;

use rand::Rng;
use serde_json::Value;
use wechatpay::UnixSeconds;

use super::{CombineStatement, CombineTerms, Combined};
use crate::books::cashier::{Purse, transaction_id};
use crate::books::{
    Books, Content, Event, Notice, Order, OrderKey, OrderPayer, Payment, Prepaid, Refusal, Standing, Subject,
    Terms, TradeState, Whose,
};
use crate::random;

impl Books {
    /// Places a combined order, or goes on with one that was placed with the same parameters.
    ///
    /// # Errors
    /// [`Refusal`]: a seller or the payer does not fit, or a number was used otherwise.
    pub fn combine(
        &mut self,
        terms: CombineTerms,
        parts: Vec<Terms>,
        now: UnixSeconds,
        rng: &mut impl Rng,
    ) -> Result<Prepaid, Refusal> {
        self.may_combine(&terms, &parts)?;
        let (key, trade_type) = (terms.key(), terms.trade_type);
        if let Some(known) = self.combined.get(&key) {
            self.goes_on_combined(known, &terms, now)?;
        } else {
            self.are_free(&key, &parts)?;
            let keys = parts.iter().map(Terms::key).collect();
            for terms in parts {
                let combined = Some(key.clone());
                let (ticket, refunds) = (None, Vec::new());
                let (place, standing) = (self.orders.len(), Standing::Open);
                let order = Order { placed_at: now, place, standing, ticket, refunds, combined, terms };
                self.orders.insert(order.terms.key(), order);
            }
            let (ticket, transaction_id, openid) = (None, None, None);
            let combined = Combined { terms, parts: keys, placed_at: now, ticket, transaction_id, openid };
            self.combined.insert(key.clone(), combined);
        }
        Ok(self.issue(&key, trade_type, now, rng))
    }

    /// All combined orders, by merchant and number.
    pub fn combined(&self) -> impl Iterator<Item = (&OrderKey, &Combined)> {
        self.combined.iter()
    }

    /// The combined order of this merchant with this number.
    ///
    /// # Errors
    /// [`Refusal::OrderNotExist`].
    pub fn find_combined(&self, key: &OrderKey) -> Result<&Combined, Refusal> {
        self.combined.get(key).ok_or(Refusal::OrderNotExist)
    }

    /// The combined order of this merchant that WeChat's number paid.
    ///
    /// # Errors
    /// [`Refusal::OrderNotExist`].
    pub fn find_combined_paid(&self, mchid: &str, transaction_id: &str) -> Result<&Combined, Refusal> {
        let key = self.paid.get(transaction_id).filter(|key| key.mchid == mchid);
        key.and_then(|key| self.combined.get(key)).ok_or(Refusal::OrderNotExist)
    }

    /// The parts of a combined order, in its own order.
    pub(crate) fn parts<'a>(&'a self, combined: &'a Combined) -> impl Iterator<Item = &'a Order> {
        combined.parts.iter().filter_map(|key| self.orders.get(key))
    }

    /// What a merchant calls the parts: by number and sub-merchant.
    fn names_of_parts(&self, combined: &Combined) -> BTreeSet<(OrderKey, Option<String>)> {
        let name = |order: &Order| (order.terms.key(), order.terms.seller.sub_mchid().map(str::to_owned));
        self.parts(combined).map(name).collect()
    }

    /// Closes all parts of a combined order that is not paid. `named` are the parts as the merchant names them, each with
    /// its sub-merchant: all.
    ///
    /// # Errors
    /// [`Refusal`]: there is no such order, it has other parts, or it is paid.
    pub(crate) fn close_combined(
        &mut self,
        key: &OrderKey,
        combine_appid: &str,
        named: &BTreeSet<(OrderKey, Option<String>)>,
        now: UnixSeconds,
    ) -> Result<(), Refusal> {
        let combined = self.find_combined(key)?;
        let parts = combined.parts.clone();
        if combined.terms.combine_appid != combine_appid || self.names_of_parts(combined) != *named {
            return Err(Refusal::PartsDiffer);
        }
        if self.parts(combined).any(|order| order.payment().is_some()) {
            return Err(Refusal::OrderPaid);
        }
        for key in parts {
            if let Some(order) = self.orders.get_mut(&key)
                && order.state(now) == TradeState::NotPay
            {
                order.standing = Standing::Closed { at: now };
            }
        }
        Ok(())
    }

    /// Closes an order, with all that is paid in one act with it, as its merchant would.
    ///
    /// # Errors
    /// [`Refusal`]: there is no such order, or it is paid.
    pub fn close_by_hand(&mut self, key: &OrderKey, now: UnixSeconds) -> Result<(), Refusal> {
        if let Some(whole) = self.head_of(key) {
            let combined = self.find_combined(&whole)?;
            let appid = combined.terms.combine_appid.clone();
            let parts = self.names_of_parts(combined);
            return self.close_combined(&whole, &appid, &parts, now);
        }
        let order = self.order(key).ok_or(Refusal::OrderNotExist)?;
        let sub_mchid = order.terms.seller.sub_mchid().map(str::to_owned);
        self.close(Whose { mchid: &key.mchid, sub_mchid: sub_mchid.as_deref() }, &key.out_trade_no, now)
    }

    /// The combined order that a key names, itself or by one of its parts.
    pub(in crate::books) fn head_of(&self, key: &OrderKey) -> Option<OrderKey> {
        match self.orders.get(key) {
            Some(order) => order.combined.clone(),
            None => self.combined.contains_key(key).then(|| key.clone()),
        }
    }

    /// Pays all parts, and has the merchant that combined them told.
    pub(in crate::books) fn pay_combined(
        &mut self,
        key: &OrderKey,
        user: Option<&str>,
        now: UnixSeconds,
        rng: &mut impl Rng,
    ) -> Result<Vec<Payment>, Refusal> {
        let combined = self.find_combined(key)?;
        let (parts, url, appid) =
            (combined.parts.clone(), combined.terms.notify_url.clone(), combined.terms.combine_appid.clone());
        let mut user = user.map(str::to_owned);
        let mut orders = Vec::new();
        for part in &parts {
            let terms = self.payable(part, now)?;
            user = Some(self.payer(&terms, user.as_deref(), rng)?);
            orders.push(terms);
        }
        let purse = Purse::of(user.unwrap_or_default(), rng);
        let payments: Vec<_> = orders.into_iter().map(|terms| self.take(terms, &purse, now, rng)).collect();
        let (openid, id) = (self.openid(&appid, &purse.user, rng), transaction_id(now, rng));
        self.paid.insert(id.clone(), key.clone());
        if let Some(combined) = self.combined.get_mut(key) {
            (combined.openid, combined.transaction_id) = (Some(openid), Some(id));
        }
        let plaintext = CombineStatement::of(self, self.find_combined(key)?, now).to_json();
        let notice = Notice {
            id: random::uuid(rng),
            mchid: key.mchid.clone(),
            subject: Subject::Combined(key.clone()),
            url,
            created_at: now,
            content: Content::V3 { event: Event::TRANSACTION_SUCCESS, plaintext },
        };
        self.notices.push(notice, now);
        Ok(payments)
    }

    /// Whether these merchants may sell together, to this payer.
    fn may_combine(&self, terms: &CombineTerms, parts: &[Terms]) -> Result<(), Refusal> {
        let account = self.account(&terms.combine_mchid).ok_or(Refusal::MchNotExists)?;
        if !account.appids.contains(&terms.combine_appid) {
            return Err(Refusal::AppidMchidNotMatch);
        }
        for part in parts {
            self.may_sell(&part.seller)?;
            self.may_pay(part)?;
        }
        let named_nowhere = |part: &Terms| part.payer.is_none();
        match &terms.payer {
            Some(OrderPayer::SubOpenid(_)) if parts.iter().all(named_nowhere) => {
                Err(Refusal::SubOpenidMismatch)
            }
            _ => Ok(()),
        }
    }

    /// Whether no number was used before, alone or in a whole.
    fn are_free(&self, key: &OrderKey, parts: &[Terms]) -> Result<(), Refusal> {
        let mut keys = BTreeSet::new();
        let is_free = |part: OrderKey, keys: &mut BTreeSet<OrderKey>| {
            !self.orders.contains_key(&part) && !self.combined.contains_key(&part) && keys.insert(part)
        };
        let are_free = parts.iter().all(|part| is_free(part.key(), &mut keys));
        if are_free && !self.orders.contains_key(key) { Ok(()) } else { Err(Refusal::OutTradeNoUsed) }
    }

    /// Whether a combined order that exists may be asked for again in these terms.
    fn goes_on_combined(
        &self,
        known: &Combined,
        terms: &CombineTerms,
        now: UnixSeconds,
    ) -> Result<(), Refusal> {
        let first = self.parts(known).next().ok_or(Refusal::OrderNotExist)?;
        match first.state(now) {
            TradeState::Success | TradeState::Refund => Err(Refusal::PaidAlready),
            TradeState::Closed => Err(Refusal::OrderClosed),
            TradeState::NotPay if known.terms.trade_type != terms.trade_type => Err(Refusal::OutTradeNoUsed),
            TradeState::NotPay if known.terms.parameters == terms.parameters => {
                if now >= first.payable_until() { Err(Refusal::OrderExpired) } else { Ok(()) }
            }
            TradeState::NotPay if unsettled(&known.terms.parameters) == unsettled(&terms.parameters) => {
                Err(Refusal::SettlementDiffers)
            }
            TradeState::NotPay => Err(Refusal::ReentryDiffers),
        }
    }
}

/// Parameters without what they say of the settlement.
fn unsettled(parameters: &Value) -> Value {
    let mut parameters = parameters.clone();
    let parts = parameters.get_mut("sub_orders").and_then(Value::as_array_mut);
    for part in parts.into_iter().flatten().filter_map(Value::as_object_mut) {
        part.remove("settle_info");
    }
    parameters
}
