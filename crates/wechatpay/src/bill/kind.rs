//! Which bill a file is: the contract between the reader of files and the kinds of bills.
//!
//! Deliberately absent: kinds of the caller's own; [`super::Any`] gives access to what no kind here knows.

use super::headings::Headings;
use super::row::Row;
use super::summary::Summary;
use super::{Any, BillError, FundFlow, Trade};

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Trade {}
    impl Sealed for super::FundFlow {}
    impl Sealed for super::Any {}
}

/// A kind of bill: [`Trade`], [`FundFlow`] or [`Any`].
pub trait Kind: sealed::Sealed {
    /// What a row of it says; borrows from the [`super::Bill`].
    type Row<'a>;
    /// What its summary says.
    type Summary;
    /// Where its columns are.
    #[doc(hidden)]
    type Columns;
    /// What its rows come to so far.
    #[doc(hidden)]
    type Totals: Default;

    /// Finds the columns.
    #[doc(hidden)]
    fn columns(headings: &Headings) -> Result<Self::Columns, BillError>;

    /// Whether these are headings of its summary.
    #[doc(hidden)]
    fn is_summary(headings: &Headings) -> bool;

    /// How many rows its summary may have.
    #[doc(hidden)]
    const SUMMARY_ROWS_MAX: usize = 1;

    /// Reads a row, and adds it up.
    #[doc(hidden)]
    fn read<'a>(
        columns: &Self::Columns,
        row: Row<'a>,
        totals: &mut Self::Totals,
    ) -> Result<Self::Row<'a>, BillError>;

    /// Holds the summary against that many rows and what they come to.
    #[doc(hidden)]
    fn check(summary: Summary, rows: u64, totals: &Self::Totals) -> Result<Self::Summary, BillError>;
}
