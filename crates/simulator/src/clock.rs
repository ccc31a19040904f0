//! The two times of a simulation. Business time is when orders expire and notices are resent; it may run faster, or stand
//! still and be stepped by hand. Wall time is what signatures carry, since receivers hold it against their own clocks.
//!
//! Invariant: business time never goes back. It is counted on tokio's clock, so that tests which pause that one are
//! exact. Deliberately absent: reading the wall clock, which is injected.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use wechatpay::UnixSeconds;

/// Where wall time comes from.
pub type Clock = Arc<dyn Fn() -> UnixSeconds + Send + Sync>;

/// Where it stops: the end of the year 9998 in China. So what follows from it, such as the next attempt or until when an order can
/// be paid, is a date that can be written.
const LAST: Duration = Duration::from_secs(253_370_735_999);

/// How business time goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// So many times as fast as real time.
    Times(NonZeroU32),
    /// Not at all: only [`BusinessClock::step`] moves it.
    ByHand,
}

impl Pace {
    /// As fast as real time.
    pub const REAL: Self = Self::Times(NonZeroU32::MIN);
}

/// Business time.
pub struct BusinessClock(Mutex<Reading>);

/// What the clock showed when it was last touched.
#[derive(Clone, Copy)]
struct Reading {
    since_epoch: Duration,
    at: Instant,
    pace: Pace,
}

impl Reading {
    fn now(self) -> Duration {
        let shown = match self.pace {
            Pace::Times(times) => {
                self.since_epoch.saturating_add(self.at.elapsed().saturating_mul(times.get()))
            }
            Pace::ByHand => self.since_epoch,
        };
        shown.min(LAST)
    }
}

impl BusinessClock {
    /// A clock that shows `start` now.
    #[must_use]
    pub fn new(start: UnixSeconds, pace: Pace) -> Self {
        let since_epoch = Duration::from_secs(start.0.max(0).unsigned_abs());
        Self(Mutex::new(Reading { since_epoch, at: Instant::now(), pace }))
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> UnixSeconds {
        seconds(self.reading().now())
    }

    /// How it goes.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.reading().pace
    }

    /// Lets it go otherwise from now on.
    pub fn set_pace(&self, pace: Pace) {
        self.touch(|reading| reading.pace = pace);
    }

    /// Moves it on.
    pub fn step(&self, by: Duration) {
        self.touch(|reading| reading.since_epoch = reading.since_epoch.saturating_add(by).min(LAST));
    }

    /// What it shows so much later.
    pub(crate) fn after(&self, by: Duration) -> UnixSeconds {
        seconds(self.reading().now().saturating_add(by).min(LAST))
    }

    /// Moves it on to this time, unless it shows a later one.
    pub(crate) fn advance_to(&self, at: UnixSeconds) {
        let at = Duration::from_secs(at.0.max(0).unsigned_abs());
        self.touch(|reading| reading.since_epoch = reading.since_epoch.max(at));
    }

    /// How long it takes in real time until it shows `at`; none where only a step brings that about.
    #[must_use]
    pub fn wait_until(&self, at: UnixSeconds) -> Option<Duration> {
        let reading = self.reading();
        let left = Duration::from_secs(at.0.max(0).unsigned_abs()).saturating_sub(reading.now());
        match reading.pace {
            _ if left.is_zero() => Some(Duration::ZERO),
            // Rounded up, or the waiter would wake a moment too early.
            Pace::Times(times) => Some(left / times.get() + Duration::from_nanos(1)),
            Pace::ByHand => None,
        }
    }

    fn touch(&self, change: impl FnOnce(&mut Reading)) {
        let mut reading = self.reading();
        let now = reading.now();
        *reading = Reading { since_epoch: now, at: Instant::now(), ..*reading };
        change(&mut reading);
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        // No code panics while it holds the lock, and a reading is whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for BusinessClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BusinessClock").field("now", &self.now()).field("pace", &self.pace()).finish()
    }
}

fn seconds(since_epoch: Duration) -> UnixSeconds {
    UnixSeconds(i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UnixSeconds = UnixSeconds(1_000);

    #[tokio::test(start_paused = true)]
    async fn it_runs_at_its_pace_and_takes_steps() {
        let clock = BusinessClock::new(START, Pace::Times(NonZeroU32::new(60).unwrap()));
        assert_eq!(clock.now(), START);
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(clock.now(), UnixSeconds(1_030));
        clock.step(Duration::from_secs(100));
        assert_eq!(clock.now(), UnixSeconds(1_130));
        clock.set_pace(Pace::ByHand);
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(clock.now(), UnixSeconds(1_130));
    }

    #[tokio::test(start_paused = true)]
    async fn it_stops_while_dates_can_be_written() {
        let clock = BusinessClock::new(START, Pace::ByHand);
        for _ in 0..2 {
            clock.step(Duration::from_secs(u64::MAX));
            assert_eq!(crate::calendar::rfc3339(clock.now()), "9998-12-31T23:59:59+08:00");
        }
        clock.advance_to(START);
        assert_eq!(clock.now(), clock.after(Duration::from_secs(1)), "and goes neither on nor back");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_wakes_at_the_time_and_not_before() {
        let clock = BusinessClock::new(START, Pace::Times(NonZeroU32::new(7).unwrap()));
        let wait = clock.wait_until(UnixSeconds(1_001)).unwrap();
        tokio::time::advance(wait - Duration::from_millis(1)).await;
        assert_eq!(clock.now(), START);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(clock.now(), UnixSeconds(1_001));
        assert_eq!(clock.wait_until(START), Some(Duration::ZERO), "the past");
        clock.set_pace(Pace::ByHand);
        assert_eq!(clock.wait_until(UnixSeconds(1_002)), None);
    }
}
