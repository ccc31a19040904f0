//! An order as a query tells it, paid or not.
//!
//! Invariant: amounts are whole fen or the answer is refused; what names the payer is not shown by `Debug`.
//! Deliberately absent: comparing it with the merchant's own order.

use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Promotion, TradeState};
use crate::answer::AnswerError;
use crate::api::Merchant;
use crate::api::wire::{CURRENCY_DEFAULT, list, needed, read, text};
use crate::{Fen, Payment, Transaction};

/// An order, in ordinary or partner mode. What only payment brings is absent before.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(try_from = "Wire")]
pub struct Order {
    /// Whose it is.
    pub seller: Seller,
    /// The merchant's number.
    pub out_trade_no: String,
    /// What became of it.
    pub trade_state: TradeState,
    /// The state in words, in Chinese.
    pub trade_state_desc: Option<String>,
    /// WeChat Pay's number, once paid.
    pub transaction_id: Option<String>,
    /// Such as `JSAPI`, once paid.
    pub trade_type: Option<String>,
    /// Bank and kind of card, once paid; `OTHERS` is the balance.
    pub bank_type: Option<String>,
    /// What the merchant attached.
    pub attach: Option<String>,
    /// When it was paid, RFC 3339 with offset.
    pub success_time: Option<String>,
    /// Who paid.
    pub payer: Option<OrderPayer>,
    /// How much.
    pub amount: Option<OrderAmount>,
    /// What promotions took off.
    pub promotion_detail: Vec<Promotion>,
    /// The whole answer, fields that are not known here among them.
    pub whole: Map<String, Value>,
}

impl Order {
    /// The payment, in ordinary and partner mode alike; `None` for an order that is not paid.
    ///
    /// ```
    /// use wechatpay::api::{Call, Merchant, OrderNumber, QueryOrder};
    ///
    /// let merchant = Merchant::partner("1900000001", "1900000109")?;
    /// let call = QueryOrder::new(merchant, OrderNumber::out_trade_no("ORDER20260302A")?);
    /// let order = call.read(
    ///     br#"{"sp_appid":"wx0123456789abcdef","sp_mchid":"1900000001","sub_mchid":"1900000109",
    ///     "out_trade_no":"ORDER20260302A","trade_state":"SUCCESS","transaction_id":"42",
    ///     "amount":{"total":5990,"currency":"CNY"}}"#,
    /// )?;
    /// let payment = order.payment()?.ok_or("not paid")?;
    /// // It is the order's only if all of these are.
    /// assert_eq!((payment.total.get(), payment.currency), (5990, "CNY"));
    /// assert_eq!((payment.appid, payment.sub_mchid), ("wx0123456789abcdef", Some("1900000109")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Where the order is said to be paid but lacks what every payment has.
    pub fn payment(&self) -> Result<Option<Payment<'_>>, AnswerError> {
        if !self.trade_state.is_paid() {
            return Ok(None);
        }
        let (mchid, sub_mchid, (name, appid)) = match &self.seller {
            Seller::Ordinary { appid, mchid } => (mchid, None, ("appid", appid)),
            Seller::Partner { sp_appid, sp_mchid, sub_mchid, .. } => {
                (sp_mchid, Some(sub_mchid.as_str()), ("sp_appid", sp_appid))
            }
        };
        let amount = needed("amount", self.amount.as_ref())?;
        Ok(Some(Payment {
            mchid,
            sub_mchid,
            appid: needed(name, appid.as_deref())?,
            out_trade_no: &self.out_trade_no,
            transaction_id: needed("transaction_id", self.transaction_id.as_deref())?,
            total: needed("total", amount.total)?,
            currency: amount.currency.as_deref().unwrap_or(CURRENCY_DEFAULT),
            state: self.trade_state.as_str(),
            success_time: self.success_time.as_deref(),
        }))
    }

    /// The payment in the form in which a notification brings it, for a paid order in ordinary mode: with the payer and
    /// every other field. `None` also in partner mode, where [`Self::payment`] tells of it.
    ///
    /// # Errors
    /// Where the order is said to be paid but lacks what every payment has.
    pub fn transaction(&self) -> Result<Option<Transaction>, AnswerError> {
        match self.seller {
            Seller::Ordinary { .. } if self.trade_state.is_paid() => {
                read(Value::Object(self.whole.clone()).to_string().as_bytes()).map(Some)
            }
            _ => Ok(None),
        }
    }
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Order")
            .field("seller", &self.seller)
            .field("out_trade_no", &self.out_trade_no)
            .field("trade_state", &self.trade_state)
            .field("transaction_id", &self.transaction_id)
            .field("amount", &self.amount)
            .finish_non_exhaustive()
    }
}

