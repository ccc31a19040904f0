//! What WeChat Pay takes in a field, checked before anything is sent.
//!
//! Invariant: only rules that are certain are checked; where WeChat Pay's own pages differ, the widest holds.
//! Deliberately absent: rules that depend on the merchant's rights or on an order's state.

mod url;

pub(super) use url::{Origin, notify_url};

use crate::Fen;

/// The order number and similar ones: `0-9 A-Z a-z _ - | *`.
const NUMBER: &str = "digits, ASCII letters, and _ - | *";

/// A value that WeChat Pay would refuse: in which field, by its name on the wire, and by what rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct InvalidField {
    /// Its name on the wire.
    pub field: &'static str,
    /// What it breaks.
    pub rule: Rule,
}

/// A rule of WeChat Pay's that a value breaks. The value itself is not kept, as it may be a user's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rule {
    /// Too short or too long, in Unicode characters.
    #[error("has {chars} characters; give {min} to {max}")]
    Length {
        /// It has.
        chars: usize,
        /// At least.
        min: usize,
        /// At most.
        max: usize,
    },
    /// A character that is not allowed.
    #[error("holds another character than {allowed}")]
    Characters {
        /// What is allowed.
        allowed: &'static str,
    },
    /// Too little or too much money, in fen.
    #[error("is {fen} fen; give {min} to {max}")]
    Amount {
        /// It is.
        fen: i64,
        /// At least.
        min: i64,
        /// At most.
        max: i64,
    },
    /// Parts that do not add up, in fen.
    #[error("adds up to {sum} fen instead of {expected}")]
    Sum {
        /// They add up to.
        sum: i64,
        /// They should.
        expected: i64,
    },
    /// Too few or too many entries.
    #[error("has {count} entries; give {min} to {max}")]
    Count {
        /// It has.
        count: usize,
        /// At least.
        min: usize,
        /// At most.
        max: usize,
    },
    /// Too many bytes of JSON.
    #[error("has {bytes} bytes of JSON; give at most {max}")]
    Bytes {
        /// It has.
        bytes: usize,
        /// At most.
        max: usize,
    },
    /// Not an absolute `https` URL with a host. `http` is good for the loopback, where a simulator is.
    #[error(
        "is not an absolute URL that begins with https:// and a host (or http:// and this machine's loopback)"
    )]
    Https,
    /// A URL with a query or fragment, which notifications may not have.
    #[error("has a query or fragment; put what it says into the path")]
    UrlQuery,
    /// A URL of another host than WeChat Pay's.
    #[error("names no host of WeChat Pay's; use the download_url of a verified answer, unchanged")]
    Host,
    /// No base of URLs.
    #[error(
        "is not https:// (http:// for this machine's loopback), a host, perhaps a port, and nothing behind"
    )]
    Base,
    /// Path and query that HTTP libraries would send in another form than is signed.
    #[error("is not an absolute path and query in visible ASCII; percent-encode it, and resolve . and ..")]
    Target,
    /// No HTTP method of WeChat Pay's.
    #[error("is none of GET, POST, PUT, PATCH, DELETE")]
    Method,
    /// Not RFC 3339 with an offset.
    #[error("is not RFC 3339 with an offset, such as 2025-06-15T23:06:40+08:00")]
    Time,
    /// Not a day.
    #[error("is not a day as in 2025-06-15")]
    Date,
    /// An address of this machine, with which H5 payments fail.
    #[error("is not an address of the user's; behind a proxy, read X-Forwarded-For or the like")]
    NotTheUsers,
    /// The provider's own number where a sub-merchant's belongs (numeric code 268443705).
    #[error("is the provider's own number; give the sub-merchant's")]
    SameAsProvider,
    /// `sub_openid` belongs to a `sub_appid`, which is not given.
    #[error("needs a partner's account with sub_appid")]
    NeedsSubAppid,
    /// Two fields of which WeChat Pay takes one.
    #[error("cannot be given together with {other}")]
    Excludes {
        /// The other.
        other: &'static str,
    },
    /// Not there, though it must be with what else is given.
    #[error("is missing")]
    Missing,
}

impl InvalidField {
    pub(super) fn new(field: &'static str, rule: Rule) -> Self {
        Self { field, rule }
    }
}

type Checked<T> = Result<T, InvalidField>;

/// A text of `min` to `max` characters.
pub(super) fn text(field: &'static str, value: &str, min: usize, max: usize) -> Checked<String> {
    let chars = value.chars().count();
    if (min..=max).contains(&chars) {
        Ok(value.to_owned())
    } else {
        Err(InvalidField::new(field, Rule::Length { chars, min, max }))
    }
}

fn characters(
    field: &'static str,
    value: &str,
    allowed: &'static str,
    is_allowed: impl Fn(u8) -> bool,
) -> Checked<()> {
    let fine = value.bytes().all(is_allowed);
    if fine { Ok(()) } else { Err(InvalidField::new(field, Rule::Characters { allowed })) }
}

fn is_of_number(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-|*".contains(&byte)
}

/// A number that the merchant makes.
pub(super) fn number(field: &'static str, value: &str, min: usize, max: usize) -> Checked<String> {
    characters(field, value, NUMBER, is_of_number)?;
    text(field, value, min, max)
}

