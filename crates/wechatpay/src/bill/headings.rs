//! The headings of a bill, by which its columns are found: their order differs with the kind of bill and its age.
//!
//! Invariant: a heading is compared without what differs between files of one kind: full-width brackets and colons,
//! blanks, a backtick before it, the case of Latin letters. Deliberately absent: which headings a kind of bill has.

use std::borrow::Cow;

use super::BillError;

/// The headings of a bill in the order of its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headings {
    names: Vec<String>,
}

/// A column that a kind of bill has, found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) at: usize,
    pub(super) heading: &'static str,
}

impl Headings {
    pub(super) fn of(line: &str) -> Self {
        Self { names: line.split(',').map(|name| normalised(name).into_owned()).collect() }
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Never: a line has one at least.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Each, in the order of the columns: half-width, without blanks.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The place of the first column with this heading, for [`super::Row::cell`].
    #[must_use]
    pub fn position(&self, heading: &str) -> Option<usize> {
        let heading = normalised(heading);
        self.names.iter().position(|name| name.eq_ignore_ascii_case(&heading))
    }

    /// The column with the first of these headings that is there: they are names of one thing, the current one first.
    pub(super) fn optional(&self, headings: &[&'static str]) -> Result<Option<Column>, BillError> {
        for &heading in headings {
            let Some(at) = self.position(heading) else { continue };
            let more = &self.names[at + 1..];
            if more.iter().any(|name| name.eq_ignore_ascii_case(heading)) {
                return Err(BillError::AmbiguousColumn { heading: heading.to_owned() });
            }
            return Ok(Some(Column { at, heading }));
        }
        Ok(None)
    }

    /// As [`Self::optional`], where there must be one.
    pub(super) fn required(&self, headings: &[&'static str]) -> Result<Column, BillError> {
        let first = headings.first().copied().unwrap_or_default();
        self.optional(headings)?.ok_or_else(|| BillError::MissingColumn { heading: first.to_owned() })
    }
}

/// A heading in the form in which it is compared; letters keep their case.
fn normalised(heading: &str) -> Cow<'_, str> {
    let differs = |c: char| c.is_whitespace() || matches!(c, '（' | '）' | '：' | '`');
    if !heading.contains(differs) {
        return Cow::Borrowed(heading);
    }
    let heading = heading.trim();
    let heading = heading.strip_prefix('`').unwrap_or(heading);
    let half_width = |c: char| match c {
        '（' => '(',
        '）' => ')',
        '：' => ':',
        other => other,
    };
    Cow::Owned(heading.chars().filter(|c| !c.is_whitespace()).map(half_width).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_found_however_they_are_written() {
        let headings = Headings::of("记账时间,收支金额（元）, 公众账号 ID ,`备注,新：列,");
        assert_eq!(
            headings.iter().collect::<Vec<_>>(),
            ["记账时间", "收支金额(元)", "公众账号ID", "备注", "新:列", ""]
        );
        for (heading, expected) in [
            ("记账时间", Some(0)),
            ("收支金额(元)", Some(1)),
            ("收支金额（元）", Some(1)),
            ("公众账号id", Some(2)),
            ("备注", Some(3)),
            ("新：列", Some(4)),
            ("备", None),
        ] {
            assert_eq!(headings.position(heading), expected, "{heading}");
        }
    }

    #[test]
    fn the_first_name_that_is_there_counts_and_two_of_one_name_are_told() {
        let headings = Headings::of("总金额,订单金额,手续费,手续费");
        let total = headings.required(&["订单金额", "总金额"]).unwrap();
        assert_eq!((total.at, total.heading), (1, "订单金额"));
        let twice = BillError::AmbiguousColumn { heading: "手续费".to_owned() };
        assert_eq!(headings.optional(&["手续费"]).unwrap_err(), twice);
        assert!(headings.optional(&["费率"]).unwrap().is_none());
        let missing = BillError::MissingColumn { heading: "交易时间".to_owned() };
        assert_eq!(headings.required(&["交易时间", "记账时间"]).unwrap_err(), missing);
    }
}
