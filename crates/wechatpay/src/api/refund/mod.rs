//! Refunds: asking for one, asking what became of it, and mending one that could not be paid out.
//!
//! Invariant: one `out_refund_no` is one refund; a repeat sends the same number and parameters, and a new number is a
//! new refund. Deliberately absent: refund notices, which are resources of notifications.

mod abnormal;
mod answer;
mod query;

use serde::Serialize;

pub use abnormal::{AbnormalRefund, BankCard};
pub use answer::{Refund, RefundAmount, RefundFrom, RefundPromotion, RefundStatus};
pub use query::QueryRefund;

use super::field::{InvalidField, Rule, amount, known_number, notify_url, number, text};
use super::wire::open_list;
use super::{Call, Merchant, Operation, OrderNumber, wire};
use crate::Fen;
use crate::answer::AnswerError;

const PATH: &str = "/v3/refund/domestic/refunds";

open_list! {
    /// From which of the merchant's accounts a refund is paid.
    FundsAccount {
        /// The available balance.
        Available = "AVAILABLE",
        /// Money that is not settled yet.
        Unsettled = "UNSETTLED",
        /// The unavailable balance.
        Unavailable = "UNAVAILABLE",
    }
}

/// Asks for a refund: `POST /v3/refund/domestic/refunds`. A success says that it was accepted, not that it was paid
/// out. After anything else, and after silence, ask with [`QueryRefund`] before sending the same call again.
///
/// ```
/// use wechatpay::Fen;
/// use wechatpay::api::{Call, Merchant, Operation, OrderNumber, RequestRefund};
///
/// let merchant = Merchant::ordinary("1900000001")?;
/// let order = OrderNumber::out_trade_no("ORDER20260302A")?;
/// let refund = RequestRefund::new(merchant, order, "REFUND-1", Fen::new(990)?, Fen::new(5990)?)?;
/// let refund = refund.notify_url("https://pay.example.com/notify/v3/1900000001")?;
/// assert_eq!(refund.operation(), Operation::Refund);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RequestRefund {
    merchant: Merchant,
    body: Body,
}

#[derive(Clone, Debug, Serialize)]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<String>,
    #[serde(flatten)]
    order: OrderNumber,
    out_refund_no: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notify_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    funds_account: Option<FundsAccount>,
    amount: Amount,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    goods_detail: Vec<RefundGoods>,
}

#[derive(Clone, Debug, Serialize)]
struct Amount {
    refund: Fen,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    from: Vec<Part>,
    total: Fen,
    currency: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct Part {
    account: FundsAccount,
    amount: Fen,
}

impl RequestRefund {
    /// So much of a paid order, `refund` of its `total`, both in fen. `out_refund_no` is unique for the merchant: 1 to
    /// 64 of `0-9 A-Z a-z _ - | * @`. At most 50 refunds of an order, a minute apart, within a year.
    ///
    /// # Errors
    /// Where one breaks its rule, or `refund` is more than `total`.
    pub fn new(
        merchant: Merchant,
        order: OrderNumber,
        out_refund_no: &str,
        refund: Fen,
        total: Fen,
    ) -> Result<Self, InvalidField> {
        let total = amount("amount.total", total, i64::MAX)?;
        let refund = amount("amount.refund", refund, total.get())?;
        let body = Body {
            sub_mchid: merchant.sub_mchid().map(str::to_owned),
            order,
            out_refund_no: known_number("out_refund_no", out_refund_no, 64)?,
            reason: None,
            notify_url: None,
            funds_account: None,
            amount: Amount { refund, from: Vec::new(), total, currency: "CNY" },
            goods_detail: Vec::new(),
        };
        Ok(Self { merchant, body })
    }

    /// Shown to the user, at most 80 characters; not where a part of at most 1 yuan is refunded.
    ///
    /// # Errors
    /// Where it is longer.
    pub fn reason(mut self, reason: &str) -> Result<Self, InvalidField> {
        self.body.reason = Some(text("reason", reason, 1, 80)?);
        Ok(self)
    }

    /// Where the result is notified. Always give it: without it there is no notice, or one of APIv2.
    ///
    /// # Errors
    /// Where it is not `https` (`http` at the loopback), has a query, or more than 255 characters.
    pub fn notify_url(mut self, notify_url: &str) -> Result<Self, InvalidField> {
        self.body.notify_url = Some(self::notify_url(notify_url)?);
        Ok(self)
    }

