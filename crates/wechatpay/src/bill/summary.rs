//! The summary at the end of a bill, held against the rows that were read.
//!
//! Invariant: what the summary says is compared exactly; of a fee alone, what its text was rounded to. Deliberately
//! absent: which columns a kind of bill sums.

use std::fmt;

use super::BillError;
use super::amount::{AmountError, Fee, count, decimals, fen_from_yuan, yuan_of};
use super::headings::Headings;
use super::row::{Row, Span};
use crate::Fen;

/// A summary has one row; of bills whose layout is not known here, perhaps some more.
pub(super) const SUMMARY_ROWS_MAX: usize = 64;

/// A bill's summary as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    headings: Headings,
    rows: Vec<SummaryRow>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct SummaryRow {
    line: u64,
    cells: Vec<String>,
}

impl Summary {
    pub(super) fn new(headings: Headings) -> Self {
        Self { headings, rows: Vec::new() }
    }

    pub(super) fn add(&mut self, text: &str, line: u64, spans: &mut Vec<Span>) -> Result<(), BillError> {
        let row = Row::divide(&self.headings, text, line, spans)?;
        let cells = row.iter().map(|(_, cell)| cell.to_owned()).collect();
        self.rows.push(SummaryRow { line, cells });
        Ok(())
    }

    /// Its headings.
    #[must_use]
    pub fn headings(&self) -> &Headings {
        &self.headings
    }

    /// How many rows it has: one in trade and fund-flow bills.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Never, once a bill is finished.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The cell under this heading in its first row, without its backtick; `None` if it has no such column.
    #[must_use]
    pub fn get(&self, heading: &str) -> Option<&str> {
        self.cell(0, heading)
    }

    /// The cell under this heading in one of its rows, counted from 0.
    #[must_use]
    pub fn cell(&self, row: usize, heading: &str) -> Option<&str> {
        self.rows.get(row)?.cells.get(self.headings.position(heading)?).map(String::as_str)
    }

    fn line(&self) -> u64 {
        self.rows.first().map_or(0, |row| row.line)
    }
}

/// The summary says something else than the rows come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The whole summary.
    pub summary: Summary,
    /// Each column that differs; one at least.
    pub differences: Vec<Difference>,
}

/// A column of the summary that differs from the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The summary's heading.
    pub heading: &'static str,
    /// What the summary says, as it is written.
    pub stated: String,
    /// What the rows come to: a count, or yuan.
    pub found: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the summary does not fit the rows:")?;
        for (nth, Difference { heading, stated, found }) in self.differences.iter().enumerate() {
            let comma = if nth == 0 { "" } else { "," };
            write!(f, "{comma} {heading} is said to be {stated}, the rows come to {found}")?;
        }
        f.write_str("; download the bill again, and ask WeChat Pay if that does not help")
    }
}

/// Holds a summary against what was seen, column by column.
pub(super) struct Check {
    summary: Summary,
    differences: Vec<Difference>,
}

impl Check {
    pub(super) fn new(summary: Summary) -> Self {
        Self { summary, differences: Vec::new() }
    }

