//! Times as WeChat writes them: China standard time, +08:00 all year.

use jiff::{Timestamp, Zoned, tz};
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

fn in_china(at: UnixSeconds) -> Zoned {
    // A clock outside the years −9999 to 9999 is shown as the epoch: nothing here depends on it.
    let timestamp = Timestamp::from_second(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    timestamp.to_zoned(tz::TimeZone::fixed(tz::offset(8)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_china() {
        let new_year_there = UnixSeconds(1_704_038_400); // 2023-12-31T16:00:00Z
        assert_eq!(rfc3339(new_year_there), "2024-01-01T00:00:00+08:00");
        assert_eq!(date_digits(new_year_there), "20240101");
        assert_eq!(second_digits(new_year_there), "20240101000000");
    }
}
