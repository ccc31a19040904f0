//! The notifications that have types here, for the README's table and for whoever asks. Deliberately absent: those that
//! are told by their [`super::Product`] and handed on whole, which are all others.

/// One kind of notification that has a type here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SupportedNotice {
    /// `APIv3` or `APIv2`.
    pub protocol: &'static str,
    /// What it tells.
    pub name: &'static str,
    /// The event types under which it is sent; APIv2 has none.
    pub events: &'static [&'static str],
    /// As what it is read.
    pub read_as: &'static str,
}

const fn v3(name: &'static str, events: &'static [&'static str], read_as: &'static str) -> SupportedNotice {
    SupportedNotice { protocol: "APIv3", name, events, read_as }
}

const fn v2(name: &'static str, read_as: &'static str) -> SupportedNotice {
    SupportedNotice { protocol: "APIv2", name, events: &[], read_as }
}

const PAID: &[&str] = &["TRANSACTION.SUCCESS"];

/// Every kind of notification that has a type here, in the order of the README's table, which a test holds against it.
pub const SUPPORTED_NOTICES: &[SupportedNotice] = &[
    v3("payment 支付, ordinary 普通商户", PAID, "Resource::Transaction"),
    v3("payment 支付, partner 服务商", PAID, "Resource::PartnerTransaction"),
    v3("payment 支付, combined 合单", PAID, "Resource::CombineTransaction"),
    v3("refund 退款", &["REFUND.SUCCESS", "REFUND.ABNORMAL", "REFUND.CLOSED"], "Resource::Refund"),
    v3("profit sharing 分账", &["PROFITSHARING.SUCCESS", "PROFITSHARING.RETURN"], "Resource::ProfitSharing"),
    v3(
        "transfer 商家转账",
        &["MCHTRANSFER.BILL.FINISHED", "MCHTRANSFER.QQWALLETBILL.FINISHED"],
        "Resource::TransferBill",
    ),
    v3(
        "batch of transfers 商家转账批次",
        &["MCHTRANSFER.BATCH.FINISHED", "MCHTRANSFER.BATCH.CLOSED"],
        "Resource::TransferBatch",
    ),
    v3(
        "consent to transfers 免确认收款授权",
        &["MCHTRANSFER.AUTHORIZATION.CONFIRMED", "MCHTRANSFER.AUTHORIZATION.CLOSED"],
        "Resource::TransferAuthorization",
    ),
    v3("self-test 安全验证", &["SECURITY_ECHO.SUCCESS"], "Resource::SecurityEcho"),
    v2("payment 支付", "v2::Transaction"),
    v2("refund 退款", "v2::OpenedRefund"),
];
