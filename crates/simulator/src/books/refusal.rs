//! What WeChat would not do, and in which words it says so.
//!
//! Invariant: one table has all of it; whoever adds a refusal adds its row. Where WeChat's own pages leave a status or a
//! number open, the row has the one that clients can branch on, and no number is made up. Deliberately absent: malformed
//! requests, which are judged before the books are opened ([`crate::api`]).

/// A rule of business that a request breaks. It changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}: {}", self.says().code, self.says().message)]
#[non_exhaustive]
pub enum Refusal {
    /// The appid is not bound to the merchant.
    AppidMchidNotMatch,
    /// There is no merchant of this number.
    MchNotExists,
    /// This kind of merchant does not sell this way.
    ProductNotOpened,
    /// The provider named itself as the sub-merchant.
    SubMchidIsOwn,
    /// The sub-merchant has not accepted the provider.
    NotAccepted,
    /// The sub-merchant's appid is not bound to it.
    SubAppidNotMatch,
    /// The openid is another app's.
    OpenidMismatch,
    /// The openid is not the sub-merchant's app's.
    SubOpenidMismatch,
    /// Placed again with other parameters.
    ReentryDiffers,
    /// Placed again in another way of paying.
    OutTradeNoUsed,
    /// Placed again, or to be paid again, after it was paid.
    PaidAlready,
    /// To be closed after it was paid.
    OrderPaid,
    /// Placed again, or to be paid, after it was closed.
    OrderClosed,
    /// Placed again, or to be paid, after its `time_expire`.
    OrderExpired,
    /// This merchant has no such order.
    OrderNotExist,
    /// The order is another merchant's.
    MchidNotMatchOrder,
    /// The order is another sub-merchant's.
    SubMchidNotMatchOrder,
    /// No number of WeChat's looks like this.
    TransactionIdMalformed,
    /// The order of a refund does not exist, or nobody paid it.
    NothingToRefund,
    /// The sub-merchant is not named.
    SubMchidMissing,
    /// The order was paid more than a year ago.
    TradeOverdue,
    /// The merchant takes the order's price for another.
    TotalDiffers,
    /// All of the order went back.
    RefundedAlready,
    /// Not so much of the order is left.
    RefundTooLarge,
    /// An order has fifty refunds at most.
    TooManyRefunds,
    /// The merchant has too little money.
    NotEnough,
    /// Asked for again under the same number with other amounts.
    RefundFeeMismatch,
    /// The merchant has no such refund.
    RefundNotExist,
    /// The refund's state does not allow it.
    RefundStateWrong,
    /// A combined order is to be closed with other parts than it has.
    PartsDiffer,
    /// A combined order is placed again with another settlement.
    SettlementDiffers,
    /// The day of a bill is not over.
    BillDayNotOver,
    /// The day of a bill is more than three months ago.
    BillTooOld,
    /// The bill is not there yet.
    StatementCreating,
    /// Nothing happened that day.
    NoStatement,
    /// The download was not offered, or too long ago.
    BillTokenUnknown,
    /// The download was offered to another merchant.
    BillOfAnother,
    /// Another merchant's certificate was shown.
    CertificateOfAnother,
    /// The merchant asks too often.
    TooFast,
    /// Two refunds of an order follow too close upon each other.
    RefundsTooClose,
    /// Another user than the one whom the order names wants to pay.
    OtherPayer,
}

/// A refusal in WeChat's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// APIv3: the HTTP status.
    pub status: u16,
    /// APIv3: `code`.
    pub code: &'static str,
    /// APIv2: `err_code`.
    pub err_code: &'static str,
    /// The digits at the end of `Request-ID`, where WeChat publishes them.
    pub number: Option<u32>,
    /// `message`, `err_code_des`.
    pub message: &'static str,
}

const fn row(
    status: u16,
    code: &'static str,
    err_code: &'static str,
    number: Option<u32>,
    message: &'static str,
) -> Said {
    Said { status, code, err_code, number, message }
}

