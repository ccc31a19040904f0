//! A refund that is asked for. Its success means *accepted*, not refunded.

use super::{Call, OrderNumber, Request, is_about};
use crate::Fen;
use crate::api::Operation;
use crate::v2::transaction::{Coupon, CouponPart};
use crate::v2::{AnswerError, Fields, VerifiedFields};

/// `POST /secapi/pay/refund`, with the client certificate. Every retry keeps `out_refund_no`: a new number refunds
/// twice. At most 50 a payment, within a year of it.
///
/// ```
/// use wechatpay::Fen;
/// use wechatpay::v2::{OrderNumber, Refund, Request};
///
/// let call = Refund {
///     order: OrderNumber::OutTradeNo("ORDER20260302A".to_owned()),
///     out_refund_no: "REFUND-1".to_owned(),
///     total_fee: Fen::new(5990)?,
///     refund_fee: Fen::new(1000)?,
///     refund_desc: None,
///     refund_account: None,
///     notify_url: None,
/// };
/// assert!(call.needs_client_certificate()); // apiclient_cert.pem and its key, in TLS
/// # Ok::<(), wechatpay::NegativeAmount>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Of which order.
    pub order: OrderNumber,
    /// The merchant's refund number, at most 64 of `0-9 A-Z a-z _ - | * @`.
    pub out_refund_no: String,
    /// The order's amount.
    pub total_fee: Fen,
    /// How much of it.
    pub refund_fee: Fen,
    /// Shown to the user; at most 80 bytes.
    pub refund_desc: Option<String>,
    /// `REFUND_SOURCE_UNSETTLED_FUNDS` (taken where absent) or `REFUND_SOURCE_RECHARGE_FUNDS`.
    pub refund_account: Option<String>,
    /// Where the notice goes, instead of the merchant platform's setting.
    pub notify_url: Option<String>,
}

impl Request for Refund {
    fn path(&self) -> &'static str {
        "/secapi/pay/refund"
    }

    fn operation(&self) -> Operation {
        Operation::Refund
    }

    fn needs_client_certificate(&self) -> bool {
        true
    }

    fn fields(&self) -> Fields {
        let mut fields = Fields::default();
        self.order.insert_into(&mut fields);
        fields.insert("out_refund_no", self.out_refund_no.as_str());
        fields.insert("total_fee", self.total_fee.to_string());
        fields.insert("refund_fee", self.refund_fee.to_string());
        fields.insert_optional("refund_desc", self.refund_desc.as_deref());
        fields.insert_optional("refund_account", self.refund_account.as_deref());
        fields.insert_optional("notify_url", self.notify_url.as_deref());
        fields
    }
}

/// A refund that was accepted; whether it succeeds, the notice or a query says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundAccepted {
    /// WeChat Pay's payment number.
    pub transaction_id: String,
    /// The merchant's order number.
    pub out_trade_no: String,
    /// The merchant's refund number.
    pub out_refund_no: String,
    /// WeChat Pay's refund number.
    pub refund_id: String,
    /// How much is refunded.
    pub refund_fee: Fen,
    /// The same without coupons that are not prepaid.
    pub settlement_refund_fee: Option<Fen>,
    /// What is refunded in cash.
    pub cash_refund_fee: Option<Fen>,
    /// The coupons that go back.
    pub coupons: Vec<Coupon>,
    /// Every field.
    pub fields: VerifiedFields,
}

impl Call for Refund {
    type Answer = RefundAccepted;

    fn read(&self, verified: VerifiedFields) -> Result<RefundAccepted, AnswerError> {
        self.order.is_of(&verified)?;
        is_about(&verified, "out_refund_no", &self.out_refund_no)?;
        let required = |name| verified.required(name).map(str::to_owned);
        Ok(RefundAccepted {
            transaction_id: required("transaction_id")?,
            out_trade_no: required("out_trade_no")?,
            out_refund_no: required("out_refund_no")?,
            refund_id: required("refund_id")?,
            refund_fee: verified.fen("refund_fee")?,
            settlement_refund_fee: verified.fen_optional("settlement_refund_fee")?,
            cash_refund_fee: verified.fen_optional("cash_refund_fee")?,
            coupons: Coupon::read_all(&verified, |part, n| match part {
                CouponPart::Type => format!("coupon_type_{n}"),
                CouponPart::Id => format!("coupon_refund_id_{n}"),
                CouponPart::Fee => format!("coupon_refund_fee_{n}"),
            })?,
            fields: verified,
        })
    }
}
