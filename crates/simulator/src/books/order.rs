//! An order: what the merchant asked for, and what became of it.
//!
//! Invariants: a merchant's number is used for one order only, ever; its terms never change; it is paid at most once,
//! and a closed one never. Its state is a function of what happened and of the time, so that nothing has to run for an
//! order to expire. Deliberately absent: what APIv3 calls the fields.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wechatpay::UnixSeconds;

use super::Payment;
use super::ledger::Expires;

/// WeChat closes an order that was not paid this long after it was placed.
const OPEN_SECONDS: i64 = 7 * 24 * 3600;

/// `time_expire` lies this far ahead at most: of the limits that WeChat's pages name, the widest.
pub(crate) const EXPIRE_SECONDS_MAX: i64 = 90 * 24 * 3600;

/// An order can be paid for a minute at least, whatever its `time_expire` says.
const PAYABLE_SECONDS_MIN: i64 = 60;

/// By what WeChat tells orders apart: the merchant that signs, and its own number. A provider's numbers are unique over
/// all its sub-merchants. Written `mchid/out_trade_no`; a merchant number has no slash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct OrderKey {
    /// The merchant that signs: in partner mode the provider.
    pub mchid: String,
    /// Its number of the order.
    pub out_trade_no: String,
}

/// Who sells, and in which app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Seller {
    /// A merchant of its own.
    Ordinary {
        /// Its app.
        appid: String,
        /// Its number.
        mchid: String,
    },
    /// A sub-merchant, through a provider.
    Partner {
        /// The provider's app.
        sp_appid: String,
        /// The provider's number.
        sp_mchid: String,
        /// The sub-merchant's app.
        #[serde(skip_serializing_if = "Option::is_none")]
        sub_appid: Option<String>,
        /// The sub-merchant's number.
        sub_mchid: String,
    },
}

/// How the user comes to the cashier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TradeType {
    /// In a Mini Program or in WeChat's browser.
    Jsapi,
    /// In a mobile app.
    App,
    /// In another browser: H5.
    Mweb,
    /// By scanning a code.
    Native,
}

/// Under which openid the payer was named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderPayer {
    /// Under the seller's app; in partner mode the provider's.
    Openid(String),
    /// Under the sub-merchant's app.
    SubOpenid(String),
}

/// In which protocol a merchant asks, and is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// JSON, signed with RSA.
    #[default]
    V3,
    /// XML, signed with a shared key and MD5.
    V2Md5,
    /// XML, signed with a shared key and HMAC-SHA256.
    V2Hmac,
}

/// What an order is about. What has no field here is in `parameters`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Who sells.
    pub seller: Seller,
    /// The merchant's number.
    pub out_trade_no: String,
    /// How it is paid.
    pub trade_type: TradeType,
    /// What the user reads.
    pub description: String,
    /// The price, in fen.
    pub amount_fen: i64,
    /// Where the payment is told.
    pub notify_url: String,
    /// Given back with the payment.
    pub attach: Option<String>,
    /// Until when it may be paid.
    pub time_expire: Option<UnixSeconds>,
    /// Who is to pay; without it, whoever comes.
    pub payer: Option<OrderPayer>,
    /// Shop or terminal.
    pub device_id: Option<String>,
    /// In which protocol it was placed: so is its payment told.
    #[serde(default)]
    pub protocol: Protocol,
    /// The whole request as it was said: the same number goes on only with the same parameters.
    pub parameters: Value,
}

/// An order in the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// What it is about.
    pub terms: Terms,
    /// When it was placed.
    pub placed_at: UnixSeconds,
    /// How many orders were placed before it: within a second it is not time that says which was first.
    #[serde(default)]
    pub place: usize,
    /// What happened to it.
    pub standing: Standing,
    /// The `prepay_id`, `code_url` or `h5_url` that was given out last.
    pub ticket: Option<String>,
    /// The numbers of its refunds, in the order of their acceptance.
    #[serde(default)]
    pub refunds: Vec<String>,
    /// The combined order of which it is a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub combined: Option<OrderKey>,
}

/// What happened to an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nothing yet.
    Open,
    /// The merchant closed it.
    Closed {
        /// When.
        at: UnixSeconds,
    },
    /// The user paid.
    Paid(Box<Payment>),
}

/// `trade_state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TradeState {
    /// Not paid.
    NotPay,
    /// Paid.
    Success,
    /// Paid, and a refund was accepted, of all of it or a part.
    Refund,
    /// Closed by the merchant, or because nobody paid for a week.
    Closed,
}