/// Who sold, and in which app or Mini Program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Seller {
    /// A merchant of its own.
    Ordinary {
        /// Where it was paid; absent in some answers about unpaid orders.
        appid: Option<String>,
        /// The merchant.
        mchid: String,
    },
    /// A sub-merchant under a service provider.
    Partner {
        /// The provider's app.
        sp_appid: Option<String>,
        /// The provider.
        sp_mchid: String,
        /// The sub-merchant's app.
        sub_appid: Option<String>,
        /// The sub-merchant.
        sub_mchid: String,
    },
}

impl Seller {
    pub(super) fn is(&self, merchant: &Merchant) -> bool {
        let (signer, sub) = match self {
            Self::Ordinary { mchid, .. } => (mchid, None),
            Self::Partner { sp_mchid, sub_mchid, .. } => (sp_mchid, Some(sub_mchid.as_str())),
        };
        (signer.as_str(), sub) == (merchant.signer(), merchant.sub_mchid())
    }
}

/// Who paid.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct OrderPayer {
    /// Under `appid`.
    #[serde(default, deserialize_with = "text")]
    pub openid: Option<String>,
    /// Under `sp_appid`.
    #[serde(default, deserialize_with = "text")]
    pub sp_openid: Option<String>,
    /// Under `sub_appid`.
    #[serde(default, deserialize_with = "text")]
    pub sub_openid: Option<String>,
}

impl fmt::Debug for OrderPayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OrderPayer([REDACTED])")
    }
}

/// How much.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OrderAmount {
    /// The order's, in fen; absent in some answers about unpaid orders.
    pub total: Option<Fen>,
    /// What the user paid after promotions, in fen.
    pub payer_total: Option<Fen>,
    /// `CNY`; absent means the same.
    #[serde(default, deserialize_with = "text")]
    pub currency: Option<String>,
    /// What the user paid in.
    #[serde(default, deserialize_with = "text")]
    pub payer_currency: Option<String>,
}

/// An answer as written, before it is known whose order it is about.
#[derive(Deserialize)]
#[serde(transparent)]
struct Wire(Map<String, Value>);

#[derive(Deserialize)]
struct Fields {
    #[serde(default, deserialize_with = "text")]
    appid: Option<String>,
    #[serde(default, deserialize_with = "text")]
    mchid: Option<String>,
    #[serde(default, deserialize_with = "text")]
    sp_appid: Option<String>,
    #[serde(default, deserialize_with = "text")]
    sp_mchid: Option<String>,
    #[serde(default, deserialize_with = "text")]
    sub_appid: Option<String>,
    #[serde(default, deserialize_with = "text")]
    sub_mchid: Option<String>,
    out_trade_no: String,
    trade_state: TradeState,
    #[serde(default, deserialize_with = "text")]
    trade_state_desc: Option<String>,
    #[serde(default, deserialize_with = "text")]
    transaction_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    trade_type: Option<String>,
    #[serde(default, deserialize_with = "text")]
    bank_type: Option<String>,
    #[serde(default, deserialize_with = "text")]
    attach: Option<String>,
    #[serde(default, deserialize_with = "text")]
    success_time: Option<String>,
    payer: Option<OrderPayer>,
    amount: Option<OrderAmount>,
    #[serde(default, deserialize_with = "list")]
    promotion_detail: Vec<Promotion>,
}

impl TryFrom<Wire> for Order {
    type Error = serde_json::Error;

    fn try_from(Wire(whole): Wire) -> Result<Self, serde_json::Error> {
        use serde::de::Error as _;
        let fields = Fields::deserialize(&whole)?;
        let seller = match (fields.mchid, fields.sp_mchid, fields.sub_mchid) {
            (Some(mchid), None, _) => Seller::Ordinary { appid: fields.appid, mchid },
            (_, Some(sp_mchid), Some(sub_mchid)) => {
                let (sp_appid, sub_appid) = (fields.sp_appid, fields.sub_appid);
                Seller::Partner { sp_appid, sp_mchid, sub_appid, sub_mchid }
            }
            _ => return Err(serde_json::Error::missing_field("mchid")),
        };
        Ok(Self {
            seller,
            out_trade_no: fields.out_trade_no,
            trade_state: fields.trade_state,
            trade_state_desc: fields.trade_state_desc,
            transaction_id: fields.transaction_id,
            trade_type: fields.trade_type,
            bank_type: fields.bank_type,
            attach: fields.attach,
            success_time: fields.success_time,
            payer: fields.payer,
            amount: fields.amount,
            promotion_detail: fields.promotion_detail,
            whole,
        })
    }
}
