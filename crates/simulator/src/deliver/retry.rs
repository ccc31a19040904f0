//! When WeChat resends a notice that was not acknowledged.

use std::num::NonZeroU32;
use std::time::Duration;

/// The official waits between attempts for payment notices: 24 h 4 min in all, then nothing.
pub const OFFICIAL_WAITS: [Duration; 15] = {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    [
        Duration::from_secs(15),
        Duration::from_secs(15),
        Duration::from_secs(30),
        Duration::from_secs(3 * MINUTE),
        Duration::from_secs(10 * MINUTE),
        Duration::from_secs(20 * MINUTE),
        Duration::from_secs(30 * MINUTE),
        Duration::from_secs(30 * MINUTE),
        Duration::from_secs(30 * MINUTE),
        Duration::from_secs(HOUR),
        Duration::from_secs(3 * HOUR),
        Duration::from_secs(3 * HOUR),
        Duration::from_secs(3 * HOUR),
        Duration::from_secs(6 * HOUR),
        Duration::from_secs(6 * HOUR),
    ]
};

/// How often and at what pace an unacknowledged copy is resent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    resends_max: usize,
    times_faster: NonZeroU32,
}

impl Retry {
    /// Each copy is sent once.
    pub const NEVER: Self = Self { resends_max: 0, times_faster: NonZeroU32::MIN };

    /// All of [`OFFICIAL_WAITS`], at WeChat's pace.
    pub const OFFICIAL: Self = Self { resends_max: OFFICIAL_WAITS.len(), times_faster: NonZeroU32::MIN };

    /// The official schedule with every wait divided.
    #[must_use]
    pub const fn faster(times: NonZeroU32) -> Self {
        Self { times_faster: times, ..Self::OFFICIAL }
    }

    /// The same pace, given up after this many resends.
    #[must_use]
    pub const fn at_most(self, resends: usize) -> Self {
        Self { resends_max: resends, ..self }
    }

    /// How long to wait after an unacknowledged attempt (the first is 1); none where there is no further one.
    #[must_use]
    pub fn wait_after(&self, attempt: u32) -> Option<Duration> {
        let resends = usize::try_from(attempt).ok()?.checked_sub(1)?;
        if resends >= self.resends_max {
            return None;
        }
        OFFICIAL_WAITS.get(resends).map(|wait| *wait / self.times_faster.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_official_schedule_takes_a_day_and_four_minutes() {
        let total: Duration = OFFICIAL_WAITS.iter().sum();
        assert_eq!(total, Duration::from_secs(24 * 3600 + 4 * 60));
    }

    #[test]
    fn waits_follow_the_schedule_the_pace_and_the_bound() {
        let fast = Retry::faster(NonZeroU32::new(1000).unwrap());
        for (retry, attempt, wait_millis) in [
            (Retry::NEVER, 1, None),
            (Retry::OFFICIAL, 0, None),
            (Retry::OFFICIAL, 1, Some(15_000)),
            (Retry::OFFICIAL, 15, Some(6 * 3_600_000)),
            (Retry::OFFICIAL, 16, None),
            (fast, 4, Some(180)),
            (fast.at_most(2), 2, Some(15)),
            (fast.at_most(2), 3, None),
        ] {
            assert_eq!(
                retry.wait_after(attempt),
                wait_millis.map(Duration::from_millis),
                "{retry:?} {attempt}"
            );
        }
    }
}
