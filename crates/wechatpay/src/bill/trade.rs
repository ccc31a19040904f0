//! Trade bills: the payments and refunds of a day.
//!
//! Invariants: `ALL`, `SUCCESS` and `REFUND` bills, today's and those of merchants whose bills still have the older
//! headings, are read into one type; amounts are exact. Deliberately absent: comparing rows with orders.

use super::BillError;
use super::amount::{AmountError, Fee};
use super::headings::{Column, Headings};
use super::kind::Kind;
use super::row::Row;
use super::summary::{Check, Summary};
use super::trade_row::{Entry, Refund, RefundStatus, Reversal, TradeRow};
use crate::Fen;

/// The summary's heading for the number of rows.
pub(super) const ROWS: &str = "总交易单数";

/// A trade bill (`/v3/bill/tradebill`, and APIv2's `downloadbill`): its rows are [`TradeRow`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trade {}

/// What the summary of a trade bill says. What it does not say is `None`: the older headings have no
/// [`Self::settlement_total`], and bills of payments alone may say nothing about refunds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TradeSummary {
    /// How many rows there are.
    pub rows: u64,
    /// What the orders of its payments come to.
    pub total: Option<Fen>,
    /// The part of it that is settled: without coupons that nobody paid for beforehand.
    pub settlement_total: Option<Fen>,
    /// What its refunds, as they were asked for, come to.
    pub refund_total: Option<Fen>,
    /// The part of it that is taken from the settlement.
    pub refund_settlement_total: Option<Fen>,
    /// The coupons in its refunds.
    pub refund_coupon_total: Option<Fen>,
    /// All fees. Some bills round this sum: it is held against the rows to as many digits as it has, a fen at the least.
    pub fee: Option<Fee>,
    /// The summary as it is written.
    pub written: Summary,
}

#[doc(hidden)]
#[derive(Debug)]
pub struct Columns {
    time: Column,
    appid: Column,
    mchid: Column,
    sub_mchid: Option<Column>,
    device_info: Option<Column>,
    transaction_id: Column,
    out_trade_no: Column,
    openid: Option<Column>,
    trade_type: Column,
    state: Column,
    bank_type: Option<Column>,
    currency: Column,
    description: Option<Column>,
    attach: Option<Column>,
    rate: Option<Column>,
    rate_remark: Option<Column>,
    money: MoneyColumns,
    refund: RefundColumns,
}

#[derive(Debug)]
struct MoneyColumns {
    total: Column,
    settlement: Option<Column>,
    coupon: Option<Column>,
    refund_total: Option<Column>,
    refund_settlement: Option<Column>,
    refund_coupon: Option<Column>,
    fee: Column,
}

#[derive(Debug)]
struct RefundColumns {
    refund_id: Option<Column>,
    out_refund_no: Option<Column>,
    accepted_at: Option<Column>,
    succeeded_at: Option<Column>,
    channel: Option<Column>,
    status: Option<Column>,
}

/// The amounts of a row; `None` where the bill has no such column.
struct Money {
    total: Fen,
    settlement: Option<Fen>,
    coupon: Option<Fen>,
    refund_total: Option<Fen>,
    refund_settlement: Option<Fen>,
    refund_coupon: Option<Fen>,
    fee: Fee,
}

/// What the rows come to.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Totals {
    total: Fen,
    settlement: Fen,
    refund_total: Fen,
    refund_settlement: Fen,
    refund_coupon: Fen,
    fee: i64,
}

impl Kind for Trade {
    type Row<'a> = TradeRow<'a>;
    type Summary = TradeSummary;
    type Columns = Columns;
    type Totals = Totals;

