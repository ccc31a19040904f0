//! The calls that are here, for the README's tables and for whoever asks. Deliberately absent: endpoints that only
//! [`super::AnyCall`] reaches, and notifications, which are [`crate::SUPPORTED_NOTICES`].

/// One call that has types here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Supported {
    /// What it does, under the chapter of WeChat Pay's documentation that it belongs to.
    pub name: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// Path and query; `{name}` is a value, `{a,b}` one of several words, `[…]` may be left out.
    pub path: &'static str,
    /// For whom.
    pub mode: Mode,
    /// The chapter of WeChat Pay's documentation.
    pub section: &'static str,
}

/// For whom a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// Merchants of their own.
    Ordinary,
    /// Service providers, for a sub-merchant.
    Partner,
    /// Both.
    Both,
}

const fn row(
    section: &'static str,
    name: &'static str,
    mode: Mode,
    method: &'static str,
    path: &'static str,
) -> Supported {
    Supported { name, method, path, mode, section }
}

const PAY: &str = "Payment 基础支付";
const REFUND: &str = "Refund 退款";
const COMBINE: &str = "Combine 合单支付";
const BILL: &str = "Bill 账单";
const SECURITY: &str = "Security 安全";
const MINI_PROGRAM: &str = "Mini Program 小程序";

/// Every call that has types here, in the order of the README's table, which a test holds against it.
pub const SUPPORTED: &[Supported] = &[
    row(PAY, "`NewOrder`", Mode::Ordinary, "POST", "/v3/pay/transactions/{jsapi,app,h5,native}"),
    row(PAY, "`NewOrder`", Mode::Partner, "POST", "/v3/pay/partner/transactions/{jsapi,app,h5,native}"),
    row(
        PAY,
        "`QueryOrder`",
        Mode::Ordinary,
        "GET",
        "/v3/pay/transactions/{out-trade-no,id}/{number}?mchid={mchid}",
    ),
    row(
        PAY,
        "`QueryOrder`",
        Mode::Partner,
        "GET",
        "/v3/pay/partner/transactions/{out-trade-no,id}/{number}?sp_mchid={sp_mchid}&sub_mchid={sub_mchid}",
    ),
    row(
        PAY,
        "`CloseOrder`",
        Mode::Ordinary,
        "POST",
        "/v3/pay/transactions/out-trade-no/{out_trade_no}/close",
    ),
    row(
        PAY,
        "`CloseOrder`",
        Mode::Partner,
        "POST",
        "/v3/pay/partner/transactions/out-trade-no/{out_trade_no}/close",
    ),
    row(REFUND, "`RequestRefund`", Mode::Both, "POST", "/v3/refund/domestic/refunds"),
    row(
        REFUND,
        "`QueryRefund`",
        Mode::Both,
        "GET",
        "/v3/refund/domestic/refunds/{out_refund_no}[?sub_mchid={sub_mchid}]",
    ),
    row(
        REFUND,
        "`AbnormalRefund`",
        Mode::Both,
        "POST",
        "/v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund",
    ),
    row(COMBINE, "`NewCombine`", Mode::Both, "POST", "/v3/combine-transactions/{jsapi,app,h5,native}"),
    row(COMBINE, "`QueryCombine`", Mode::Both, "GET", "/v3/combine-transactions/{out-trade-no,id}/{number}"),
    row(
        COMBINE,
        "`CloseCombine`",
        Mode::Both,
        "POST",
        "/v3/combine-transactions/out-trade-no/{combine_out_trade_no}/close",
    ),
    row(BILL, "`TradeBill`", Mode::Both, "GET", "/v3/bill/tradebill?bill_date={day}[&…]"),
    row(BILL, "`FundFlowBill`", Mode::Both, "GET", "/v3/bill/fundflowbill?bill_date={day}[&…]"),
    row(BILL, "`DownloadFile`", Mode::Both, "GET", "{download_url}"),
    row(SECURITY, "`ListCertificates`", Mode::Both, "GET", "/v3/certificates[?algorithm_type={RSA,SM2,ALL}]"),
    row(SECURITY, "`Echo`", Mode::Both, "POST", "/v3/security/echo"),
    row(MINI_PROGRAM, "`Code2Session`", Mode::Both, "GET", "/sns/jscode2session?appid={appid}&…"),
];

/// One call of APIv2 that has types in [`crate::v2`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SupportedV2 {
    /// The type of it.
    pub name: &'static str,
    /// What it does, in the words of WeChat Pay's documentation.
    pub title: &'static str,
    /// Where it is posted to.
    pub path: &'static str,
    /// Whether WeChat Pay asks for the merchant's TLS client certificate.
    pub client_certificate: bool,
}

const fn v2(name: &'static str, title: &'static str, path: &'static str) -> SupportedV2 {
    SupportedV2 { name, title, path, client_certificate: false }
}

/// Every call of APIv2 that has types here, for merchants of their own and for service providers.
pub const SUPPORTED_V2: &[SupportedV2] = &[
    v2("UnifiedOrder", "place 统一下单", "/pay/unifiedorder"),
    v2("OrderQuery", "query 查询订单", "/pay/orderquery"),
    v2("CloseOrder", "close 关闭订单", "/pay/closeorder"),
    SupportedV2 { client_certificate: true, ..v2("Refund", "refund 申请退款", "/secapi/pay/refund") },
    v2("RefundQuery", "query of refunds 查询退款", "/pay/refundquery"),
    v2("DownloadBill", "bill 下载交易账单", "/pay/downloadbill"),
];