/// A number that exists, perhaps made by rules of another product or time: `@` was allowed in combined orders.
pub(super) fn known_number(field: &'static str, value: &str, max: usize) -> Checked<String> {
    characters(field, value, "digits, ASCII letters, and _ - | * @", |byte| {
        is_of_number(byte) || byte == b'@'
    })?;
    text(field, value, 1, max)
}

/// A merchant's number: digits, at most 32.
pub(super) fn mchid(field: &'static str, value: &str) -> Checked<String> {
    characters(field, value, "digits", |byte| byte.is_ascii_digit())?;
    text(field, value, 1, 32)
}

/// An appid: letters and digits, at most 32.
pub(super) fn appid(field: &'static str, value: &str) -> Checked<String> {
    characters(field, value, "ASCII letters and digits", |byte| byte.is_ascii_alphanumeric())?;
    text(field, value, 1, 32)
}

/// An id of the merchant's goods.
pub(super) fn goods_id(field: &'static str, value: &str) -> Checked<String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    characters(field, value, "digits, ASCII letters, and _ -", is_allowed)?;
    text(field, value, 1, 32)
}

/// At least one fen, at most `max`.
pub(super) fn amount(field: &'static str, value: Fen, max: i64) -> Checked<Fen> {
    if (1..=max).contains(&value.get()) {
        Ok(value)
    } else {
        Err(InvalidField::new(field, Rule::Amount { fen: value.get(), min: 1, max }))
    }
}

pub(super) fn count(field: &'static str, count: usize, min: usize, max: usize) -> Checked<()> {
    if (min..=max).contains(&count) {
        Ok(())
    } else {
        Err(InvalidField::new(field, Rule::Count { count, min, max }))
    }
}

/// RFC 3339 with an offset; fractions of a second are let through.
pub(super) fn time(field: &'static str, value: &str) -> Checked<String> {
    let wrong = || InvalidField::new(field, Rule::Time);
    let (day, rest) = value.split_at_checked(10).ok_or_else(wrong)?;
    let rest = rest.strip_prefix('T').ok_or_else(wrong)?;
    let (clock, rest) = rest.split_at_checked(8).ok_or_else(wrong)?;
    let seconds_fine = match *clock.as_bytes() {
        [h1, h2, b':', m1, m2, b':', s1, s2] => {
            two_digits(h1, h2) <= 23 && two_digits(m1, m2) <= 59 && two_digits(s1, s2) <= 60
        }
        _ => false,
    };
    let offset = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    let offset_fine = match *offset.as_bytes() {
        [b'Z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => two_digits(h1, h2) <= 23 && two_digits(m1, m2) <= 59,
        _ => false,
    };
    if is_day(day) && seconds_fine && offset_fine { Ok(value.to_owned()) } else { Err(wrong()) }
}

/// A day of Beijing's calendar, `yyyy-MM-dd`.
pub(super) fn date(field: &'static str, value: &str) -> Checked<String> {
    if is_day(value) { Ok(value.to_owned()) } else { Err(InvalidField::new(field, Rule::Date)) }
}

fn is_day(text: &str) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text.as_bytes() else { return false };
    let (century, year_of_century) = (two_digits(y1, y2), two_digits(y3, y4));
    let leap_number = if year_of_century == 0 { century } else { year_of_century };
    let days = match two_digits(m1, m2) {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap_number % 4 == 0 => 29,
        2 => 28,
        _ => 0,
    };
    century <= 99 && year_of_century <= 99 && (1..=days).contains(&two_digits(d1, d2))
}

/// 100, which is no two digits, where one is none.
fn two_digits(tens: u8, ones: u8) -> u8 {
    let is_number = tens.is_ascii_digit() && ones.is_ascii_digit();
    if is_number { (tens - b'0') * 10 + (ones - b'0') } else { 100 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_of_times() {
        for (text, expected) in [
            ("2018-06-08T10:34:56+08:00", true),
            ("2018-06-08T10:34:56Z", true),
            ("2018-06-08T10:34:56.123-05:30", true),
            ("2016-02-29T23:59:60+08:00", true),
            ("2018-06-08T10:34:56", false),
            ("2018-06-08 10:34:56+08:00", false),
            ("2018-06-08T10:34+08:00", false),
            ("2018-06-08T24:00:00+08:00", false),
            ("2018-06-08T10:34:56+0800", false),
            ("2018-06-31T10:34:56+08:00", false),
            ("20180608103456", false),
            ("店店店店", false),
            ("", false),
        ] {
            assert_eq!(time("t", text).is_ok(), expected, "{text}");
        }
    }

    #[test]
    fn table_of_days() {
        for (text, expected) in [
            ("2025-06-15", true),
            ("2024-02-29", true),
            ("2000-02-29", true),
            ("1900-02-29", false),
            ("2025-02-29", false),
            ("2025-13-01", false),
            ("2025-00-01", false),
            ("2025-01-00", false),
            ("2025-1-01", false),
            ("20250101", false),
            ("2025/01/01", false),
            ("202a-01-01", false),
        ] {
            assert_eq!(date("bill_date", text).is_ok(), expected, "{text}");
        }
    }
}
