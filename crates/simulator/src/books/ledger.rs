//! What WeChat knows, in one value. What may be done with it is written beside each thing that it is done to.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::bills::BillToken;
use super::order::Ticket;
use super::user::Users;
use super::{Account, App, Combined, Order, OrderKey, Outbox, Refund, RefundKey};

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
    /// What the merchants are to be told.
    pub notices: Outbox,
}

impl Books {
    /// Books in which nothing stands.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
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

    /// The order that a payment was for.
    #[must_use]
    pub fn order_of(&self, transaction_id: &str) -> Option<(&OrderKey, &Order)> {
        self.orders.get_key_value(self.paid.get(transaction_id)?)
    }
}
