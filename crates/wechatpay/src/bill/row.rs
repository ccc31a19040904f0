//! One row of a bill: its cells under its headings.
//!
//! Invariant: a row borrows from the bill that it was read from, and has as many cells as there are headings.
//! Deliberately absent: what a cell means, which is the kind of bill's.

use std::borrow::Cow;
use std::fmt;

use super::BillError;
use super::amount::{AmountError, Balance, Fee, fen_from_yuan};
use super::headings::{Column, Headings};
use crate::time::beijing;
use crate::{Fen, UnixSeconds};

/// A row as it is written. Cells are found by heading; [`Self::get`] and [`Self::text`] take any spelling of one that
/// [`Headings`] take.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    headings: &'a Headings,
    text: &'a str,
    cells: &'a [Span],
    line: u64,
}

/// Where a cell stands in its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    start: usize,
    end: usize,
}

impl<'a> Row<'a> {
    /// Divides a line into cells, for which `spans` is used, whatever it held.
    pub(super) fn divide(
        headings: &'a Headings,
        text: &'a str,
        line: u64,
        spans: &'a mut Vec<Span>,
    ) -> Result<Self, BillError> {
        divide_at_backticks(text, spans);
        let cells = spans.len();
        if cells != headings.len() {
            divide_at_commas(text, spans);
            if spans.len() != headings.len() {
                return Err(BillError::CellCount { line, cells, headings: headings.len() });
            }
        }
        Ok(Self { headings, text, cells: spans, line })
    }

    /// The line of the file that it stands in, counted from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The bill's headings.
    #[must_use]
    pub fn headings(&self) -> &'a Headings {
        self.headings
    }

    /// The cell in this column as it is written, without its backtick.
    #[must_use]
    pub fn cell(&self, position: usize) -> Option<&'a str> {
        let span = self.cells.get(position)?;
        self.text.get(span.start..span.end)
    }

    /// The cell under this heading as it is written, without its backtick; `None` if the bill has no such column.
    #[must_use]
    pub fn get(&self, heading: &str) -> Option<&'a str> {
        self.cell(self.headings.position(heading)?)
    }

    /// The cell under this heading, its escapes undone: text that the merchant gave is written with `\ ` for a comma,
    /// and `\n`, `\r`, `\"`, `\\`. What is no escape stays as it is.
    #[must_use]
    pub fn text(&self, heading: &str) -> Option<Cow<'a, str>> {
        self.get(heading).map(unescaped)
    }

    /// Each cell as it is written, after its heading.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let row = *self;
        self.headings.iter().enumerate().map(move |(at, heading)| (heading, row.cell(at).unwrap_or_default()))
    }

    /// The amount under this heading, yuan turned into fen.
    ///
    /// # Errors
    /// [`BillError::MissingColumn`]; [`BillError::Amount`] where it is not exact in fen, or negative.
    pub fn fen(&self, heading: &str) -> Result<Fen, BillError> {
        self.amount(heading, self.named(heading)?, fen_from_yuan)
    }

    /// The fee under this heading.
    ///
    /// # Errors
    /// [`BillError::MissingColumn`]; [`BillError::Amount`] where it is finer than 1/100000 yuan.
    pub fn fee(&self, heading: &str) -> Result<Fee, BillError> {
        self.amount(heading, self.named(heading)?, Fee::from_yuan)
    }

    /// The time under this heading: the bill's are Beijing's.
    ///
    /// # Errors
    /// [`BillError::MissingColumn`]; [`BillError::Time`].
    pub fn time(&self, heading: &str) -> Result<UnixSeconds, BillError> {
        self.time_of(heading, self.named(heading)?)
    }

    fn named(&self, heading: &str) -> Result<&'a str, BillError> {
        self.get(heading).ok_or_else(|| BillError::MissingColumn { heading: heading.to_owned() })
    }

    pub(super) fn at(&self, column: Column) -> &'a str {
        self.cell(column.at).unwrap_or_default()
    }

    /// `None` also where the cell is empty, or `0`, as numbers that a row does not have are written.
    pub(super) fn number_at(&self, column: Option<Column>) -> Option<&'a str> {
        self.present_at(column).filter(|text| *text != "0")
    }

    /// `None` also where the cell is empty.
    pub(super) fn present_at(&self, column: Option<Column>) -> Option<&'a str> {
        column.map(|column| self.at(column)).filter(|text| !text.is_empty())
    }

    /// A cell without which the row says nothing.
    pub(super) fn needed_at(&self, column: Column) -> Result<&'a str, BillError> {
        self.number_at(Some(column)).ok_or_else(|| self.empty(column.heading))
    }

    pub(super) fn empty(&self, heading: &str) -> BillError {
        BillError::EmptyCell { line: self.line, column: heading.to_owned() }
    }

    pub(super) fn text_at(&self, column: Option<Column>) -> Cow<'a, str> {
        column.map_or(Cow::Borrowed(""), |column| unescaped(self.at(column)))
    }

    pub(super) fn fen_at(&self, column: Column) -> Result<Fen, BillError> {
        self.amount(column.heading, self.at(column), fen_from_yuan)
    }

    pub(super) fn fen_if_present(&self, column: Option<Column>) -> Result<Option<Fen>, BillError> {
        let read = |column: Column| match self.at(column) {
            "" => Ok(None),
            text => self.amount(column.heading, text, fen_from_yuan).map(Some),
        };
        column.map_or(Ok(None), read)
    }

    pub(super) fn fee_at(&self, column: Column) -> Result<Fee, BillError> {
        self.amount(column.heading, self.at(column), Fee::from_yuan)
    }

    pub(super) fn balance_at(&self, column: Column) -> Result<Balance, BillError> {
        self.amount(column.heading, self.at(column), Balance::from_yuan)
    }

    pub(super) fn time_at(&self, column: Column) -> Result<UnixSeconds, BillError> {
        self.time_of(column.heading, self.at(column))
    }

    pub(super) fn time_if_present(&self, column: Option<Column>) -> Result<Option<UnixSeconds>, BillError> {
        let read = |column: Column| match self.at(column) {
            "" => Ok(None),
            text => self.time_of(column.heading, text).map(Some),
        };
        column.map_or(Ok(None), read)
    }

    fn amount<T>(
        &self,
        heading: &str,
        text: &str,
        read: impl Fn(&str) -> Result<T, AmountError>,
    ) -> Result<T, BillError> {
        read(text).map_err(|reason| self.no_amount(heading, reason))
    }

    /// A running sum of the column.
    pub(super) fn sum(&self, column: Column, sum: Fen, amount: Fen) -> Result<Fen, BillError> {
        let sum = sum.get().checked_add(amount.get()).and_then(|sum| Fen::new(sum).ok());
        sum.ok_or_else(|| self.no_amount(column.heading, AmountError::TooLarge))
    }

    pub(super) fn no_amount(&self, heading: &str, reason: AmountError) -> BillError {
        BillError::Amount { line: self.line, column: heading.to_owned(), reason }
    }

    fn time_of(&self, heading: &str, text: &str) -> Result<UnixSeconds, BillError> {
        let time = if text.is_ascii() { beijing(text) } else { beijing(&text.replace('：', ":")) };
        time.ok_or_else(|| BillError::Time { line: self.line, column: heading.to_owned() })
    }
}

