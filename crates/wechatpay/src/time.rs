//! Time on WeChat Pay's wire: Unix seconds, and Beijing's calendar where it is written as text.
//!
//! Deliberately absent: reading a clock, other time zones, calendars beyond turning a text into Unix time.

/// Unix time in whole seconds, as in `Wechatpay-Timestamp` and in signing strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct UnixSeconds(pub i64);

/// China has had one offset all year since 1991.
const BEIJING_SECONDS: i64 = 8 * 3600;

/// Where the digits stand in `yyyyMMddHHmmss`.
const COMPACT: [usize; 14] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13];
/// Where they stand in `yyyy-MM-dd HH:mm:ss`, and what stands between them.
const SPACED: [usize; 14] = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18];
const BETWEEN: [(usize, u8); 5] = [(4, b'-'), (7, b'-'), (10, b' '), (13, b':'), (16, b':')];

/// Reads `yyyyMMddHHmmss` (APIv2) or `yyyy-MM-dd HH:mm:ss` (APIv2, bills), which are Beijing's without saying so; `None`
/// for anything else.
pub(crate) fn beijing(text: &str) -> Option<UnixSeconds> {
    let bytes = text.as_bytes();
    let places = match bytes.len() {
        14 => COMPACT,
        19 if BETWEEN.iter().all(|(place, byte)| bytes[*place] == *byte) => SPACED,
        _ => return None,
    };
    let digits = places.map(|place| bytes[place].wrapping_sub(b'0'));
    if digits.iter().any(|digit| *digit > 9) {
        return None;
    }
    let number = |from: usize, to: usize| {
        digits[from..to].iter().fold(0, |number, digit| number * 10 + i64::from(*digit))
    };
    let (year, month, day) = (number(0, 4), number(4, 6), number(6, 8));
    let (hour, minute, second) = (number(8, 10), number(10, 12), number(12, 14));
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days_before(year, month) + day - 1;
    Some(UnixSeconds(days * 86_400 + hour * 3600 + minute * 60 + second - BEIJING_SECONDS))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to the first of the month; negative before.
fn days_before(year: i64, month: i64) -> i64 {
    let leaps =
        |year: i64| (year - 1).div_euclid(4) - (year - 1).div_euclid(100) + (year - 1).div_euclid(400);
    let years = (year - 1970) * 365 + leaps(year) - leaps(1970);
    years + (1..month).map(|month| days_in(year, month)).sum::<i64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_of_times() {
        // Seconds by `date -d '… +08:00' +%s`.
        for (text, expected) in [
            ("19700101080000", Some(0)),
            ("20250615230640", Some(1_750_000_000)),
            ("2025-06-15 23:06:40", Some(1_750_000_000)),
            ("20240229000000", Some(1_709_136_000)),
            ("20001231235959", Some(978_278_399)),
            ("20250229000000", None),
            ("20251301000000", None),
            ("20250600000000", None),
            ("20250615240000", None),
            ("20250615236000", None),
            ("2025061523064", None),
            ("2025-06-15T23:06:40", None),
            ("2025-06-15 23:06:4x", None),
            ("2025-06-15 23:06:400", None),
            ("２0250615230640", None),
            ("", None),
        ] {
            assert_eq!(beijing(text), expected.map(UnixSeconds), "{text}");
        }
    }
}
