//! Asking for an order, and closing it.
//!
//! Invariant: an answer about another order than was asked for is refused, as a signature does not bind an answer to
//! its request. Deliberately absent: combined orders, which have calls of their own.

mod answer;
mod promotion;
mod state;

use serde::Serialize;

pub use answer::{Order, OrderAmount, OrderPayer, Seller};
pub use promotion::{Promotion, PromotionGoods};
pub use state::TradeState;

use super::field::{InvalidField, known_number};
use super::wire::Target;
use super::{Call, Merchant, Operation, wire};
use crate::answer::AnswerError;

/// By which number an order is named.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "snake_case")]
pub enum OrderNumber {
    /// The merchant's.
    OutTradeNo(String),
    /// WeChat Pay's, which only a paid order has.
    TransactionId(String),
}

impl OrderNumber {
    /// The merchant's own number. Shorter ones than a prepay takes are let through, as older orders have them.
    ///
    /// # Errors
    /// Where it does not have 1 to 32 of `0-9 A-Z a-z _ - | * @`.
    pub fn out_trade_no(number: &str) -> Result<Self, InvalidField> {
        Ok(Self::OutTradeNo(known_number("out_trade_no", number, 32)?))
    }

    /// WeChat Pay's number.
    ///
    /// # Errors
    /// Where it does not have 1 to 32 of the same characters.
    pub fn transaction_id(number: &str) -> Result<Self, InvalidField> {
        Ok(Self::TransactionId(known_number("transaction_id", number, 32)?))
    }
}

/// What became of an order: `GET …/out-trade-no/{out_trade_no}` or `…/id/{transaction_id}`. There is no limit of age.
///
/// ```
/// use wechatpay::api::{Call, Merchant, OrderNumber, QueryOrder};
///
/// let merchant = Merchant::ordinary("1900000001")?;
/// let call = QueryOrder::new(merchant, OrderNumber::out_trade_no("ORDER|2026")?);
/// let path = "/v3/pay/transactions/out-trade-no/ORDER%7C2026?mchid=1900000001";
/// assert_eq!(call.path_and_query(), path); // signed and sent just so
/// # Ok::<(), wechatpay::api::InvalidField>(())
/// ```
#[derive(Clone, Debug)]
pub struct QueryOrder {
    merchant: Merchant,
    number: OrderNumber,
}

impl QueryOrder {
    /// The order of this merchant with this number.
    #[must_use]
    pub fn new(merchant: Merchant, number: OrderNumber) -> Self {
        Self { merchant, number }
    }
}

impl Call for QueryOrder {
    type Answer = Order;

    fn method(&self) -> &'static str {
        "GET"
    }

    fn path_and_query(&self) -> String {
        let target = Target::new(self.merchant.transactions());
        let target = match &self.number {
            OrderNumber::OutTradeNo(number) => target.then("/out-trade-no").segment(number),
            OrderNumber::TransactionId(number) => target.then("/id").segment(number),
        };
        self.merchant.query(target).finish()
    }

    fn operation(&self) -> Operation {
        Operation::Query
    }

    fn signer(&self) -> Option<&str> {
        Some(self.merchant.signer())
    }

    fn read(&self, body: &[u8]) -> Result<Order, AnswerError> {
        let order: Order = wire::read(body)?;
        let (field, is_same) = match &self.number {
            OrderNumber::OutTradeNo(number) => ("out_trade_no", order.out_trade_no == *number),
            OrderNumber::TransactionId(number) => {
                ("transaction_id", order.transaction_id.as_deref() == Some(number))
            }
        };
        if !order.seller.is(&self.merchant) {
            return Err(AnswerError::AboutAnother { field: "mchid" });
        }
        if is_same { Ok(order) } else { Err(AnswerError::AboutAnother { field }) }
    }
}

/// Closes an unpaid order, so that its number can never be paid: `POST …/out-trade-no/{out_trade_no}/close`. Answered
/// 204, again and again; a paid order is refused with `ORDER_PAID`. Closing may lose the race against a payment: only
/// a query tells.
///
/// ```
/// use wechatpay::api::{Call, CloseOrder, Merchant};
///
/// let call = CloseOrder::new(Merchant::ordinary("1900000001")?, "ORDER20260302A")?;
/// assert_eq!(call.path_and_query(), "/v3/pay/transactions/out-trade-no/ORDER20260302A/close");
/// assert_eq!(call.body().as_deref(), Some(&br#"{"mchid":"1900000001"}"#[..]));
/// # Ok::<(), wechatpay::api::InvalidField>(())
/// ```
#[derive(Clone, Debug)]
pub struct CloseOrder {
    merchant: Merchant,
    out_trade_no: String,
}

impl CloseOrder {
    /// The order of this merchant with its own number.
    ///
    /// # Errors
    /// Where the number does not have 1 to 32 of `0-9 A-Z a-z _ - | * @`.
    pub fn new(merchant: Merchant, out_trade_no: &str) -> Result<Self, InvalidField> {
        Ok(Self { merchant, out_trade_no: known_number("out_trade_no", out_trade_no, 32)? })
    }
}

impl Call for CloseOrder {
    type Answer = ();

    fn method(&self) -> &'static str {
        "POST"
    }

    fn path_and_query(&self) -> String {
        let target = Target::new(self.merchant.transactions()).then("/out-trade-no");
        target.segment(&self.out_trade_no).then("/close").finish()
    }

    fn body(&self) -> Option<Vec<u8>> {
        Some(wire::json(&self.merchant))
    }

    fn operation(&self) -> Operation {
        Operation::Close
    }

    fn signer(&self) -> Option<&str> {
        Some(self.merchant.signer())
    }

    fn read(&self, _: &[u8]) -> Result<(), AnswerError> {
        Ok(())
    }
}
