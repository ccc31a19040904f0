//! What a row of a trade bill says.
//!
//! Invariant: what names the payer is not shown by `Debug`. Deliberately absent: lists that are closed: WeChat Pay adds
//! trade types, banks and states.

use std::borrow::Cow;

use super::amount::Fee;
use super::row::Row;
use crate::resource::debug_shows;
use crate::{Fen, UnixSeconds};

/// A row of a trade bill: a payment, a refund or a reversal. Texts that the merchant gave have their escapes undone.
#[derive(Clone)]
#[non_exhaustive]
pub struct TradeRow<'a> {
    /// What it is about.
    pub entry: Entry<'a>,
    /// 交易时间. When it was paid; in a refund's row when the refund was accepted (in `REFUND` bills perhaps when the order
    /// was paid: they have [`Refund::accepted_at`]).
    pub time: UnixSeconds,
    /// 公众账号ID. The Mini Program or app that was paid in.
    pub appid: &'a str,
    /// 商户号. The merchant, in partner mode the partner.
    pub mchid: &'a str,
    /// 特约商户号. The sub-merchant in partner mode; else `None`.
    pub sub_mchid: Option<&'a str>,
    /// 设备号. What the merchant called the device; mostly empty.
    pub device_info: Cow<'a, str>,
    /// 微信订单号. WeChat Pay's payment number.
    pub transaction_id: &'a str,
    /// 商户订单号. The merchant's order number.
    pub out_trade_no: &'a str,
    /// 用户标识. The payer's id within the appid.
    pub openid: Option<&'a str>,
    /// 交易类型. Such as `JSAPI`; an open list, and not quite the API's: `MICROPAY`, `MWEB`, `FACE`.
    pub trade_type: &'a str,
    /// 付款银行. Bank and kind of card.
    pub bank_type: Option<&'a str>,
    /// 货币种类. `CNY`.
    pub currency: &'a str,
    /// 订单金额 (older: 总金额). The order's amount: compare this one with the order's. 0 in a refund's row.
    pub total: Fen,
    /// 应结订单金额. What of it is settled, less than [`Self::total`] where coupons were used that nobody paid for
    /// beforehand. 0 in a refund's row; `None` in bills with the older headings.
    pub settlement_total: Option<Fen>,
    /// 代金券金额 (older: 代金券或立减优惠金额, 企业红包金额). What coupons paid of it.
    pub coupon: Option<Fen>,
    /// 商品名称. The order's description.
    pub description: Cow<'a, str>,
    /// 商户数据包. What the merchant attached to the order.
    pub attach: Cow<'a, str>,
    /// 手续费. WeChat Pay's fee, negative where it was given back.
    pub fee: Fee,
    /// 费率. The rate of the fee as it is written, such as `0.60%`.
    pub rate: Option<&'a str>,
    /// 费率备注. About the rate; mostly empty.
    pub rate_remark: Cow<'a, str>,
    /// The row itself, for columns that have no field here.
    pub row: Row<'a>,
}

debug_shows!(TradeRow<'_>: entry, time, appid, mchid, sub_mchid, transaction_id, out_trade_no, total, fee);

/// What a row of a trade bill is about: 交易状态.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entry<'a> {
    /// `SUCCESS`: a payment.
    Payment,
    /// `REFUND`: a refund that was accepted, perhaps of a payment of another day.
    Refund(Refund<'a>),
    /// `REVOKED`: a code payment that the merchant took back.
    Reversed(Reversal<'a>),
    /// A state that is not known here, as written. The summary counts it in.
    Other(&'a str),
}

/// A refund as it was when it was accepted: later changes do not come into bills.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refund<'a> {
    /// 微信退款单号. WeChat Pay's refund number.
    pub refund_id: &'a str,
    /// 商户退款单号. The merchant's refund number; `REF…` where the refund was made on the merchant platform.
    pub out_refund_no: &'a str,
    /// 申请退款金额 (older: 退款金额). What was asked for: compare this one with the refund's amount.
    pub total: Fen,
    /// 退款金额. What of it is taken from the settlement; `None` in bills with the older headings.
    pub settlement_total: Option<Fen>,
    /// 充值券退款金额 (older: 代金券或立减优惠退款金额, 企业红包退款金额). What coupons get back of it.
    pub coupon: Option<Fen>,
    /// 退款申请时间. When it was accepted; in `REFUND` bills alone.
    pub accepted_at: Option<UnixSeconds>,
    /// 退款成功时间. When the payer had the money; in `REFUND` bills alone, and only if that was before the bill was made.
    pub succeeded_at: Option<UnixSeconds>,
    /// 退款类型. Where the money goes: `ORIGINAL`, `BALANCE`, `OTHER_BALANCE`, `OTHER_BANKCARD`; an open list.
    pub channel: Option<&'a str>,
    /// 退款状态. How far it was; ask for the refund to know more.
    pub status: RefundStatus<'a>,
}

/// A code payment that was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reversal<'a> {
    /// 微信退款单号, if one is given.
    pub refund_id: Option<&'a str>,
    /// 商户退款单号, if one is given.
    pub out_refund_no: Option<&'a str>,
    /// 申请退款金额 (older: 退款金额). What went back; 0 if the row does not say.
    pub total: Fen,
}

/// How far a refund was when the bill was made. The words are not quite the API's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefundStatus<'a> {
    /// `SUCCESS`: the payer has the money.
    Success,
    /// `PROCESSING`.
    Processing,
    /// `FAIL`: it was closed.
    Failed,
    /// `CHANGE`: it is abnormal (the payer's card cannot take it); the merchant has to act.
    Abnormal,
    /// A state that is not known here, as written; perhaps empty.
    Other(&'a str),
}

impl<'a> RefundStatus<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        match text {
            "SUCCESS" => Self::Success,
            "PROCESSING" => Self::Processing,
            "FAIL" => Self::Failed,
            "CHANGE" => Self::Abnormal,
            other => Self::Other(other),
        }
    }
}