    fn columns(headings: &Headings) -> Result<Columns, BillError> {
        Ok(Columns {
            time: headings.required(&["交易时间"])?,
            appid: headings.required(&["公众账号ID", "服务商的APPID"])?,
            mchid: headings.required(&["商户号"])?,
            sub_mchid: headings.optional(&["特约商户号", "子商户号"])?,
            device_info: headings.optional(&["设备号"])?,
            transaction_id: headings.required(&["微信订单号"])?,
            out_trade_no: headings.required(&["商户订单号"])?,
            openid: headings.optional(&["用户标识"])?,
            trade_type: headings.required(&["交易类型"])?,
            state: headings.required(&["交易状态"])?,
            bank_type: headings.optional(&["付款银行"])?,
            currency: headings.required(&["货币种类"])?,
            description: headings.optional(&["商品名称"])?,
            attach: headings.optional(&["商户数据包"])?,
            rate: headings.optional(&["费率"])?,
            rate_remark: headings.optional(&["费率备注"])?,
            money: MoneyColumns::of(headings)?,
            refund: RefundColumns::of(headings)?,
        })
    }

    fn is_summary(headings: &Headings) -> bool {
        headings.position(ROWS).is_some()
    }

    fn read<'a>(columns: &Columns, row: Row<'a>, totals: &mut Totals) -> Result<TradeRow<'a>, BillError> {
        let money = columns.money.read(row)?;
        totals.add(&columns.money, row, &money)?;
        Ok(TradeRow {
            time: row.time_at(columns.time)?,
            appid: row.at(columns.appid),
            mchid: row.at(columns.mchid),
            sub_mchid: row.number_at(columns.sub_mchid),
            device_info: row.text_at(columns.device_info),
            transaction_id: row.needed_at(columns.transaction_id)?,
            out_trade_no: row.needed_at(columns.out_trade_no)?,
            openid: row.present_at(columns.openid),
            trade_type: row.at(columns.trade_type),
            bank_type: row.present_at(columns.bank_type),
            currency: row.at(columns.currency),
            total: money.total,
            settlement_total: money.settlement,
            coupon: money.coupon,
            description: row.text_at(columns.description),
            attach: row.text_at(columns.attach),
            fee: money.fee,
            rate: row.present_at(columns.rate),
            rate_remark: row.text_at(columns.rate_remark),
            entry: columns.entry(row, &money)?,
            row,
        })
    }

    fn check(summary: Summary, rows: u64, totals: &Totals) -> Result<TradeSummary, BillError> {
        let mut check = Check::new(summary);
        let counted = check.count(&[ROWS], rows)?;
        let total = check.fen(&["订单总金额", "总交易额"], totals.total)?;
        let settlement_total = check.fen(&["应结订单总金额"], totals.settlement)?;
        let refund_total = check.fen(&["申请退款总金额", "总退款金额"], totals.refund_total)?;
        let refund_settlement_total = check.fen(&["退款总金额"], totals.refund_settlement)?;
        let refund_coupons = ["充值券退款总金额", "总代金券或立减优惠退款金额", "总企业红包退款金额"];
        let refund_coupon_total = check.fen(&refund_coupons, totals.refund_coupon)?;
        let fee = check.fee(&["手续费总金额"], Fee::new(totals.fee))?;
        Ok(TradeSummary {
            rows: counted.unwrap_or(rows),
            total,
            settlement_total,
            refund_total,
            refund_settlement_total,
            refund_coupon_total,
            fee,
            written: check.finish()?,
        })
    }
}

impl Columns {
    fn entry<'a>(&self, row: Row<'a>, money: &Money) -> Result<Entry<'a>, BillError> {
        Ok(match row.at(self.state) {
            "SUCCESS" => Entry::Payment,
            "REFUND" => Entry::Refund(self.refund.read(row, &self.money, money)?),
            "REVOKED" => Entry::Reversed(Reversal {
                refund_id: row.number_at(self.refund.refund_id),
                out_refund_no: row.number_at(self.refund.out_refund_no),
                total: money.refund_total.unwrap_or_default(),
            }),
            "" => return Err(row.empty(self.state.heading)),
            other => Entry::Other(other),
        })
    }
}