/// Without cells: they name users.
impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("line", &self.line)
            .field("cells", &self.cells.len())
            .finish_non_exhaustive()
    }
}

/// Cells as they should be: each begins with a backtick. A bare comma may stand inside one, although it should not.
fn divide_at_backticks(text: &str, spans: &mut Vec<Span>) {
    spans.clear();
    let bytes = text.as_bytes();
    let mut start = usize::from(bytes.first() == Some(&b'`'));
    let mut divide = |backtick: usize| {
        if backtick > start && bytes[backtick - 1] == b',' {
            spans.push(Span { start, end: backtick - 1 });
            start = backtick + 1;
        }
    };
    // Cells are short: eight bytes at a time find their ends faster than a search for each.
    let (words, rest) = bytes.as_chunks::<8>();
    for (nth, word) in words.iter().enumerate() {
        let mut found = backticks(u64::from_le_bytes(*word));
        while found != 0 {
            divide(nth * 8 + found.trailing_zeros() as usize / 8);
            found &= found - 1;
        }
    }
    for (nth, byte) in rest.iter().enumerate() {
        if *byte == b'`' {
            divide(words.len() * 8 + nth);
        }
    }
    spans.push(Span { start, end: bytes.len() });
}

/// The highest bit of each byte that is a backtick, and nothing else.
fn backticks(word: u64) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let differs = word ^ u64::from_ne_bytes([b'`'; 8]);
    !(((differs & LOW) + LOW) | differs | LOW)
}

/// Cells some of which lack their backtick: bills of profit sharing had such until January 2025.
fn divide_at_commas(text: &str, spans: &mut Vec<Span>) {
    spans.clear();
    let bytes = text.as_bytes();
    let mut start = 0;
    for end in memchr::memchr_iter(b',', bytes).chain([bytes.len()]) {
        spans.push(Span { start: start + usize::from(bytes.get(start) == Some(&b'`')), end });
        start = end + 1;
    }
}

