//! When refused callbacks are worth an alert: many of one merchant's, for one reason, in a short time.
//!
//! WeChat itself sends callbacks with a wrong signature, to see whether they are refused (`WECHATPAY/SIGNTEST/…`): these are
//! counted by the metrics and never alarmed; an effect that fails is told by an alert of its own. A single refused callback means little: whoever knows a URL can send one.
//!
//! Pure: time is an argument. Invariants: what strangers put into a path makes no entries; an alert is followed by another
//! of its kind only when as many were refused again.

use std::collections::HashMap;

use payonce_core::{MerchantId, UnixMillis};

use super::alert::Alert;

/// How many refused callbacks are an alert.
const COUNT: u64 = 10;

/// Within how long.
const WITHIN_MINUTES: u64 = 5;

const WITHIN_MILLIS: i64 = 5 * 60 * 1000;

/// The verdict of WeChat's own probes.
const PROBE: &str = "signature_probe";

/// Of ours: whoever stops a server knows it.
const SHUTTING_DOWN: &str = "shutting_down";

/// Told as [`Alert::EffectFailed`], with other advice: the callback is a good one.
const EFFECT_FAILED: &str = "effect_failed";

#[derive(Default)]
pub(crate) struct Refusals(HashMap<(Option<MerchantId>, &'static str), Since>);

struct Since {
    first: UnixMillis,
    count: u64,
}

impl Refusals {
    /// A callback was refused. `merchant` is one that is configured.
    pub(crate) fn refused(
        &mut self,
        merchant: Option<&MerchantId>,
        verdict: &'static str,
        now: UnixMillis,
    ) -> Option<Alert> {
        if matches!(verdict, PROBE | SHUTTING_DOWN | EFFECT_FAILED) {
            return None;
        }
        let since = self.0.entry((merchant.cloned(), verdict)).or_insert(Since { first: now, count: 0 });
        // A clock that went back begins anew as well.
        if !(0..WITHIN_MILLIS).contains(&(now.0 - since.first.0)) {
            *since = Since { first: now, count: 0 };
        }
        since.count += 1;
        if since.count < COUNT {
            return None;
        }
        self.0.remove(&(merchant.cloned(), verdict));
        let (merchant, minutes) = (merchant.cloned(), WITHIN_MINUTES);
        Some(Alert::CallbacksRefused { merchant, verdict, count: COUNT, minutes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuse(refusals: &mut Refusals, mchid: Option<&str>, verdict: &'static str, at: i64) -> bool {
        let merchant = mchid.map(|mchid| MerchantId::parse(mchid).unwrap());
        refusals.refused(merchant.as_ref(), verdict, UnixMillis(at)).is_some()
    }

    #[test]
    fn many_for_one_reason_in_a_short_time_are_an_alert_and_then_it_begins_anew() {
        let mut refusals = Refusals::default();
        let mut alerts = Vec::new();
        for number in 1..=25 {
            if refuse(&mut refusals, Some("1"), "signature_mismatch", number * 1000) {
                alerts.push(number);
            }
            // Neither another merchant's nor another reason's are counted with them.
            assert!(!refuse(&mut refusals, Some("2"), "signature_mismatch", number * 60_000));
            assert!(number % 3 > 0 || !refuse(&mut refusals, Some("1"), "headers", number * 1000));
        }
        assert_eq!(alerts, [10, 20]);
    }

    #[test]
    fn few_in_a_long_time_are_none() {
        let mut refusals = Refusals::default();
        assert!((0..100).all(|number| !refuse(&mut refusals, None, "unknown_merchant", number * 40_000)));
    }

    #[test]
    fn trap_signature_probes_are_counted_and_not_alarmed() {
        let mut refusals = Refusals::default();
        assert!((0..100).all(|at| !refuse(&mut refusals, Some("1"), "signature_probe", at)));
        assert!(refusals.0.is_empty());
    }

    #[test]
    fn a_failed_effect_is_not_told_a_second_time_as_a_refusal() {
        let mut refusals = Refusals::default();
        assert!((0..100).all(|at| !refuse(&mut refusals, Some("1"), "effect_failed", at)));
        assert!(refusals.0.is_empty());
    }
}