/// What leads a user to an order: a `prepay_id`, `code_url` or `h5_url`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ticket {
    pub(super) order: OrderKey,
    pub(super) good_until: UnixSeconds,
}

impl Expires for Ticket {
    fn good_until(&self) -> UnixSeconds {
        self.good_until
    }
}

impl OrderKey {
    /// The order of this merchant with this number.
    #[must_use]
    pub fn new(mchid: &str, out_trade_no: &str) -> Self {
        Self { mchid: mchid.to_owned(), out_trade_no: out_trade_no.to_owned() }
    }
}

impl fmt::Display for OrderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.mchid, self.out_trade_no)
    }
}

impl From<OrderKey> for String {
    fn from(key: OrderKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for OrderKey {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (mchid, out_trade_no) = text.split_once('/').ok_or("an order's key is mchid/out_trade_no")?;
        Ok(Self::new(mchid, out_trade_no))
    }
}

impl Seller {
    /// The merchant that signs: in partner mode the provider.
    #[must_use]
    pub fn signer(&self) -> &str {
        match self {
            Self::Ordinary { mchid, .. } => mchid,
            Self::Partner { sp_mchid, .. } => sp_mchid,
        }
    }

    /// The app of the merchant that signs.
    #[must_use]
    pub fn appid(&self) -> &str {
        match self {
            Self::Ordinary { appid, .. } => appid,
            Self::Partner { sp_appid, .. } => sp_appid,
        }
    }

    /// The sub-merchant.
    #[must_use]
    pub fn sub_mchid(&self) -> Option<&str> {
        match self {
            Self::Ordinary { .. } => None,
            Self::Partner { sub_mchid, .. } => Some(sub_mchid),
        }
    }

    /// The sub-merchant's app.
    #[must_use]
    pub fn sub_appid(&self) -> Option<&str> {
        match self {
            Self::Ordinary { .. } => None,
            Self::Partner { sub_appid, .. } => sub_appid.as_deref(),
        }
    }

    /// The merchant that gets the money.
    #[must_use]
    pub fn receiver(&self) -> &str {
        self.sub_mchid().unwrap_or_else(|| self.signer())
    }
}

impl TradeType {
    /// `trade_type`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jsapi => "JSAPI",
            Self::App => "APP",
            Self::Mweb => "MWEB",
            Self::Native => "NATIVE",
        }
    }
}

impl Terms {
    /// By what the order is found.
    #[must_use]
    pub fn key(&self) -> OrderKey {
        OrderKey::new(self.seller.signer(), &self.out_trade_no)
    }
}

impl Order {
    /// Its state at that time.
    #[must_use]
    pub fn state(&self, now: UnixSeconds) -> TradeState {
        match &self.standing {
            Standing::Paid(_) if self.refunds.is_empty() => TradeState::Success,
            Standing::Paid(_) => TradeState::Refund,
            Standing::Closed { .. } => TradeState::Closed,
            Standing::Open if now >= self.closes_at() => TradeState::Closed,
            Standing::Open => TradeState::NotPay,
        }
    }

    /// Until when it can be paid. To reach it does not close the order.
    #[must_use]
    pub fn payable_until(&self) -> UnixSeconds {
        let least = self.placed_at.0 + PAYABLE_SECONDS_MIN;
        self.terms
            .time_expire
            .map_or(UnixSeconds(self.placed_at.0 + OPEN_SECONDS), |time| UnixSeconds(time.0.max(least)))
    }

    /// How it was paid.
    #[must_use]
    pub fn payment(&self) -> Option<&Payment> {
        match &self.standing {
            Standing::Paid(payment) => Some(payment),
            Standing::Open | Standing::Closed { .. } => None,
        }
    }

    /// When WeChat closes it by itself.
    fn closes_at(&self) -> UnixSeconds {
        UnixSeconds(self.payable_until().0.max(self.placed_at.0 + OPEN_SECONDS))
    }
}

impl TradeState {
    /// `trade_state`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotPay => "NOTPAY",
            Self::Success => "SUCCESS",
            Self::Refund => "REFUND",
            Self::Closed => "CLOSED",
        }
    }

    /// `trade_state_desc`.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::NotPay => "订单未支付",
            Self::Success => "支付成功",
            Self::Refund => "订单发生过退款，退款详情请查询退款单",
            Self::Closed => "订单已关闭",
        }
    }
}