pub(super) fn unescaped(cell: &str) -> Cow<'_, str> {
    if !cell.as_bytes().contains(&b'\\') {
        return Cow::Borrowed(cell);
    }
    let mut text = String::with_capacity(cell.len());
    let mut rest = cell;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let escaped = match rest.as_bytes().get(at + 1) {
            Some(b' ') => Some(','),
            Some(b'n') => Some('\n'),
            Some(b'r') => Some('\r'),
            Some(b'"') => Some('"'),
            Some(b'\\') => Some('\\'),
            _ => None,
        };
        text.push(escaped.unwrap_or('\\'));
        rest = &rest[at + if escaped.is_some() { 2 } else { 1 }..];
    }
    text.push_str(rest);
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(headings: &str, line: &str) -> Result<Vec<String>, BillError> {
        let (headings, mut spans) = (Headings::of(headings), Vec::new());
        let row = Row::divide(&headings, line, 7, &mut spans)?;
        Ok(row.iter().map(|(_, cell)| cell.to_owned()).collect())
    }

    #[test]
    fn table_of_lines() {
        for (line, expected) in [
            ("`1,`2,`3", vec!["1", "2", "3"]),
            ("`,`,`", vec!["", "", ""]),
            ("`a,b,`,,`c,", vec!["a,b", ",", "c,"]),
            ("``a,``,`b`c", vec!["`a", "`", "b`c"]),
            ("`1,2,`3", vec!["1", "2", "3"]),
            ("`1,,", vec!["1", "", ""]),
            ("1,2,3", vec!["1", "2", "3"]),
        ] {
            assert_eq!(cells("a,b,c", line).unwrap(), expected, "{line}");
        }
        for (line, count) in [("`1,`2", 2), ("`1,`2,`3,`4", 4), ("`1", 1), ("`a,`b,c,`d,`e", 4), ("", 1)] {
            let error = BillError::CellCount { line: 7, cells: count, headings: 3 };
            assert_eq!(cells("a,b,c", line).unwrap_err(), error, "{line}");
        }
    }

    #[test]
    fn backticks_are_found_at_every_place_and_nothing_else_is() {
        // Beside a backtick: its neighbours, itself with the highest bit, and the ends.
        for other in [0x5f, 0x61, 0xe0, 0x00, 0xff, b','] {
            for places in 0..=u8::MAX {
                let is_backtick = |at: usize| places >> at & 1 == 1;
                let word: [u8; 8] = std::array::from_fn(|at| if is_backtick(at) { b'`' } else { other });
                let expected =
                    (0..8).filter(|at| is_backtick(*at)).map(|at| 0x80u64 << (at * 8)).sum::<u64>();
                assert_eq!(backticks(u64::from_le_bytes(word)), expected, "{word:?}");
            }
        }
        for (first, second) in (0..30).flat_map(|first| (0..30).map(move |second| (first, second))) {
            let expected = ["a".repeat(first), "茶".repeat(second), "c".to_owned()];
            assert_eq!(cells("a,b,c", &format!("`{}", expected.join(",`"))).unwrap(), expected);
        }
    }

    #[test]
    fn table_of_escapes() {
        for (cell, expected) in [
            ("", ""),
            ("红茶\\ 两盒", "红茶,两盒"),
            (r#"a\nb\rc\"d\\e"#, "a\nb\rc\"d\\e"),
            (r"\\ n", r"\ n"),
            (r"\\n", r"\n"),
            (r"\x\茶\", r"\x\茶\"),
            (r"\", r"\"),
        ] {
            assert_eq!(unescaped(cell), expected, "{cell}");
        }
    }

    #[test]
    fn cells_are_read_by_heading() {
        let headings = Headings::of("时间,金额（元）,手续费,备注");
        let mut spans = Vec::new();
        let row =
            Row::divide(&headings, "`2014-11-10 16：33：45,`59.90,`-0.12345,`a\\ b", 7, &mut spans).unwrap();
        assert_eq!(row.time("时间"), Ok(UnixSeconds(1_415_608_425)));
        assert_eq!(row.fen("金额(元)").map(Fen::get), Ok(5990));
        assert_eq!(row.fee("手续费").map(Fee::get), Ok(-12_345));
        assert_eq!(row.text("备注").as_deref(), Some("a,b"));
        let column = "手续费".to_owned();
        assert_eq!(
            row.fen("手续费"),
            Err(BillError::Amount { line: 7, column, reason: AmountError::TooFine })
        );
        assert_eq!(row.time("备注"), Err(BillError::Time { line: 7, column: "备注".to_owned() }));
        assert_eq!(row.fen("总额"), Err(BillError::MissingColumn { heading: "总额".to_owned() }));
        assert_eq!(format!("{row:?}"), "Row { line: 7, cells: 4, .. }");
    }
}
