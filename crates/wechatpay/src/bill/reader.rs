//! Reads a bill while it comes in: bytes are pushed, rows are taken, and the end is checked.
//!
//! Invariants: rows and errors are the same however the file was cut into pieces; after an error there is nothing but
//! that error; a bill that was finished has all its rows and a summary that fits them. Deliberately absent: I/O, and the
//! file's hash, which is over its uncompressed bytes and is to be checked by whoever downloads it.

use std::fmt;
use std::ops::Range;

use super::BillError;
use super::headings::Headings;
use super::kind::Kind;
use super::row::{Row, Span};
use super::source::Source;
use super::summary::Summary;

/// A bill's file, read while it comes in. Compressed or not: the first bytes tell.
///
/// Rows are provisional until [`Self::finish`] returns `Ok`, as a file may be cut, or its summary may not fit. Memory is
/// bounded by what is pushed between two calls that return no row, and a few hundred KiB.
///
/// ```
/// use std::io::Read;
/// use wechatpay::bill::{Bill, FundFlow};
///
/// fn expenses(mut file: impl Read) -> Result<i64, Box<dyn std::error::Error>> {
///     let (mut bill, mut piece, mut fen) = (Bill::<FundFlow>::new(), [0; 16 * 1024], 0);
///     loop {
///         let bytes = file.read(&mut piece)?;
///         bill.push(&piece[..bytes]);
///         while let Some(row) = bill.next_row()? {
///             fen += row.signed_fen().filter(|fen| *fen < 0).unwrap_or_default();
///         }
///         if bytes == 0 {
///             break;
///         }
///     }
///     bill.finish()?; // cut files and wrong sums end here
///     Ok(fen)
/// }
/// # let file = "记账时间,资金流水单号,收支类型,收支金额（元）,账户结余（元）\n\
/// #     `2026-03-02 09:15:08,`1,`支出,`0.36,`1.00\n资金流水总笔数,支出金额\n`1.0,`0.36";
/// # assert_eq!(expenses(file.as_bytes())?, -36);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Bill<K: Kind> {
    source: Source,
    layout: Option<Layout<K>>,
    spans: Vec<Span>,
    rows: u64,
    totals: K::Totals,
    summary: Option<Summary>,
    failed: Option<BillError>,
}

struct Layout<K: Kind> {
    headings: Headings,
    columns: K::Columns,
}

impl<K: Kind> Bill<K> {
    /// A bill of which nothing has come yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            source: Source::new(),
            layout: None,
            spans: Vec::new(),
            rows: 0,
            totals: K::Totals::default(),
            summary: None,
            failed: None,
        }
    }

    /// The next bytes of the file, however many. Take its rows before pushing more: what is not taken is kept in memory.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.source.push(bytes);
        }
    }

    /// The next row; `None` if it has not come in whole yet, or if there are no more.
    ///
    /// # Errors
    /// [`BillError`]: the file is not to be used, and every further call says the same.
    pub fn next_row(&mut self) -> Result<Option<K::Row<'_>>, BillError> {
        let found = match &self.failed {
            Some(error) => Err(error.clone()),
            None => self.next_detail(false),
        };
        let Self { source, layout, spans, rows, totals, failed, .. } = self;
        let read = found.and_then(|line| match (line, layout) {
            (Some(line), Some(layout)) => {
                let text = utf8(source, line)?;
                let row = Row::divide(&layout.headings, text, source.line(), spans)?;
                *rows += 1;
                K::read(&layout.columns, row, totals).map(Some)
            }
            _ => Ok(None),
        });
        if let Err(error) = &read {
            *failed = Some(error.clone());
        }
        read
    }

    /// The headings, once the line that has them has been looked at by [`Self::next_row`].
    #[must_use]
    pub fn headings(&self) -> Option<&Headings> {
        self.layout.as_ref().map(|layout| &layout.headings)
    }

    /// How many rows were taken.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The file has ended: its summary, which fits the rows.
    ///
    /// # Errors
    /// [`BillError`]: what was wrong before; rows that were not taken; a file that is cut; and
    /// [`BillError::Mismatch`] for a summary that says something else than the rows.
    pub fn finish(mut self) -> Result<K::Summary, BillError> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        let rest = self.next_detail(true).map_err(|error| self.cut_or(error))?;
        if self.layout.is_none() {
            return Err(BillError::Empty);
        }
        if rest.is_some() && self.source.is_terminated() {
            return Err(BillError::Unread { line: self.source.line() });
        }
        match self.summary {
            Some(summary) if !summary.is_empty() => K::check(summary, self.rows, &self.totals),
            _ => Err(BillError::Truncated { rows: self.rows }),
        }
    }

    /// What is wrong with the shape of a last line that has no end is that it is cut.
    fn cut_or(&self, error: BillError) -> BillError {
        let is_of_shape = matches!(
            error,
            BillError::AmbiguousColumn { .. }
                | BillError::NotARow { .. }
                | BillError::CellCount { .. }
                | BillError::NotUtf8 { .. }
        );
        if is_of_shape && !self.source.is_terminated() {
            BillError::Truncated { rows: self.rows }
        } else {
            error
        }
    }

    /// Goes on to the next row of detail, past headings and summary.
    fn next_detail(&mut self, is_end: bool) -> Result<Option<Range<usize>>, BillError> {
        while let Some(line) = self.source.next_line(is_end)? {
            let number = self.source.line();
            if self.layout.is_none() {
                self.layout = Some(Layout::of(utf8(&self.source, line)?)?);
            } else if let Some(summary) = &mut self.summary {
                if summary.len() == K::SUMMARY_ROWS_MAX {
                    return Err(BillError::AfterSummary { line: number });
                }
                summary.add(utf8(&self.source, line)?, number, &mut self.spans)?;
            } else if self.source.bytes(line.clone()).starts_with(b"`") {
                return Ok(Some(line));
            } else {
                let headings = Headings::of(utf8(&self.source, line)?);
                if !K::is_summary(&headings) {
                    return Err(BillError::NotARow { line: number });
                }
                self.summary = Some(Summary::new(headings));
            }
        }
        Ok(None)
    }
}

impl<K: Kind> Layout<K> {
    fn of(line: &str) -> Result<Self, BillError> {
        if line.starts_with(['<', '{', '[']) {
            return Err(BillError::NotABill);
        }
        if line.contains('\t') {
            return Err(BillError::TabSeparated);
        }
        let headings = Headings::of(line);
        Ok(Self { columns: K::columns(&headings)?, headings })
    }
}

fn utf8(source: &Source, line: Range<usize>) -> Result<&str, BillError> {
    std::str::from_utf8(source.bytes(line)).map_err(|_| BillError::NotUtf8 { line: source.line() })
}

impl<K: Kind> Default for Bill<K> {
    fn default() -> Self {
        Self::new()
    }
}

/// Without what was read: it names users.
impl<K: Kind> fmt::Debug for Bill<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows, failed, .. } = self;
        f.debug_struct("Bill").field("rows", rows).field("failed", failed).finish_non_exhaustive()
    }
}
