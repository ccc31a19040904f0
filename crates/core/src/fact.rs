//! Facts: what we know about money, whoever told us.

use crate::{
    ids::{AppId, EventType, MerchantId, NotificationId, WechatPaymentId},
    json::Json,
    money::{Currency, Fen},
    order::{OrderKey, Terms},
    time::UnixMillis,
};

/// Something known, ready for [`decide`](crate::decide()).
///
/// Refunds will be further variants; until then their notifications are [`Fact::Other`], passed through whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fact {
    /// The merchant registered an order.
    Registered {
        /// Its name.
        key: OrderKey,
        /// What was agreed.
        terms: Terms,
    },
    /// WeChat has the customer's money.
    Paid(Paid),
    /// WeChat says that the order can no longer be paid.
    Closed {
        /// The order.
        key: OrderKey,
    },
    /// A notification that is not ours to judge.
    Other(Passed),
}

impl From<Paid> for Fact {
    fn from(paid: Paid) -> Self {
        Self::Paid(paid)
    }
}

/// A payment, as WeChat states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// The money part: what must agree with the order, and what makes two statements the same.
    pub content: Content,
    /// When the customer paid (`success_time`).
    pub paid_at: Option<UnixMillis>,
    /// Who told us first.
    pub source: Source,
    /// What else the merchant's system may want (payer, attach, bank …): not looked into.
    pub detail: Json,
}

/// What two statements about one payment must share to be the same statement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Content {
    /// The order that was paid.
    pub key: OrderKey,
    /// WeChat's number of the payment.
    pub payment: WechatPaymentId,
    /// `amount.total`.
    pub amount: Fen,
    /// `amount.currency`.
    pub currency: Currency,
    /// The app in which it was paid; in partner mode the partner's (`sp_appid`).
    pub appid: AppId,
    /// In partner mode, the sub-merchant that got the money (`sub_mchid`).
    pub sub_merchant: Option<MerchantId>,
}

impl Content {
    /// The dedupe key of the payment: statements that contradict each other share it.
    #[must_use]
    pub fn claim(&self) -> Claim {
        Claim::Payment(self.key.merchant.clone(), self.payment.clone())
    }
}

/// A notification that is handed on with its plaintext.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The merchant it was sent to.
    pub merchant: MerchantId,
    /// Its number, the same on every resend: it is passed on once.
    pub notification: NotificationId,
    /// Its type, for example `REFUND.SUCCESS`.
    pub event_type: EventType,
    /// The decrypted resource: one JSON value.
    pub plaintext: Box<str>,
}

/// Who told us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A callback of WeChat's.
    Callback,
    /// WeChat's answer to an order query.
    Query,
    /// The daily bill.
    Bill,
    /// An operator, by hand.
    Operator,
}

impl Source {
    /// The word that stands in the database and in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Callback => "callback",
            Self::Query => "query",
            Self::Bill => "bill",
            Self::Operator => "operator",
        }
    }
}

/// What a fact claims, so that it takes effect once. Facts with one claim are told apart by their content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claim {
    /// A payment, by WeChat's number within a merchant.
    Payment(MerchantId, WechatPaymentId),
    /// A notification, by its number within a merchant.
    Notification(MerchantId, NotificationId),
}

impl Fact {
    /// The dedupe key, if the fact has one. An order's own key serves the others.
    #[must_use]
    pub fn claim(&self) -> Option<Claim> {
        match self {
            Self::Paid(paid) => Some(paid.content.claim()),
            Self::Other(passed) => {
                Some(Claim::Notification(passed.merchant.clone(), passed.notification.clone()))
            }
            Self::Registered { .. } | Self::Closed { .. } => None,
        }
    }

    /// The order that the fact is about, if any.
    #[must_use]
    pub fn order_key(&self) -> Option<&OrderKey> {
        match self {
            Self::Registered { key, .. } | Self::Closed { key } => Some(key),
            Self::Paid(paid) => Some(&paid.content.key),
            Self::Other(_) => None,
        }
    }
}
