//! Values for a statement's parameters, each of a type, also where there is none.

use crate::{money::Fen, time::UnixMillis};

/// A value for a parameter; `None` is SQL's NULL of that type.
///
/// PostgreSQL gets `bigint`, `boolean`, `text` and `timestamptz`, MySQL and MariaDB `BIGINT`, `0` or `1`, text and a
/// `DATETIME` in UTC, SQLite integers and text, times as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument<'a> {
    /// A whole number.
    Int(Option<i64>),
    /// A truth value.
    Bool(Option<bool>),
    /// A text.
    Text(Option<&'a str>),
    /// A point in time.
    Time(Option<UnixMillis>),
}

impl From<i64> for Argument<'_> {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}

impl From<Option<i64>> for Argument<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Int(number)
    }
}

impl From<Fen> for Argument<'_> {
    fn from(amount: Fen) -> Self {
        Self::Int(Some(amount.get()))
    }
}

impl From<bool> for Argument<'_> {
    fn from(truth: bool) -> Self {
        Self::Bool(Some(truth))
    }
}

impl From<Option<bool>> for Argument<'_> {
    fn from(truth: Option<bool>) -> Self {
        Self::Bool(truth)
    }
}

impl<'a> From<&'a str> for Argument<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<Option<&'a str>> for Argument<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::Text(text)
    }
}

impl From<UnixMillis> for Argument<'_> {
    fn from(at: UnixMillis) -> Self {
        Self::Time(Some(at))
    }
}

impl From<Option<UnixMillis>> for Argument<'_> {
    fn from(at: Option<UnixMillis>) -> Self {
        Self::Time(at)
    }
}