impl MoneyColumns {
    fn of(headings: &Headings) -> Result<Self, BillError> {
        // Of bills with today's headings, what was asked for stands apart from what is taken from the settlement.
        let refunded = headings.optional(&["退款金额"])?;
        let asked_for = headings.optional(&["申请退款金额"])?;
        Ok(Self {
            total: headings.required(&["订单金额", "总金额"])?,
            settlement: headings.optional(&["应结订单金额"])?,
            coupon: headings.optional(&["代金券金额", "代金券或立减优惠金额", "企业红包金额"])?,
            refund_total: asked_for.or(refunded),
            refund_settlement: asked_for.and(refunded),
            refund_coupon: headings.optional(&[
                "充值券退款金额",
                "代金券或立减优惠退款金额",
                "企业红包退款金额",
            ])?,
            fee: headings.required(&["手续费"])?,
        })
    }

    fn read(&self, row: Row<'_>) -> Result<Money, BillError> {
        Ok(Money {
            total: row.fen_at(self.total)?,
            settlement: row.fen_if_present(self.settlement)?,
            coupon: row.fen_if_present(self.coupon)?,
            refund_total: row.fen_if_present(self.refund_total)?,
            refund_settlement: row.fen_if_present(self.refund_settlement)?,
            refund_coupon: row.fen_if_present(self.refund_coupon)?,
            fee: row.fee_at(self.fee)?,
        })
    }
}

impl RefundColumns {
    fn of(headings: &Headings) -> Result<Self, BillError> {
        Ok(Self {
            refund_id: headings.optional(&["微信退款单号"])?,
            out_refund_no: headings.optional(&["商户退款单号"])?,
            accepted_at: headings.optional(&["退款申请时间"])?,
            succeeded_at: headings.optional(&["退款成功时间"])?,
            channel: headings.optional(&["退款类型"])?,
            status: headings.optional(&["退款状态"])?,
        })
    }

    fn read<'a>(&self, row: Row<'a>, columns: &MoneyColumns, money: &Money) -> Result<Refund<'a>, BillError> {
        let missing = |heading: &str| BillError::MissingColumn { heading: heading.to_owned() };
        let number = |column: Option<Column>, heading| row.needed_at(column.ok_or_else(|| missing(heading))?);
        let total_column = columns.refund_total.ok_or_else(|| missing("申请退款金额"))?;
        Ok(Refund {
            refund_id: number(self.refund_id, "微信退款单号")?,
            out_refund_no: number(self.out_refund_no, "商户退款单号")?,
            total: money.refund_total.ok_or_else(|| row.empty(total_column.heading))?,
            settlement_total: money.refund_settlement,
            coupon: money.refund_coupon,
            accepted_at: row.time_if_present(self.accepted_at)?,
            succeeded_at: row.time_if_present(self.succeeded_at)?,
            channel: row.present_at(self.channel),
            status: RefundStatus::of(row.present_at(self.status).unwrap_or_default()),
        })
    }
}

impl Totals {
    fn add(&mut self, columns: &MoneyColumns, row: Row<'_>, money: &Money) -> Result<(), BillError> {
        let more = |column: Option<Column>, sum: Fen, amount: Option<Fen>| match amount {
            None => Ok(sum),
            Some(amount) => row.sum(column.unwrap_or(columns.total), sum, amount),
        };
        self.total = row.sum(columns.total, self.total, money.total)?;
        self.settlement = more(columns.settlement, self.settlement, money.settlement)?;
        self.refund_total = more(columns.refund_total, self.refund_total, money.refund_total)?;
        self.refund_settlement =
            more(columns.refund_settlement, self.refund_settlement, money.refund_settlement)?;
        self.refund_coupon = more(columns.refund_coupon, self.refund_coupon, money.refund_coupon)?;
        let fee = self.fee.checked_add(money.fee.get());
        self.fee = fee.ok_or_else(|| row.no_amount(columns.fee.heading, AmountError::TooLarge))?;
        Ok(())
    }
}
