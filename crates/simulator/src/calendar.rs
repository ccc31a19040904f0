//! Times as WeChat writes them: China standard time, +08:00 all year.

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, ToSpan as _, Zoned, tz};
use wechatpay::UnixSeconds;

/// RFC 3339, as in `create_time` and `success_time`.
pub(crate) fn rfc3339(at: UnixSeconds) -> String {
    in_china(at).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// `yyyyMMdd`, as inside a `transaction_id`.
pub(crate) fn date_digits(at: UnixSeconds) -> String {
    in_china(at).strftime("%Y%m%d").to_string()
}

/// `yyyyMMddHHmmss`, the way merchants begin an `out_trade_no`.
pub(crate) fn second_digits(at: UnixSeconds) -> String {
    in_china(at).strftime("%Y%m%d%H%M%S").to_string()
}

/// `yyyy-MM-dd HH:mm:ss`, as in bills.
pub(crate) fn bill_time(at: UnixSeconds) -> String {
    in_china(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// When the day of this date begins; none where it is no date in this format, which has digits for all of it.
pub(crate) fn day(text: &str, format: &str) -> Option<UnixSeconds> {
    let date = Date::strptime(format, text).ok()?;
    // Read back, since a shorter year or month would be read as well.
    (date.strftime(format).to_string() == text).then(|| starts(date)).flatten()
}

/// The time that is written `yyyyMMddHHmmss`; none where it is no time.
pub(crate) fn second(text: &str) -> Option<UnixSeconds> {
    let format = "%Y%m%d%H%M%S";
    let time = DateTime::strptime(format, text).ok()?;
    let zoned = time.to_zoned(china()).ok()?;
    (time.strftime(format).to_string() == text).then(|| UnixSeconds(zoned.timestamp().as_second()))
}

/// When a time's day begins.
pub(crate) fn start_of_day(at: UnixSeconds) -> UnixSeconds {
    starts(in_china(at).date()).unwrap_or(at)
}

/// When the day begins that lies so many months before a time's.
pub(crate) fn months_before(at: UnixSeconds, months: i64) -> UnixSeconds {
    let date = in_china(at).date().checked_sub(months.months());
    date.ok().and_then(starts).unwrap_or(at)
}

fn starts(date: Date) -> Option<UnixSeconds> {
    let zoned = date.to_zoned(china()).ok()?;
    Some(UnixSeconds(zoned.timestamp().as_second()))
}

fn china() -> tz::TimeZone {
    tz::TimeZone::fixed(tz::offset(8))
}

fn in_china(at: UnixSeconds) -> Zoned {
    // A clock outside the years −9999 to 9999 is shown as the epoch: nothing here depends on it.
    let timestamp = Timestamp::from_second(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    timestamp.to_zoned(china())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_china() {
        let new_year_there = UnixSeconds(1_704_038_400); // 2023-12-31T16:00:00Z
        assert_eq!(rfc3339(new_year_there), "2024-01-01T00:00:00+08:00");
        assert_eq!(date_digits(new_year_there), "20240101");
        assert_eq!(bill_time(new_year_there), "2024-01-01 00:00:00");
        for (text, format, expected) in [
            ("2024-01-01", "%Y-%m-%d", Some(new_year_there)),
            ("20240101", "%Y%m%d", Some(new_year_there)),
            ("2024-1-1", "%Y-%m-%d", None),
            ("2024-02-30", "%Y-%m-%d", None),
            ("20240101", "%Y-%m-%d", None),
            ("", "%Y%m%d", None),
        ] {
            assert_eq!(day(text, format), expected, "{text}");
        }
        assert_eq!(second("20240101000000"), Some(new_year_there));
        assert_eq!([second("20240101"), second("20240101250000")], [None, None]);
        assert_eq!(start_of_day(UnixSeconds(new_year_there.0 + 86_399)), new_year_there);
        assert_eq!(months_before(new_year_there, 3), day("2023-10-01", "%Y-%m-%d").unwrap());
        assert_eq!(second_digits(new_year_there), "20240101000000");
    }
}
