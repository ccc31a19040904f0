//! The one unit of time on WeChat Pay's wire. Deliberately absent: reading a clock, calendars, time zones.

/// Unix time in whole seconds, as in `Wechatpay-Timestamp` and in signing strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct UnixSeconds(pub i64);
