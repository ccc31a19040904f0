//! Asking for a combined order, and closing it. Deliberately absent: asking for one sub-order alone, which
//! WeChat Pay does not offer.

use serde::Serialize;

use super::{CombineOrder, PATH, combine_number};
use crate::answer::AnswerError;
use crate::api::field::{InvalidField, appid, count, known_number, mchid};
use crate::api::wire::Target;
use crate::api::{Call, Operation, wire};

/// What became of a combined order: `GET /v3/combine-transactions/out-trade-no/{combine_out_trade_no}` or
/// `…/id/{combine_transaction_id}`.
///
/// ```
/// use wechatpay::api::{Call, QueryCombine};
///
/// let call = QueryCombine::new("WHOLE-1")?;
/// assert_eq!(call.path_and_query(), "/v3/combine-transactions/out-trade-no/WHOLE-1");
///
/// let order = call.read(
///     br#"{"combine_appid":"wx0123456789abcdef","combine_mchid":"1900000001","combine_out_trade_no":"WHOLE-1",
///     "sub_orders":[
///         {"mchid":"1900000109","out_trade_no":"PART-1","trade_state":"SUCCESS","transaction_id":"42",
///          "amount":{"total_amount":1000,"currency":"CNY"}},
///         {"mchid":"1900000109","out_trade_no":"PART-2","trade_state":"NOTPAY"}]}"#,
/// )?;
/// // Each sub-order is an order of its merchant's, and is refunded as one.
/// let payments = order.payments()?;
/// assert_eq!((payments.len(), payments[0].out_trade_no, payments[0].total.get()), (1, "PART-1", 1000));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct QueryCombine(Number);

#[derive(Clone, Debug)]
enum Number {
    Merchants(String),
    WechatPays(String),
}

impl QueryCombine {
    /// The combined order with this number. The merchant that placed it signs.
    ///
    /// # Errors
    /// Where the number does not have 2 to 32 of `0-9 A-Z a-z _ - | * @`.
    pub fn new(combine_out_trade_no: &str) -> Result<Self, InvalidField> {
        Ok(Self(Number::Merchants(combine_number(combine_out_trade_no)?)))
    }

    /// The combined order with this number of WeChat Pay's, which only a paid one has.
    ///
    /// # Errors
    /// Where the number does not have 1 to 32 of the same characters.
    pub fn by_transaction_id(combine_transaction_id: &str) -> Result<Self, InvalidField> {
        let number = known_number("combine_transaction_id", combine_transaction_id, 32)?;
        Ok(Self(Number::WechatPays(number)))
    }
}

impl Call for QueryCombine {
    type Answer = CombineOrder;

    fn method(&self) -> &'static str {
        "GET"
    }

    fn path_and_query(&self) -> String {
        let target = Target::new(PATH);
        match &self.0 {
            Number::Merchants(number) => target.then("/out-trade-no").segment(number),
            Number::WechatPays(number) => target.then("/id").segment(number),
        }
        .finish()
    }

    fn operation(&self) -> Operation {
        Operation::Query
    }

    fn read(&self, body: &[u8]) -> Result<CombineOrder, AnswerError> {
        let order: CombineOrder = wire::read(body)?;
        let (field, is_same) = match &self.0 {
            Number::Merchants(number) => ("combine_out_trade_no", order.combine_out_trade_no == *number),
            Number::WechatPays(number) => {
                ("combine_transaction_id", order.combine_transaction_id.as_ref() == Some(number))
            }
        };
        if is_same { Ok(order) } else { Err(AnswerError::AboutAnother { field }) }
    }
}

/// Closes a combined order: `POST /v3/combine-transactions/out-trade-no/{combine_out_trade_no}/close`. It names exactly
/// the sub-orders of the prepay. Answered 204.
///
/// ```
/// use wechatpay::api::{Call, CloseCombine, ClosedSubOrder};
///
/// let parts = [ClosedSubOrder::new("1900000109", "PART-1")?, ClosedSubOrder::new("1900000109", "PART-2")?];
/// let call = CloseCombine::new("wx0123456789abcdef", "WHOLE-1", parts)?;
/// assert_eq!(call.path_and_query(), "/v3/combine-transactions/out-trade-no/WHOLE-1/close");
/// # Ok::<(), wechatpay::api::InvalidField>(())
/// ```
#[derive(Clone, Debug)]
pub struct CloseCombine {
    combine_out_trade_no: String,
    body: Body,
}

#[derive(Clone, Debug, Serialize)]
struct Body {
    combine_appid: String,
    sub_orders: Vec<ClosedSubOrder>,
}

/// A sub-order that is closed with its whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClosedSubOrder {
    mchid: String,
    out_trade_no: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_appid: Option<String>,
}

impl ClosedSubOrder {
    /// The order of this merchant with this number.
    ///
    /// # Errors
    /// Where one is malformed.
    pub fn new(mchid: &str, out_trade_no: &str) -> Result<Self, InvalidField> {
        let mchid = self::mchid("sub_orders.mchid", mchid)?;
        let out_trade_no = known_number("sub_orders.out_trade_no", out_trade_no, 32)?;
        Ok(Self { mchid, out_trade_no, sub_mchid: None, sub_appid: None })
    }

    /// In partner mode: the sub-merchant, and its appid if the prepay named it.
    ///
    /// # Errors
    /// Where one is malformed.
    pub fn partner(mut self, sub_mchid: &str, sub_appid: Option<&str>) -> Result<Self, InvalidField> {
        self.sub_mchid = Some(mchid("sub_orders.sub_mchid", sub_mchid)?);
        self.sub_appid = sub_appid.map(|id| appid("sub_orders.sub_appid", id)).transpose()?;
        Ok(self)
    }
}

impl CloseCombine {
    /// The combined order with this number, placed in the app `combine_appid`. The merchant that placed it signs.
    ///
    /// # Errors
    /// Where one is malformed, or there are no sub-orders, or more than 50.
    pub fn new(
        combine_appid: &str,
        combine_out_trade_no: &str,
        sub_orders: impl IntoIterator<Item = ClosedSubOrder>,
    ) -> Result<Self, InvalidField> {
        let sub_orders: Vec<ClosedSubOrder> = sub_orders.into_iter().collect();
        count("sub_orders", sub_orders.len(), 1, 50)?;
        let body = Body { combine_appid: appid("combine_appid", combine_appid)?, sub_orders };
        Ok(Self { combine_out_trade_no: combine_number(combine_out_trade_no)?, body })
    }
}

impl Call for CloseCombine {
    type Answer = ();

    fn method(&self) -> &'static str {
        "POST"
    }

    fn path_and_query(&self) -> String {
        let target = Target::new(PATH).then("/out-trade-no").segment(&self.combine_out_trade_no);
        target.then("/close").finish()
    }

    fn body(&self) -> Option<Vec<u8>> {
        Some(wire::json(&self.body))
    }

    fn operation(&self) -> Operation {
        Operation::Close
    }

    fn read(&self, _: &[u8]) -> Result<(), AnswerError> {
        Ok(())
    }
}
