//! A refund: what the merchant asked for, and how it ends. Deliberately absent: what APIv3 and APIv2 call the fields.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wechatpay::UnixSeconds;

use super::super::{OrderKey, Payment, Protocol};

/// By what WeChat tells refunds apart: the merchant that signs, and its own number. Written `mchid/out_refund_no`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RefundKey {
    /// The merchant that signs: in partner mode the provider.
    pub mchid: String,
    /// Its number of the refund.
    pub out_refund_no: String,
}

/// What a refund is about. What has no field here is in `parameters`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundTerms {
    /// The merchant's number.
    pub out_refund_no: String,
    /// How much goes back, in fen.
    pub refund_fen: i64,
    /// What the merchant takes for the order's price, in fen.
    pub total_fen: i64,
    /// Where the end is told.
    pub notify_url: Option<String>,
    /// Which of the merchant's accounts pays.
    pub funds_account: Option<FundsAccount>,
    /// The same in parts.
    pub from: Vec<RefundFrom>,
    /// In which protocol it was asked for: so is its end told.
    pub protocol: Protocol,
    /// The rest of the request: the same number goes on only with the same parameters.
    pub parameters: Value,
}

/// An account of the merchant's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum FundsAccount {
    /// The available balance.
    Available,
    /// Money that is not settled yet.
    Unsettled,
    /// The unavailable balance.
    Unavailable,
}

/// What one account pays of a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundFrom {
    /// Which.
    pub account: FundsAccount,
    /// In fen.
    pub amount: i64,
}

/// What became of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RefundStatus {
    /// Accepted.
    Processing,
    /// The user has the money.
    Success,
    /// Given up: the merchant keeps the money.
    Closed,
    /// The user's account does not take it.
    Abnormal,
}

/// Where an abnormal refund goes instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// Another card of the user's, at this bank.
    UserCard {
        /// Such as `CMB_DEBIT`.
        bank_type: String,
    },
    /// The merchant's own card.
    MerchantCard,
}

/// A refund in the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// WeChat's number.
    pub refund_id: String,
    /// The order.
    pub order: OrderKey,
    /// The payment that goes back.
    pub payment: Payment,
    /// What it is about.
    pub terms: RefundTerms,
    /// When it was accepted.
    pub created_at: UnixSeconds,
    /// What of the order had gone back before it, in fen.
    pub before_fen: i64,
    /// How it ends, unless something else is decided before.
    pub ending: Ending,
    /// Where it goes after its own way was closed.
    pub detour: Option<Destination>,
    /// The notice of its end that waits in the outbox.
    pub(super) notice: Option<u64>,
}

/// The end of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// When.
    pub at: UnixSeconds,
    /// As what.
    pub status: RefundStatus,
}

impl RefundKey {
    /// The refund of this merchant with this number.
    #[must_use]
    pub fn new(mchid: &str, out_refund_no: &str) -> Self {
        Self { mchid: mchid.to_owned(), out_refund_no: out_refund_no.to_owned() }
    }
}

impl fmt::Display for RefundKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.mchid, self.out_refund_no)
    }
}

impl From<RefundKey> for String {
    fn from(key: RefundKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for RefundKey {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (mchid, out_refund_no) = text.split_once('/').ok_or("a refund's key is mchid/out_refund_no")?;
        Ok(Self::new(mchid, out_refund_no))
    }
}

impl Refund {
    /// By what it is found.
    #[must_use]
    pub fn key(&self) -> RefundKey {
        RefundKey::new(&self.order.mchid, &self.terms.out_refund_no)
    }

    /// Its state at that time.
    #[must_use]
    pub fn status(&self, now: UnixSeconds) -> RefundStatus {
        if now < self.ending.at { RefundStatus::Processing } else { self.ending.status }
    }

    /// When the user had the money, as far as it is known at that time.
    #[must_use]
    pub fn succeeded_at(&self, now: UnixSeconds) -> Option<UnixSeconds> {
        (self.status(now) == RefundStatus::Success).then_some(self.ending.at)
    }
}