impl Refusal {
    /// Its row of the table.
    #[must_use]
    #[rustfmt::skip]
    pub const fn says(self) -> Said {
        match self {
            Self::AppidMchidNotMatch => row(400, "APPID_MCHID_NOT_MATCH", "APPID_MCHID_NOT_MATCH", Some(268_445_527), "appid和mch_id不匹配"),
            Self::MchNotExists => row(400, "MCH_NOT_EXISTS", "MCHID_NOT_EXIST", None, "商户号不存在"),
            Self::ProductNotOpened => row(403, "NO_AUTH", "NOAUTH", None, "商户号该产品权限未开通"),
            Self::SubMchidIsOwn => row(400, "INVALID_REQUEST", "INVALID_REQUEST", Some(268_443_705), "子商户mchid不能与自身mchid相同"),
            Self::NotAccepted => row(403, "NO_AUTH", "NOAUTH", Some(268_443_701), "受理关系不存在"),
            Self::SubAppidNotMatch => row(400, "APPID_MCHID_NOT_MATCH", "APPID_MCHID_NOT_MATCH", None, "sub_mch_id与sub_appid不匹配"),
            Self::OpenidMismatch => row(500, "OPENID_MISMATCH", "PARAM_ERROR", None, "appid与openid不匹配"),
            Self::SubOpenidMismatch => row(500, "OPENID_MISMATCH", "PARAM_ERROR", None, "sub_appid和sub_openid不匹配"),
            Self::ReentryDiffers => row(400, "INVALID_REQUEST", "INVALID_REQUEST", Some(268_498_688), "请求重入时，参数与首次请求时不一致"),
            Self::OutTradeNoUsed => row(403, "OUT_TRADE_NO_USED", "OUT_TRADE_NO_USED", Some(268_498_688), "商户订单号重复"),
            Self::PaidAlready => row(400, "ORDER_PAID", "ORDERPAID", Some(268_498_689), "该订单已支付"),
            Self::OrderPaid => row(400, "ORDER_PAID", "ORDERPAID", Some(268_449_538), "订单已支付"),
            Self::OrderClosed => row(400, "ORDER_CLOSED", "ORDERCLOSED", Some(268_447_914), "订单已关闭"),
            Self::OrderExpired => row(400, "INVALID_REQUEST", "INVALID_REQUEST", Some(268_447_914), "该订单已失效"),
            Self::OrderNotExist => row(404, "ORDER_NOT_EXIST", "ORDERNOTEXIST", Some(268_512_771), "订单不存在"),
            Self::MchidNotMatchOrder => row(400, "INVALID_REQUEST", "INVALID_REQUEST", Some(268_447_843), "商户号和订单不匹配"),
            Self::SubMchidNotMatchOrder => row(400, "INVALID_REQUEST", "INVALID_REQUEST", Some(268_447_845), "子商户号和订单信息不匹配"),
            Self::TransactionIdMalformed => row(500, "INVALID_TRANSACTIONID", "INVALID_TRANSACTIONID", None, "订单号非法"),
            Self::NothingToRefund => row(404, "RESOURCE_NOT_EXISTS", "ORDERNOTEXIST", Some(268_512_771), "订单不存在"),
            Self::SubMchidMissing => row(400, "PARAM_ERROR", "PARAM_ERROR", Some(268_443_704), "受理机构必须传入sub_mch_id"),
            Self::TradeOverdue => row(403, "TRADE_OVERDUE", "TRADE_OVERDUE", None, "订单已经超过可退款的最大期限"),
            Self::TotalDiffers => row(400, "INVALID_REQUEST", "INVALID_REQUEST", None, "您的请求参数与订单信息不一致"),
            Self::RefundedAlready => row(400, "INVALID_REQUEST", "ERROR", None, "订单已全额退款"),
            Self::RefundTooLarge => row(400, "INVALID_REQUEST", "ERROR", None, "累计退款金额大于支付金额"),
            Self::TooManyRefunds => row(400, "INVALID_REQUEST", "ERROR", None, "订单部分退款次数超过50次"),
            Self::NotEnough => row(403, "NOT_ENOUGH", "NOTENOUGH", None, "基本账户余额不足，请充值后重新发起"),
            Self::RefundFeeMismatch => row(400, "REFUND_FEE_MISMATCH", "REFUND_FEE_MISMATCH", None, "订单金额或退款金额与之前请求不一致，请核实后再试"),
            Self::RefundNotExist => row(404, "RESOURCE_NOT_EXISTS", "REFUNDNOTEXIST", None, "退款单不存在"),
            Self::RefundStateWrong => row(400, "INVALID_REQUEST", "INVALID_REQUEST", None, "退款单状态不允许该操作"),
            Self::PartsDiffer => row(400, "INVALID_REQUEST", "INVALID_REQUEST", None, "子单信息与下单时不一致"),
            Self::SettlementDiffers => row(400, "INVALID_REQUEST", "INVALID_REQUEST", None, "重复下单且结算信息不一致"),
            Self::BillDayNotOver => row(400, "INVALID_REQUEST", "PARAM_ERROR", None, "账单日期错误，仅支持查询昨天及以前的账单"),
            Self::BillTooOld => row(400, "INVALID_REQUEST", "PARAM_ERROR", None, "账单日期错误，仅支持查询三个月内的账单"),
            Self::StatementCreating => row(400, "STATEMENT_CREATING", "STATEMENT_CREATING", None, "账单生成中，请稍后再试"),
            Self::NoStatement => row(400, "NO_STATEMENT_EXIST", "NO_STATEMENT_EXIST", None, "账单文件不存在"),
            Self::BillTokenUnknown => row(400, "INVALID_REQUEST", "INVALID_REQUEST", None, "账单下载地址无效或已过期，请重新申请"),
            Self::BillOfAnother => row(403, "NO_AUTH", "NOAUTH", None, "无权下载该账单"),
            Self::CertificateOfAnother => row(401, "SIGN_ERROR", "CERT_ERROR", None, "证书校验错误"),
            Self::TooFast => row(429, "FREQUENCY_LIMITED", "FREQUENCY_LIMITED", Some(268_447_840), "请求频率超过限制"),
            Self::RefundsTooClose => row(429, "FREQUENCY_LIMITED", "FREQUENCY_LIMITED", Some(268_447_840), "同一笔订单的多笔部分退款需间隔1分钟"),
            Self::OtherPayer => row(403, "TRADE_ERROR", "TRADE_ERROR", None, "下单账号与支付账号不一致"),
        }
    }
}
