//! What can be wrong with a bill's file.
//!
//! Invariant: no error quotes a cell, as a cell may name a user; each says the line and the heading instead. Deliberately
//! absent: errors of downloading, which are the client's.

use super::amount::AmountError;
use super::summary::Mismatch;

/// Why a file cannot be read as the bill that it was taken for. Each text says what to do.
///
/// Nothing of a file counts after an error: what was read before came from a file that is damaged, cut, or of another
/// kind. Lines are counted from 1, as an editor does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BillError {
    /// Not a byte, or only blanks. A day without trades is no such file: WeChat Pay says `NO_STATEMENT_EXIST` instead,
    /// or sends headings and a summary of zeros.
    #[error("the file is empty; download it again (a day without trades has a summary of zeros)")]
    Empty,
    /// It begins as XML or JSON does.
    #[error("this is XML or JSON and no bill: an answer that says why there is none; read it as an error")]
    NotABill,
    /// Its headings are divided by tabs: a table that went through a spreadsheet, which has damaged the numbers. The old
    /// sandbox of APIv2 sent such.
    #[error(
        "the columns are divided by tabs: the file went through a spreadsheet; take it as it was downloaded"
    )]
    TabSeparated,
    /// A column that the kind of bill has, or that was asked for, is not there.
    #[error("the bill has no column {heading}; is it a bill of another kind?")]
    MissingColumn {
        /// Its heading.
        heading: String,
    },
    /// Two columns have one heading: which of them counts cannot be told.
    #[error("the bill has two columns {heading}; which of them counts cannot be told")]
    AmbiguousColumn {
        /// Their heading.
        heading: String,
    },
    /// A line that begins with no backtick and is not the summary's heading.
    #[error("line {line} is neither a row nor the summary's heading; was the file edited?")]
    NotARow {
        /// Which.
        line: u64,
    },
    /// A row has more or fewer cells than there are headings.
    #[error("line {line} has {cells} cells under {headings} headings; was the file edited?")]
    CellCount {
        /// Which.
        line: u64,
        /// How many cells.
        cells: usize,
        /// How many headings.
        headings: usize,
    },
    /// A line is not UTF-8.
    #[error("line {line} is not UTF-8; take the file as it was downloaded, without saving it in between")]
    NotUtf8 {
        /// Which.
        line: u64,
    },
    /// A line is longer than any of a bill.
    #[error("line {line} has more than {bytes_max} bytes; this is no bill")]
    LineTooLong {
        /// Which.
        line: u64,
        /// How many a line may have.
        bytes_max: usize,
    },
    /// A cell should be an amount in yuan, and is none that is exact.
    #[error("line {line}, column {column}: {reason}")]
    Amount {
        /// Of the cell.
        line: u64,
        /// Heading of the cell.
        column: String,
        /// What is wrong.
        reason: AmountError,
    },
    /// A cell should be a number of rows.
    #[error("line {line}, column {column}: not a count; was the file edited?")]
    Count {
        /// Of the cell.
        line: u64,
        /// Heading of the cell.
        column: String,
    },
    /// A cell should be a time, `yyyy-MM-dd HH:mm:ss`.
    #[error("line {line}, column {column}: not a time as in 2026-03-02 09:15:07; was the file edited?")]
    Time {
        /// Of the cell.
        line: u64,
        /// Heading of the cell.
        column: String,
    },
    /// A cell is empty that says what the row is about.
    #[error("line {line}, column {column}: empty, although the row is about it; was the file edited?")]
    EmptyCell {
        /// Of the cell.
        line: u64,
        /// Heading of the cell.
        column: String,
    },
    /// There is more after the summary: two files put together, perhaps.
    #[error("line {line} stands after the summary; was the file put together from several?")]
    AfterSummary {
        /// Which.
        line: u64,
    },
    /// The file ends before its summary: it is cut.
    #[error("the file ends after {rows} rows without a summary: it is cut; download it again")]
    Truncated {
        /// Whole rows that were there.
        rows: u64,
    },
    /// The bill was finished while rows were waiting to be taken, which would have been missed.
    #[error("the row in line {line} was not taken; take rows until there is none before finishing")]
    Unread {
        /// Of the first such row.
        line: u64,
    },
    /// The file is compressed, and damaged.
    #[error("the file is damaged gzip; download it again")]
    Gzip,
    /// The file is compressed, and cut.
    #[error("the file is gzip that is cut; download it again")]
    GzipTruncated,
    /// Bytes that are no gzip follow gzip.
    #[error("something that is no gzip follows the compressed file; download it again")]
    GzipTrailing,
    /// The summary does not fit the rows.
    #[error("{0}")]
    Mismatch(Box<Mismatch>),
}
