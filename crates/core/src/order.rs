//! An order as the merchant registered it, and what is known of its money.

use crate::{
    ids::{AppId, MerchantId, OutTradeNo, WechatPaymentId},
    money::{Currency, Fen},
    time::UnixMillis,
};

/// What names an order: the merchant's number within a merchant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderKey {
    /// The merchant.
    pub merchant: MerchantId,
    /// The merchant's number of the order.
    pub out_trade_no: OutTradeNo,
}

/// What the merchant asked the customer to pay. A payment counts only if it agrees with this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The order's amount (`amount.total`).
    pub amount: Fen,
    /// Its currency.
    pub currency: Currency,
    /// The app in which it is paid; in partner mode the partner's (`sp_appid`).
    pub appid: AppId,
    /// In partner mode, the sub-merchant that gets the money (`sub_mchid`).
    pub sub_merchant: Option<MerchantId>,
    /// When it can no longer be paid (`time_expire`), if the merchant said so.
    pub expires_at: Option<UnixMillis>,
}

/// Where an order stands. It never leaves `Paid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// Registered; no agreeing payment is known.
    Pending,
    /// Paid. Exactly one `payment.succeeded` was written for it.
    Paid {
        /// The payment that paid it.
        by: WechatPaymentId,
        /// The order was closed when the payment came.
        late: bool,
    },
    /// Closed before any agreeing payment was known. A late payment still makes it `Paid`.
    Closed,
}

/// The row number that a store gave to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(pub i64);

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its name.
    pub key: OrderKey,
    /// What was agreed.
    pub terms: Terms,
    /// Where it stands.
    pub state: OrderState,
    /// Money that does not add up is known for it: an operator should look.
    pub flagged: bool,
    /// How many messages it has; the next one's sequence number is one more.
    pub messages: u32,
    /// When it was registered.
    pub registered_at: UnixMillis,
}

impl Order {
    /// A fresh order.
    #[must_use]
    pub fn registered(key: OrderKey, terms: Terms, now: UnixMillis) -> Self {
        Self { key, terms, state: OrderState::Pending, flagged: false, messages: 0, registered_at: now }
    }
}
