//! The JSON of a refund in APIv3: as an answer, and inside a notice, where fields have other names.

use serde::Serialize;
use wechatpay::UnixSeconds;

use super::fee::fee_back_fen;
use super::{Destination, FundsAccount, Refund, RefundFrom, RefundStatus};
use crate::books::Seller;
use crate::calendar;

/// What WeChat calls the banks that are in `bank_type`.
const BANKS: [(&str, &str); 15] = [
    ("CMB", "招商银行"),
    ("COMM", "交通银行"),
    ("ABC", "农业银行"),
    ("CCB", "建设银行"),
    ("ICBC", "工商银行"),
    ("BOC", "中国银行"),
    ("PAB", "平安银行"),
    ("SPDB", "浦发银行"),
    ("CITIC", "中信银行"),
    ("CEB", "光大银行"),
    ("CMBC", "民生银行"),
    ("CIB", "兴业银行"),
    ("GDB", "广发银行"),
    ("PSBC", "邮储银行"),
    ("NBCB", "宁波银行"),
];

/// A refund at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RefundStatement<'a> {
    refund: &'a Refund,
    at: UnixSeconds,
}

#[derive(Serialize)]
struct Answer<'a> {
    refund_id: &'a str,
    out_refund_no: &'a str,
    transaction_id: &'a str,
    out_trade_no: &'a str,
    channel: &'static str,
    user_received_account: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    success_time: Option<String>,
    create_time: String,
    status: RefundStatus,
    funds_account: FundsAccount,
    amount: Amount<'a>,
}

#[derive(Serialize)]
struct Amount<'a> {
    total: i64,
    refund: i64,
    #[serde(skip_serializing_if = "<[RefundFrom]>::is_empty")]
    from: &'a [RefundFrom],
    payer_total: i64,
    payer_refund: i64,
    settlement_refund: i64,
    settlement_total: i64,
    discount_refund: i64,
    currency: &'static str,
    refund_fee: i64,
}

#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    seller: SellerNumbers<'a>,
    out_trade_no: &'a str,
    transaction_id: &'a str,
    out_refund_no: &'a str,
    refund_id: &'a str,
    refund_status: RefundStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    success_time: Option<String>,
    user_received_account: String,
    amount: ToldAmount,
}

#[derive(Serialize)]
#[serde(untagged)]
enum SellerNumbers<'a> {
    Ordinary { mchid: &'a str },
    Partner { sp_mchid: &'a str, sub_mchid: &'a str },
}

#[derive(Serialize)]
struct ToldAmount {
    total: i64,
    refund: i64,
    payer_total: i64,
    payer_refund: i64,
}

impl<'a> RefundStatement<'a> {
    pub(crate) fn of(refund: &'a Refund, at: UnixSeconds) -> Self {
        Self { refund, at }
    }

    /// As an answer says it.
    pub(crate) fn to_json(self) -> String {
        let Refund { payment, terms, .. } = self.refund;
        let (total, refund) = (payment.amount_fen, terms.refund_fen);
        let answer = Answer {
            refund_id: &self.refund.refund_id,
            out_refund_no: &terms.out_refund_no,
            transaction_id: &payment.transaction_id,
            out_trade_no: &payment.out_trade_no,
            channel: self.channel(),
            user_received_account: self.received_account(),
            success_time: self.success_time(),
            create_time: calendar::rfc3339(self.refund.created_at),
            status: self.refund.status(self.at),
            funds_account: terms.funds_account.unwrap_or(FundsAccount::Unsettled),
            amount: Amount {
                total,
                refund,
                from: &terms.from,
                payer_total: total,
                payer_refund: refund,
                settlement_refund: refund,
                settlement_total: total,
                discount_refund: 0,
                currency: "CNY",
                refund_fee: self.fee_back_fen(),
            },
        };
        serde_json::to_string(&answer).expect("BUG: structs of texts and integers always serialise")
    }

    /// As a notice says it.
    pub(crate) fn to_notice_json(self) -> String {
        let Refund { payment, terms, .. } = self.refund;
        let told = Told {
            seller: match &payment.seller {
                Seller::Ordinary { mchid, .. } => SellerNumbers::Ordinary { mchid },
                Seller::Partner { sp_mchid, sub_mchid, .. } => SellerNumbers::Partner { sp_mchid, sub_mchid },
            },
            out_trade_no: &payment.out_trade_no,
            transaction_id: &payment.transaction_id,
            out_refund_no: &terms.out_refund_no,
            refund_id: &self.refund.refund_id,
            refund_status: self.refund.status(self.at),
            success_time: self.success_time(),
            user_received_account: self.received_account(),
            amount: ToldAmount {
                total: payment.amount_fen,
                refund: terms.refund_fen,
                payer_total: payment.amount_fen,
                payer_refund: terms.refund_fen,
            },
        };
        serde_json::to_string(&told).expect("BUG: structs of texts and integers always serialise")
    }

    /// `channel`.
    pub(crate) fn channel(self) -> &'static str {
        if self.refund.detour.is_some() { "OTHER_BANKCARD" } else { "ORIGINAL" }
    }

    /// `user_received_account`.
    pub(crate) fn received_account(self) -> String {
        match &self.refund.detour {
            Some(Destination::MerchantCard) => "商户基本账户".to_owned(),
            Some(Destination::UserCard { bank_type }) => card(bank_type),
            None => card(&self.refund.payment.bank_type),
        }
    }

    /// What of WeChat's fee the merchant gets back, in fen.
    pub(crate) fn fee_back_fen(self) -> i64 {
        let Refund { payment, terms, before_fen, .. } = self.refund;
        fee_back_fen(payment.amount_fen, *before_fen, terms.refund_fen)
    }

    fn success_time(self) -> Option<String> {
        self.refund.succeeded_at(self.at).map(calendar::rfc3339)
    }
}

/// A bank's name, the kind of card, and its last four digits, which are the same for everybody here.
fn card(bank_type: &str) -> String {
    let (bank, kind) = bank_type.rsplit_once('_').unwrap_or((bank_type, ""));
    let bank = BANKS.iter().find(|(code, _)| *code == bank);
    match (bank, kind) {
        (Some((_, name)), "CREDIT") => format!("{name}信用卡0403"),
        (Some((_, name)), _) => format!("{name}借记卡0403"),
        (None, _) => "支付用户零钱".to_owned(),
    }
}
