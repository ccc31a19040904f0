//! What WeChat knows, in one value. What may be done with it is written beside each thing that it is done to.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize, Serializer};
use wechatpay::UnixSeconds;

use super::bills::BillToken;
use super::order::Ticket;
use super::user::Users;
use super::{Account, App, Combined, Entry, Notice, Order, OrderKey, Outbox, Refund, RefundKey, Subject};

/// WeChat's books.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Books {
    pub(super) accounts: BTreeMap<String, Account>,
    pub(super) apps: BTreeMap<String, App>,
    pub(super) users: Users,
    pub(super) orders: BTreeMap<OrderKey, Order>,
    /// Which order a `transaction_id` paid, or which combined one.
    pub(super) paid: BTreeMap<String, OrderKey>,
    /// What is paid in one act.
    #[serde(default)]
    pub(super) combined: BTreeMap<OrderKey, Combined>,
    #[serde(default)]
    pub(super) refunds: BTreeMap<RefundKey, Refund>,
    /// Which refund a `refund_id` is of.
    #[serde(default)]
    pub(super) refund_ids: BTreeMap<String, RefundKey>,
    /// The merchants that have too little money for refunds.
    #[serde(default)]
    pub(super) short_of_funds: BTreeSet<String>,
    /// Where refunds are told that name no URL of their own, by merchant.
    #[serde(default)]
    pub(super) refund_urls: BTreeMap<String, String>,
    /// Whether two refunds of an order must lie a minute apart.
    #[serde(default)]
    pub(super) refunds_spaced: bool,
    /// Which bill may be downloaded.
    #[serde(default)]
    pub(super) bill_tokens: Expiring<BillToken>,
    /// Which order a `prepay_id`, `code_url` or `h5_url` is for.
    pub(super) tickets: Expiring<Ticket>,
    /// When users left the cashier without paying.
    #[serde(default)]
    pub(super) cancellations: BTreeMap<OrderKey, Vec<UnixSeconds>>,
    /// What the merchants are to be told.
    pub notices: Outbox,
}

/// What is good for a while.
pub(super) trait Expires {
    /// When it is good no more.
    fn good_until(&self) -> UnixSeconds;
}

/// Things that are good for a while, by name. Those that are good no more are forgotten when others come, so that there are
/// never more than were given out in that while.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "BTreeMap<String, T>", bound = "T: Expires + Deserialize<'de>")]
pub(super) struct Expiring<T> {
    things: BTreeMap<String, T>,
    /// When which is good no more.
    ends: BTreeSet<(UnixSeconds, String)>,
}

impl<T> Default for Expiring<T> {
    fn default() -> Self {
        Self { things: BTreeMap::new(), ends: BTreeSet::new() }
    }
}

impl<T: Serialize> Serialize for Expiring<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.things.serialize(serializer)
    }
}

impl<T: Expires> From<BTreeMap<String, T>> for Expiring<T> {
    fn from(things: BTreeMap<String, T>) -> Self {
        let ends = things.iter().map(|(name, thing)| (thing.good_until(), name.clone())).collect();
        Self { things, ends }
    }
}

impl<T: Expires> Expiring<T> {
    pub(super) fn insert(&mut self, name: String, thing: T, now: UnixSeconds) {
        while self.ends.first().is_some_and(|(end, _)| *end <= now)
            && let Some((_, old)) = self.ends.pop_first()
        {
            self.things.remove(&old);
        }
        self.remove(&name);
        self.ends.insert((thing.good_until(), name.clone()));
        self.things.insert(name, thing);
    }

    /// What goes by this name, while it is good.
    pub(super) fn get(&self, name: &str, now: UnixSeconds) -> Option<&T> {
        self.things.get(name).filter(|thing| now < thing.good_until())
    }

    /// The same, to be changed in all but its end.
    pub(super) fn get_mut(&mut self, name: &str, now: UnixSeconds) -> Option<&mut T> {
        self.things.get_mut(name).filter(|thing| now < thing.good_until())
    }

    pub(super) fn remove(&mut self, name: &str) {
        if let Some(thing) = self.things.remove(name) {
            self.ends.remove(&(thing.good_until(), name.to_owned()));
        }
    }
}

impl Books {
    /// Books in which nothing stands.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same merchants, apps and settings, and nothing that anybody did.
    #[must_use]
    pub fn emptied(&self) -> Self {
        Self {
            accounts: self.accounts.clone(),
            apps: self.apps.clone(),
            short_of_funds: self.short_of_funds.clone(),
            refund_urls: self.refund_urls.clone(),
            refunds_spaced: self.refunds_spaced,
            notices: self.notices.emptied(),
            ..Self::default()
        }
    }

    /// All orders, by merchant and number.
    pub fn orders(&self) -> impl Iterator<Item = (&OrderKey, &Order)> {
        self.orders.iter()
    }

    /// One order.
    #[must_use]
    pub fn order(&self, key: &OrderKey) -> Option<&Order> {
        self.orders.get(key)
    }

    /// The orders that a notice is about; a combined one stands before its parts.
    #[must_use]
    pub fn told_of<'a>(&'a self, notice: &'a Notice) -> Vec<&'a OrderKey> {
        match &notice.subject {
            Subject::Order(key) => vec![key],
            Subject::Combined(key) => {
                let parts = self.combined.get(key).into_iter().flat_map(|combined| &combined.parts);
                std::iter::once(key).chain(parts).collect()
            }
            Subject::Refund(key) => self.refunds.get(key).map(|refund| &refund.order).into_iter().collect(),
            Subject::Echo => Vec::new(),
        }
    }

    /// The notices about an order, with their numbers.
    pub fn notices_of<'a>(&'a self, key: &'a OrderKey) -> impl Iterator<Item = (u64, &'a Entry)> {
        self.notices.entries().filter(move |(_, entry)| self.told_of(&entry.notice).contains(&key))
    }

    /// The order that a payment was for.
    #[must_use]
    pub fn order_of(&self, transaction_id: &str) -> Option<(&OrderKey, &Order)> {
        self.orders.get_key_value(self.paid.get(transaction_id)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Until(UnixSeconds);

    impl Expires for Until {
        fn good_until(&self) -> UnixSeconds {
            self.0
        }
    }

    #[test]
    fn what_is_good_no_more_is_forgotten() {
        let mut things = Expiring::default();
        for second in 0..1000 {
            things.insert(second.to_string(), Until(UnixSeconds(second + 10)), UnixSeconds(second));
        }
        let kept = serde_json::to_string(&things).unwrap();
        let mut read: Expiring<Until> = serde_json::from_str(&kept).unwrap();
        for things in [&mut things, &mut read] {
            assert_eq!((things.things.len(), things.ends.len()), (10, 10));
            assert_eq!(things.get("999", UnixSeconds(1008)), Some(&Until(UnixSeconds(1009))));
            assert_eq!(things.get("999", UnixSeconds(1009)), None);
            things.insert("999".to_owned(), Until(UnixSeconds(2000)), UnixSeconds(1500));
            assert_eq!((things.things.len(), things.ends.len()), (1, 1), "the same name, and none else");
            things.remove("999");
            assert_eq!((things.things.len(), things.ends.len()), (0, 0));
        }
    }
}
