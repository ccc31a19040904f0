//! Times as people write them and as they read them. Deliberately absent: the clock.

use anyhow::bail;
use jiff::Timestamp;
use wechatpay::UnixSeconds;

/// Numbers from here on count milliseconds: as seconds they would be of the year 5138.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// Unix seconds or milliseconds, or RFC 3339.
pub(super) fn parse(text: &str) -> anyhow::Result<UnixSeconds> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        return Ok(of_number(number));
    }
    match text.parse::<Timestamp>() {
        Ok(time) => Ok(UnixSeconds(time.as_second())),
        Err(_) => bail!("{text:?} is no time: write Unix seconds, or like 2025-06-15T23:06:40+08:00"),
    }
}

pub(super) fn of_number(number: i64) -> UnixSeconds {
    UnixSeconds(if number >= MILLISECONDS_FROM { number / 1000 } else { number })
}

/// RFC 3339 in UTC; the bare number where no calendar goes so far.
pub(super) fn show(time: UnixSeconds) -> String {
    Timestamp::from_second(time.0).map_or_else(|_| time.0.to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_of_times() {
        for (text, expected) in [
            ("1750000000", Some(1_750_000_000)),
            (" 1750000000123 ", Some(1_750_000_000)),
            ("2025-06-15T23:06:40+08:00", Some(1_750_000_000)),
            ("2025-06-15T15:06:40Z", Some(1_750_000_000)),
            ("2025-06-15T15:06:40.999Z", Some(1_750_000_000)),
            ("2025-06-15T15:06:40", None),
            ("yesterday", None),
            ("", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(parse(text).ok(), expected.map(UnixSeconds), "{text:?}");
        }
        assert_eq!(show(UnixSeconds(1_750_000_000)), "2025-06-15T15:06:40Z");
        assert_eq!(show(UnixSeconds(i64::MAX)), i64::MAX.to_string());
    }
}
