//! Refunds that are asked for, ten at a time, their fields numbered `_0`, `_1`, …

use super::{Call, Request, is_about};
use crate::api::Operation;
use crate::time::beijing;
use crate::v2::transaction::{Coupon, CouponPart};
use crate::v2::{AnswerError, FieldError, Fields, VerifiedFields};
use crate::{Fen, UnixSeconds};

/// `POST /pay/refundquery`.
///
/// ```
/// use wechatpay::v2::{RefundNumber, RefundQuery, Request};
///
/// // All refunds of an order, from the eleventh on.
/// let of = RefundNumber::OutTradeNo("ORDER20260302A".to_owned());
/// let call = RefundQuery { of, offset: Some(10) };
/// assert_eq!(call.fields().get("offset"), Some("10"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundQuery {
    /// Which refunds.
    pub of: RefundNumber,
    /// How many to pass over: an answer shows ten at most.
    pub offset: Option<u32>,
}

/// A refund's number, or an order's, which asks for all its refunds. Of more than 20, ask by the refund's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundNumber {
    /// WeChat Pay's payment number.
    TransactionId(String),
    /// The merchant's order number.
    OutTradeNo(String),
    /// The merchant's refund number.
    OutRefundNo(String),
    /// WeChat Pay's refund number.
    RefundId(String),
}

impl RefundNumber {
    fn named(&self) -> (&'static str, &str) {
        match self {
            Self::TransactionId(number) => ("transaction_id", number),
            Self::OutTradeNo(number) => ("out_trade_no", number),
            Self::OutRefundNo(number) => ("out_refund_no", number),
            Self::RefundId(number) => ("refund_id", number),
        }
    }

    /// Whether an answer is about this order, or has this refund among those that it has.
    fn is_of(&self, verified: &VerifiedFields, refunds: &[QueriedRefund]) -> Result<(), AnswerError> {
        let (field, number) = self.named();
        let is_among = match self {
            Self::TransactionId(_) | Self::OutTradeNo(_) => return is_about(verified, field, number),
            Self::OutRefundNo(_) => refunds.iter().any(|refund| refund.out_refund_no == number),
            Self::RefundId(_) => refunds.iter().any(|refund| refund.refund_id == number),
        };
        if is_among || refunds.is_empty() { Ok(()) } else { Err(AnswerError::AboutAnother { field }) }
    }
}

impl Request for RefundQuery {
    fn path(&self) -> &'static str {
        "/pay/refundquery"
    }

    fn operation(&self) -> Operation {
        Operation::Query
    }

    fn fields(&self) -> Fields {
        let mut fields = Fields::default();
        let (name, number) = self.of.named();
        fields.insert(name, number);
        fields.insert_optional("offset", self.offset.map(|offset| offset.to_string()).as_deref());
        fields
    }
}

/// The refunds of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueriedRefunds {
    /// WeChat Pay's payment number.
    pub transaction_id: String,
    /// The merchant's order number.
    pub out_trade_no: String,
    /// The order's amount; old answers leave it out.
    pub total_fee: Option<Fen>,
    /// How many refunds there are, on all pages.
    pub total_refund_count: Option<u64>,
    /// Those of this answer.
    pub refunds: Vec<QueriedRefund>,
    /// Every field.
    pub fields: VerifiedFields,
}

/// One refund.
#[derive(Clone, PartialEq, Eq)]
pub struct QueriedRefund {
    /// The merchant's refund number.
    pub out_refund_no: String,
    /// WeChat Pay's refund number.
    pub refund_id: String,
    /// How much is refunded.
    pub refund_fee: Fen,
    /// The same without coupons that are not prepaid.
    pub settlement_refund_fee: Option<Fen>,
    /// `SUCCESS`, `REFUNDCLOSE` (APIv3: `CLOSED`), `PROCESSING`, `CHANGE` (APIv3: `ABNORMAL`); an open list.
    pub refund_status: String,
    /// `ORIGINAL`, `BALANCE`, `OTHER_BALANCE`, `OTHER_BANKCARD`; an open list.
    pub refund_channel: Option<String>,
    /// As in the request for it.
    pub refund_account: Option<String>,
    /// Where it went, Chinese. Personal. WeChat Pay spells the field `refund_recv_accout`.
    pub refund_recv_account: Option<String>,
    /// `yyyy-MM-dd HH:mm:ss`, Beijing time. See [`QueriedRefund::refunded_at`].
    pub refund_success_time: Option<String>,
    /// The coupons that go back.
    pub coupons: Vec<Coupon>,
}

impl QueriedRefund {
    fn read(fields: &Fields, n: u64) -> Result<Self, FieldError> {
        let required = |name: &str| fields.required(&format!("{name}_{n}")).map(str::to_owned);
        let optional = |name: &str| fields.owned(&format!("{name}_{n}"));
        Ok(Self {
            out_refund_no: required("out_refund_no")?,
            refund_id: required("refund_id")?,
            refund_fee: fields.fen(&format!("refund_fee_{n}"))?,
            settlement_refund_fee: fields.fen_optional(&format!("settlement_refund_fee_{n}"))?,
            refund_status: required("refund_status")?,
            refund_channel: optional("refund_channel"),
            refund_account: optional("refund_account"),
            refund_recv_account: optional("refund_recv_accout").or_else(|| optional("refund_recv_account")),
            refund_success_time: optional("refund_success_time"),
            coupons: Coupon::read_all(fields, |part, m| match part {
                CouponPart::Type => format!("coupon_type_{n}_{m}"),
                CouponPart::Id => format!("coupon_refund_id_{n}_{m}"),
                CouponPart::Fee => format!("coupon_refund_fee_{n}_{m}"),
            })?,
        })
    }

    /// When it reached the user; `None` where it is not said, or not as a time.
    #[must_use]
    pub fn refunded_at(&self) -> Option<UnixSeconds> {
        beijing(self.refund_success_time.as_deref()?)
    }
}

impl std::fmt::Debug for QueriedRefund {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QueriedRefund")
            .field("out_refund_no", &self.out_refund_no)
            .field("refund_id", &self.refund_id)
            .field("refund_fee", &self.refund_fee)
            .field("refund_status", &self.refund_status)
            .finish_non_exhaustive()
    }
}

impl Call for RefundQuery {
    type Answer = QueriedRefunds;

    fn read(&self, verified: VerifiedFields) -> Result<QueriedRefunds, AnswerError> {
        let refund_count = verified
            .count_optional("refund_count")?
            .ok_or_else(|| FieldError::Missing { field: "refund_count".to_owned() })?;
        // A count beyond the fields ends at the first that is missing.
        let refunds = (0..refund_count).map(|n| QueriedRefund::read(&verified, n));
        let refunds = refunds.collect::<Result<Vec<_>, _>>()?;
        self.of.is_of(&verified, &refunds)?;
        Ok(QueriedRefunds {
            transaction_id: verified.required("transaction_id")?.to_owned(),
            out_trade_no: verified.required("out_trade_no")?.to_owned(),
            total_fee: verified.fen_optional("total_fee")?,
            total_refund_count: verified.count_optional("total_refund_count")?,
            refunds,
            fields: verified,
        })
    }
}
