//! APIv2's times: Beijing's, without saying so. Deliberately absent: calendars beyond turning them into Unix time.

use crate::UnixSeconds;

/// China has had one offset all year since 1991.
const BEIJING_SECONDS: i64 = 8 * 3600;

/// Reads `yyyyMMddHHmmss` or `yyyy-MM-dd HH:mm:ss`; `None` for anything else.
pub(super) fn beijing(text: &str) -> Option<UnixSeconds> {
    let digits: Vec<i64> =
        text.bytes().filter(u8::is_ascii_digit).map(|digit| i64::from(digit - b'0')).collect();
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if !matches!(shape.as_str(), "00000000000000" | "0000-00-00 00:00:00") {
        return None;
    }
    let number =
        |from: usize, to: usize| digits[from..to].iter().fold(0, |number, digit| number * 10 + digit);
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
            ("２0250615230640", None),
            ("", None),
        ] {
            assert_eq!(beijing(text), expected.map(UnixSeconds), "{text}");
        }
    }
}
