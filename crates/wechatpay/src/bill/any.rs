//! Any bill, by its headings: of profit sharing, of sub-merchants, personalised ones, and what will come.
//!
//! Deliberately absent: meaning. A summary is held against the number of rows where its heading for it is known.

use super::headings::Headings;
use super::kind::Kind;
use super::row::Row;
use super::summary::{Check, SUMMARY_ROWS_MAX, Summary};
use super::{BillError, fund_flow, trade};

/// Any bill: its rows are read by heading, see [`Row`].
///
/// ```
/// use wechatpay::bill::{Any, Bill};
///
/// let file = "分账时间,微信分账单号,分账金额（元）\n`2026-03-02 09:15:07,`30000001,`1.20\n总条数,总金额\n`1,`1.20\n";
/// let mut bill = Bill::<Any>::new();
/// bill.push(file.as_bytes());
/// while let Some(row) = bill.next_row()? {
///     assert_eq!(row.get("微信分账单号"), Some("30000001"));
///     assert_eq!(row.fen("分账金额(元)")?.get(), 120);
/// }
/// assert_eq!(bill.finish()?.get("总金额"), Some("1.20"));
/// # Ok::<(), wechatpay::bill::BillError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Any {}

impl Kind for Any {
    type Row<'a> = Row<'a>;
    type Summary = Summary;
    type Columns = ();
    type Totals = ();

    fn columns(_: &Headings) -> Result<(), BillError> {
        Ok(())
    }

    /// Headings have no digits, and each row has some: a time, a number or an amount.
    fn is_summary(headings: &Headings) -> bool {
        headings
            .iter()
            .all(|heading| !heading.is_empty() && !heading.bytes().any(|byte| byte.is_ascii_digit()))
    }

    const SUMMARY_ROWS_MAX: usize = SUMMARY_ROWS_MAX;

    fn read<'a>((): &(), row: Row<'a>, (): &mut ()) -> Result<Row<'a>, BillError> {
        Ok(row)
    }

    fn check(summary: Summary, rows: u64, (): &()) -> Result<Summary, BillError> {
        let mut check = Check::new(summary);
        check.count(&[trade::ROWS, fund_flow::ROWS], rows)?;
        check.finish()
    }
}
