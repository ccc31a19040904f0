//! What WeChat knows, in one value. What may be done with it is written beside each thing that it is done to.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wechatpay::UnixSeconds;

use super::bills::BillToken;
use super::order::Ticket;
use super::user::Users;
use super::{Account, App, Combined, Entry, Notice, Order, OrderKey, Outbox, Refund, RefundKey, Subject};

/// WeChat's books.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Books {
    pub(super) accounts: BTreeMap<String, Account>,
    pub(super) apps: BTreeMap<String, App>,
    pub(super) users: Users,
    pub(super) orders: BTreeMap<OrderKey, Order>,
    /// Which order a `transaction_id` paid.
    pub(super) paid: BTreeMap<String, OrderKey>,
    /// What is paid in one act.
    #[serde(default)]
    pub(super) combined: BTreeMap<OrderKey, Combined>,
    #[serde(default)]
    pub(super) refunds: BTreeMap<RefundKey, Refund>,
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
    pub(super) bill_tokens: BTreeMap<String, BillToken>,
    /// Which order a `prepay_id`, `code_url` or `h5_url` is for.
    pub(super) tickets: BTreeMap<String, Ticket>,
    /// When users left the cashier without paying.
    #[serde(default)]
    pub(super) cancellations: BTreeMap<OrderKey, Vec<UnixSeconds>>,
    /// What the merchants are to be told.
    pub notices: Outbox,
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