    /// A number of rows, under the first of these headings that is there.
    pub(super) fn count(&mut self, headings: &[&'static str], found: u64) -> Result<Option<u64>, BillError> {
        let Some((heading, text)) = self.stated(headings)? else { return Ok(None) };
        let line = self.summary.line();
        let stated = count(text).ok_or_else(|| BillError::Count { line, column: heading.to_owned() })?;
        if stated != found {
            self.differ(heading, found.to_string());
        }
        Ok(Some(stated))
    }

    /// A sum of amounts.
    pub(super) fn fen(&mut self, headings: &[&'static str], found: Fen) -> Result<Option<Fen>, BillError> {
        let Some((heading, text)) = self.stated(headings)? else { return Ok(None) };
        let stated = fen_from_yuan(text).map_err(|reason| self.no_amount(heading, reason))?;
        if stated != found {
            self.differ(heading, yuan_of(found));
        }
        Ok(Some(stated))
    }

    /// A sum of fees, which some bills round in the summary alone.
    pub(super) fn fee(&mut self, headings: &[&'static str], found: Fee) -> Result<Option<Fee>, BillError> {
        let Some((heading, text)) = self.stated(headings)? else { return Ok(None) };
        let stated = Fee::from_yuan(text).map_err(|reason| self.no_amount(heading, reason))?;
        if stated.get().abs_diff(found.get()) >= rounded_by_less_than(text) {
            self.differ(heading, found.to_string());
        }
        Ok(Some(stated))
    }

    pub(super) fn finish(self) -> Result<Summary, BillError> {
        let Self { summary, differences } = self;
        if differences.is_empty() {
            return Ok(summary);
        }
        Err(BillError::Mismatch(Box::new(Mismatch { summary, differences })))
    }

    fn stated(&self, headings: &[&'static str]) -> Result<Option<(&'static str, &str)>, BillError> {
        let column = self.summary.headings.optional(headings)?;
        Ok(column.and_then(|column| Some((column.heading, self.summary.get(column.heading)?))))
    }

    fn differ(&mut self, heading: &'static str, found: String) {
        let stated = self.summary.get(heading).unwrap_or_default().to_owned();
        self.differences.push(Difference { heading, stated, found });
    }

    fn no_amount(&self, heading: &str, reason: AmountError) -> BillError {
        BillError::Amount { line: self.summary.line(), column: heading.to_owned(), reason }
    }
}

/// By less than how much, in 1/100000 yuan, a fee of this text may differ from what was rounded to it, whichever way. A
/// text of fewer digits than a fen has lost zeros, not digits: `0.1` is `0.10`.
fn rounded_by_less_than(text: &str) -> u64 {
    match decimals(text) {
        0..=2 => 1000,
        3 => 100,
        4 => 10,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headings: &str, cells: &str) -> Check {
        let mut summary = Summary::new(Headings::of(headings));
        summary.add(cells, 9, &mut Vec::new()).unwrap();
        Check::new(summary)
    }

    #[test]
    fn a_fee_may_be_rounded_in_the_summary_and_nothing_else() {
        for (stated, found, fits) in [
            ("0.08", 8_000, true),
            ("0.08", 8_499, true),
            ("0.08", 7_001, true),
            ("0.08", 8_999, true),
            ("0.08", 9_000, false),
            ("0.08", 7_000, false),
            ("0.1", 10_200, true),
            ("0.1", 11_000, false),
            ("0", 999, true),
            ("0", 1_000, false),
            ("-0.02", -2_400, true),
            ("0.08000", 8_001, false),
            ("0.0800", 8_009, true),
            ("0.0800", 8_010, false),
            ("0.080", 8_099, true),
        ] {
            let mut check = check("手续费总金额", stated);
            assert_eq!(
                check.fee(&["手续费总金额"], Fee::new(found)),
                Fee::from_yuan(stated).map(Some).map_err(|_| unreachable!())
            );
            assert_eq!(check.finish().is_ok(), fits, "{stated} for {found}");
        }
        let mut check = check("订单总金额", "`0.08");
        check.fen(&["订单总金额"], Fen::new(9).unwrap()).unwrap();
        assert!(check.finish().is_err());
    }

    #[test]
    fn each_difference_is_told() {
        let mut check = check("总交易单数,总交易额", "`48.0,`5.76");
        let headings = ["订单总金额", "总交易额"];
        assert_eq!(check.count(&["总交易单数"], 1), Ok(Some(48)));
        assert_eq!(check.fen(&headings, Fen::new(600).unwrap()), Ok(Some(Fen::new(576).unwrap())));
        assert_eq!(check.fen(&["申请退款总金额"], Fen::new(1).unwrap()), Ok(None));
        let error = check.finish().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the summary does not fit the rows: 总交易单数 is said to be 48.0, the rows come to 1, 总交易额 is said to \
             be 5.76, the rows come to 6.00; download the bill again, and ask WeChat Pay if that does not help"
        );
        let BillError::Mismatch(mismatch) = error else { panic!("{error}") };
        assert_eq!((mismatch.differences.len(), mismatch.summary.get("总交易额")), (2, Some("5.76")));
    }

    #[test]
    fn a_summary_that_is_none_is_told() {
        let error = |cells| {
            let mut check = check("总交易单数,订单总金额,手续费总金额", cells);
            let counted = check.count(&["总交易单数"], 1).map(drop);
            let summed = check.fen(&["订单总金额"], Fen::default()).map(drop);
            counted.and(summed).and(check.fee(&["手续费总金额"], Fee::default()).map(drop)).unwrap_err()
        };
        let column = |column: &str| column.to_owned();
        let amount = |heading, reason| BillError::Amount { line: 9, column: column(heading), reason };
        assert_eq!(error("`1.5,`0,`0"), BillError::Count { line: 9, column: column("总交易单数") });
        assert_eq!(error("`1,`-0.01,`0"), amount("订单总金额", AmountError::Negative));
        assert_eq!(error("`1,`0.001,`0"), amount("订单总金额", AmountError::TooFine));
        assert_eq!(error("`1,`0,`x"), amount("手续费总金额", AmountError::NotANumber));
    }
}
