//! Fund-flow bills: every movement of money on one of the merchant's accounts.
//!
//! Invariant: amounts are exact, and never negative: which way money went is said by [`Direction`]. Deliberately absent:
//! which movements belong together; a payment may be booked whole with its fee apart, or without it.

use std::borrow::Cow;

use super::BillError;
use super::amount::Balance;
use super::headings::{Column, Headings};
use super::kind::Kind;
use super::row::Row;
use super::summary::{Check, Summary};
use crate::resource::debug_shows;
use crate::{Fen, UnixSeconds};

/// The summary's heading for the number of rows.
pub(super) const ROWS: &str = "资金流水总笔数";

/// A fund-flow bill (`/v3/bill/fundflowbill`, and APIv2's `downloadfundflow`): its rows are [`FundFlowRow`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FundFlow {}

/// A row of a fund-flow bill. Texts have their escapes undone.
#[derive(Clone)]
#[non_exhaustive]
pub struct FundFlowRow<'a> {
    /// 记账时间. When it was booked.
    pub time: UnixSeconds,
    /// 微信支付业务单号. The number of what it is about: of a payment, of a refund, or another.
    pub business_no: Option<&'a str>,
    /// 资金流水单号. Its own number, which no other movement has.
    pub flow_no: &'a str,
    /// 业务名称. What it is about, such as 交易, 退款, 提现; an open list.
    pub business_name: Cow<'a, str>,
    /// 业务类型. More exactly, such as 交易, 扣除交易手续费, 退款; an open list.
    pub business_type: Cow<'a, str>,
    /// 收支类型. Which way the money went.
    pub direction: Direction<'a>,
    /// 收支金额(元). How much.
    pub amount: Fen,
    /// 账户结余(元). What was on the account afterwards.
    pub balance: Balance,
    /// 资金变更提交申请人. Who asked for it: `system`, `{mchid}API`, or the login of an operator.
    pub applicant: Cow<'a, str>,
    /// 备注. Free text, such as 退款总金额20.00元;含手续费0.12元.
    pub remark: Cow<'a, str>,
    /// 业务凭证号. The merchant's number for it: of the order or of the refund (`REF…` where it was made on the merchant
    /// platform).
    pub voucher_no: Option<&'a str>,
    /// The row itself, for columns that have no field here.
    pub row: Row<'a>,
}

debug_shows!(FundFlowRow<'_>: time, business_no, flow_no, business_type, direction, amount, voucher_no);

/// Which way money went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Direction<'a> {
    /// 收入: to the account.
    Income,
    /// 支出: from the account.
    Expense,
    /// A word that is not known here, as written. The summary counts the row, but in neither sum.
    Other(&'a str),
}

impl FundFlowRow<'_> {
    /// What it did to the balance, in fen: negative for an expense. `None` where the direction is not known.
    #[must_use]
    pub fn signed_fen(&self) -> Option<i64> {
        match self.direction {
            Direction::Income => Some(self.amount.get()),
            Direction::Expense => Some(-self.amount.get()),
            Direction::Other(_) => None,
        }
    }
}

/// What the summary of a fund-flow bill says. What it does not say is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FundFlowSummary {
    /// How many rows there are.
    pub rows: u64,
    /// How many are income.
    pub incomes: Option<u64>,
    /// What they come to.
    pub income: Option<Fen>,
    /// How many are expenses.
    pub expenses: Option<u64>,
    /// What they come to.
    pub expense: Option<Fen>,
    /// The summary as it is written.
    pub written: Summary,
}

#[doc(hidden)]
#[derive(Debug)]
pub struct Columns {
    time: Column,
    business_no: Option<Column>,
    flow_no: Column,
    business_name: Option<Column>,
    business_type: Option<Column>,
    direction: Column,
    amount: Column,
    balance: Column,
    applicant: Option<Column>,
    remark: Option<Column>,
    voucher_no: Option<Column>,
}

/// What the rows come to.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Totals {
    incomes: u64,
    income: Fen,
    expenses: u64,
    expense: Fen,
}

impl Kind for FundFlow {
    type Row<'a> = FundFlowRow<'a>;
    type Summary = FundFlowSummary;
    type Columns = Columns;
    type Totals = Totals;

    fn columns(headings: &Headings) -> Result<Columns, BillError> {
        Ok(Columns {
            time: headings.required(&["记账时间"])?,
            business_no: headings.optional(&["微信支付业务单号"])?,
            flow_no: headings.required(&["资金流水单号"])?,
            business_name: headings.optional(&["业务名称"])?,
            business_type: headings.optional(&["业务类型"])?,
            direction: headings.required(&["收支类型"])?,
            amount: headings.required(&["收支金额(元)"])?,
            balance: headings.required(&["账户结余(元)"])?,
            applicant: headings.optional(&["资金变更提交申请人"])?,
            remark: headings.optional(&["备注"])?,
            voucher_no: headings.optional(&["业务凭证号"])?,
        })
    }

    fn is_summary(headings: &Headings) -> bool {
        headings.position(ROWS).is_some()
    }

    fn read<'a>(columns: &Columns, row: Row<'a>, totals: &mut Totals) -> Result<FundFlowRow<'a>, BillError> {
        let amount = row.fen_at(columns.amount)?;
        let direction = match row.at(columns.direction) {
            "收入" => {
                totals.incomes += 1;
                totals.income = row.sum(columns.amount, totals.income, amount)?;
                Direction::Income
            }
            "支出" => {
                totals.expenses += 1;
                totals.expense = row.sum(columns.amount, totals.expense, amount)?;
                Direction::Expense
            }
            "" => return Err(row.empty(columns.direction.heading)),
            other => Direction::Other(other),
        };
        Ok(FundFlowRow {
            time: row.time_at(columns.time)?,
            business_no: row.number_at(columns.business_no),
            flow_no: row.needed_at(columns.flow_no)?,
            business_name: row.text_at(columns.business_name),
            business_type: row.text_at(columns.business_type),
            direction,
            amount,
            balance: row.balance_at(columns.balance)?,
            applicant: row.text_at(columns.applicant),
            remark: row.text_at(columns.remark),
            voucher_no: row.number_at(columns.voucher_no),
            row,
        })
    }

    fn check(summary: Summary, rows: u64, totals: &Totals) -> Result<FundFlowSummary, BillError> {
        let mut check = Check::new(summary);
        let counted = check.count(&[ROWS], rows)?;
        let incomes = check.count(&["收入笔数"], totals.incomes)?;
        let income = check.fen(&["收入金额"], totals.income)?;
        let expenses = check.count(&["支出笔数"], totals.expenses)?;
        let expense = check.fen(&["支出金额"], totals.expense)?;
        let written = check.finish()?;
        Ok(FundFlowSummary { rows: counted.unwrap_or(rows), incomes, income, expenses, expense, written })
    }
}