    /// From which account it is paid. Not together with [`from`](Self::from).
    ///
    /// # Errors
    /// Where `from` is given.
    pub fn funds_account(mut self, account: FundsAccount) -> Result<Self, InvalidField> {
        if !self.body.amount.from.is_empty() {
            return Err(InvalidField::new("funds_account", Rule::Excludes { other: "amount.from" }));
        }
        self.body.funds_account = Some(account);
        Ok(self)
    }

    /// From which accounts it is paid, with the part of each in fen, which add up to the refund. Not together with
    /// [`funds_account`](Self::funds_account).
    ///
    /// # Errors
    /// Where they do not add up, or `funds_account` is given.
    pub fn from(
        mut self,
        parts: impl IntoIterator<Item = (FundsAccount, Fen)>,
    ) -> Result<Self, InvalidField> {
        if self.body.funds_account.is_some() {
            return Err(InvalidField::new("amount.from", Rule::Excludes { other: "funds_account" }));
        }
        let part = |(account, amount)| Part { account, amount };
        let from: Vec<Part> = parts.into_iter().map(part).collect();
        let sum = from.iter().fold(0_i64, |sum, part| sum.saturating_add(part.amount.get()));
        let expected = self.body.amount.refund.get();
        if sum != expected {
            return Err(InvalidField::new("amount.from", Rule::Sum { sum, expected }));
        }
        self.body.amount.from = from;
        Ok(self)
    }

    /// The goods that come back, where the order named goods.
    #[must_use]
    pub fn goods(mut self, goods: impl IntoIterator<Item = RefundGoods>) -> Self {
        self.body.goods_detail = goods.into_iter().collect();
        self
    }

    /// The refund's number.
    #[must_use]
    pub fn out_refund_no(&self) -> &str {
        &self.body.out_refund_no
    }

    /// The query that says what became of it.
    #[must_use]
    pub fn query(&self) -> QueryRefund {
        QueryRefund::of(self.merchant.clone(), self.body.out_refund_no.clone())
    }
}

impl Call for RequestRefund {
    type Answer = Refund;

    fn method(&self) -> &'static str {
        "POST"
    }

    fn path_and_query(&self) -> String {
        PATH.to_owned()
    }

    fn body(&self) -> Option<Vec<u8>> {
        Some(wire::json(&self.body))
    }

    fn operation(&self) -> Operation {
        Operation::Refund
    }

    fn signer(&self) -> Option<&str> {
        Some(self.merchant.signer())
    }

    fn read(&self, body: &[u8]) -> Result<Refund, AnswerError> {
        Refund::read(body, &self.body.out_refund_no)
    }
}

/// Goods that come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefundGoods {
    merchant_goods_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    wechatpay_goods_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goods_name: Option<String>,
    unit_price: Fen,
    refund_amount: Fen,
    refund_quantity: u32,
}

impl RefundGoods {
    /// So many pieces of the price `unit_price`, for which `refund_amount` is refunded, both in fen.
    ///
    /// # Errors
    /// Where the id does not have 1 to 32 of `0-9 A-Z a-z _ - | *`.
    pub fn new(
        merchant_goods_id: &str,
        refund_quantity: u32,
        unit_price: Fen,
        refund_amount: Fen,
    ) -> Result<Self, InvalidField> {
        let merchant_goods_id = number("goods_detail.merchant_goods_id", merchant_goods_id, 1, 32)?;
        let (wechatpay_goods_id, goods_name) = (None, None);
        Ok(Self {
            merchant_goods_id,
            wechatpay_goods_id,
            goods_name,
            unit_price,
            refund_amount,
            refund_quantity,
        })
    }

    /// WeChat Pay's id of it, at most 32 characters.
    ///
    /// # Errors
    /// Where it is longer.
    pub fn wechatpay_goods_id(mut self, id: &str) -> Result<Self, InvalidField> {
        self.wechatpay_goods_id = Some(text("goods_detail.wechatpay_goods_id", id, 1, 32)?);
        Ok(self)
    }

    /// Its name, at most 256 characters.
    ///
    /// # Errors
    /// Where it is longer.
    pub fn goods_name(mut self, name: &str) -> Result<Self, InvalidField> {
        self.goods_name = Some(text("goods_detail.goods_name", name, 1, 256)?);
        Ok(self)
    }
}
