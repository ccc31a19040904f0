//! How often a merchant may ask, by what WeChat publishes; off unless somebody switches it on.
//!
//! Invariants: seconds are the wall clock's, since backends act in real time whatever the pace of business time; memory
//! is bounded by merchants and kinds of calls. Deliberately absent: calls for which nothing is published.

use std::collections::BTreeMap;

use http::Method;
use wechatpay::UnixSeconds;

use crate::books::Refusal;

/// Refunds that fail, a second.
const FAILED_REFUNDS: u32 = 6;

/// A kind of call with a limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Limited {
    Prepay,
    Refund,
    FailedRefund,
    RefundQuery,
    AbnormalRefund,
    FundFlowBill,
    Certificates,
}

/// What was asked in the current second.
#[derive(Debug, Default)]
pub(super) struct Limits {
    pub(super) on: bool,
    pub(super) counts: BTreeMap<(String, Limited), (UnixSeconds, u32)>,
}

impl Limited {
    /// What kind of call it is, if of any.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        let refunds = path.strip_prefix("/v3/refund/domestic/refunds");
        match (method == Method::POST, refunds, path) {
            (true, Some(""), _) | (true, _, "/secapi/pay/refund") => Some(Self::Refund),
            (true, Some(_), _) => Some(Self::AbnormalRefund),
            (false, Some(_), _) | (true, _, "/pay/refundquery") => Some(Self::RefundQuery),
            (false, _, "/v3/bill/fundflowbill") => Some(Self::FundFlowBill),
            (false, _, "/v3/certificates") => Some(Self::Certificates),
            (true, _, "/pay/unifiedorder") => Some(Self::Prepay),
            (true, _, path) if path.ends_with("transactions/jsapi") => Some(Self::Prepay),
            _ => None,
        }
    }

    fn a_second(self) -> u32 {
        match self {
            Self::Prepay => 500,
            Self::Refund | Self::AbnormalRefund => 150,
            Self::FailedRefund => FAILED_REFUNDS,
            Self::RefundQuery => 300,
            Self::FundFlowBill => 3,
            Self::Certificates => 1000,
        }
    }
}

impl Limits {
    /// Counts a call that is about to be made.
    pub(super) fn admit(&mut self, mchid: &str, kind: Limited, now: UnixSeconds) -> Result<(), Refusal> {
        let failed = self.count(mchid, Limited::FailedRefund, now);
        if kind == Limited::Refund && *failed >= Limited::FailedRefund.a_second() {
            return Err(Refusal::TooFast);
        }
        let count = self.count(mchid, kind, now);
        if *count >= kind.a_second() {
            return Err(Refusal::TooFast);
        }
        *count += 1;
        Ok(())
    }

    /// Counts a call that failed.
    pub(super) fn failed(&mut self, mchid: &str, kind: Limited, now: UnixSeconds) {
        if kind == Limited::Refund {
            *self.count(mchid, Limited::FailedRefund, now) += 1;
        }
    }

    fn count(&mut self, mchid: &str, kind: Limited, now: UnixSeconds) -> &mut u32 {
        let (second, count) = self.counts.entry((mchid.to_owned(), kind)).or_insert((now, 0));
        if *second != now {
            (*second, *count) = (now, 0);
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: &str = "1900000001";

    #[test]
    fn table_of_kinds() {
        let refunds = "/v3/refund/domestic/refunds";
        for (method, path, expected) in [
            (Method::POST, "/v3/pay/transactions/jsapi", Some(Limited::Prepay)),
            (Method::POST, "/v3/pay/partner/transactions/jsapi", Some(Limited::Prepay)),
            (Method::POST, "/v3/pay/transactions/native", None),
            (Method::POST, refunds, Some(Limited::Refund)),
            (Method::GET, &format!("{refunds}/R1"), Some(Limited::RefundQuery)),
            (Method::POST, &format!("{refunds}/R1/apply-abnormal-refund"), Some(Limited::AbnormalRefund)),
            (Method::POST, "/secapi/pay/refund", Some(Limited::Refund)),
            (Method::GET, "/v3/bill/tradebill", None),
        ] {
            assert_eq!(Limited::of(&method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn so_many_a_second_for_each_merchant() {
        let mut limits = Limits::default();
        let kind = Limited::FundFlowBill;
        for second in [1, 2] {
            let now = UnixSeconds(second);
            for _ in 0..3 {
                assert_eq!(limits.admit(SHOP, kind, now), Ok(()));
            }
            assert_eq!(limits.admit(SHOP, kind, now), Err(Refusal::TooFast));
            assert_eq!(limits.admit("1900000002", kind, now), Ok(()));
        }
    }

    #[test]
    fn refunds_that_fail_have_a_lower_limit() {
        let (mut limits, now) = (Limits::default(), UnixSeconds(1));
        for _ in 0..6 {
            assert_eq!(limits.admit(SHOP, Limited::Refund, now), Ok(()));
            limits.failed(SHOP, Limited::Refund, now);
        }
        assert_eq!(limits.admit(SHOP, Limited::Refund, now), Err(Refusal::TooFast));
        assert_eq!(limits.admit(SHOP, Limited::RefundQuery, now), Ok(()));
        assert_eq!(limits.admit(SHOP, Limited::Refund, UnixSeconds(2)), Ok(()));
    }
}
