//! When an attempt that failed is followed by another.
//!
//! Invariants: a schedule ends; what is added at random only ever delays, so that the whole lasts at least as long as its
//! pauses say.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The pauses after the first attempt, after the second, and so on; after the last of them comes the last attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u64>", into = "Vec<u64>")]
pub struct Schedule(Vec<Duration>);

/// Why a list of pauses is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// No pause would mean no second attempt.
    #[error("{found} pauses; expected 1 to {}", Schedule::PAUSES_MAX)]
    Count {
        /// How many there are.
        found: usize,
    },
    /// A pause is too short or too long.
    #[error("a pause of {seconds} s; expected 1 to {} s", Schedule::PAUSE_MAX.as_secs())]
    Pause {
        /// Its length.
        seconds: u64,
    },
}

impl Schedule {
    /// How many pauses there may be.
    pub const PAUSES_MAX: usize = 50;

    /// How long one may be: a week.
    pub const PAUSE_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    /// A random part of a fifth is added to each pause, so that what failed at once does not come again at once.
    const JITTER_PARTS: u32 = 5;

    /// In seconds: from five seconds to eight hours, each pause about twice the last one; 24 h 42 min in all, longer
    /// than WeChat itself tries, so that an endpoint may be down for a day.
    const DEFAULT: [u64; 11] =
        [5, 30, 2 * 60, 10 * 60, 30 * 60, 3600, 2 * 3600, 3 * 3600, 4 * 3600, 6 * 3600, 8 * 3600];

    /// Checks each pause, in seconds.
    ///
    /// # Errors
    /// [`ScheduleError`] says what is wrong.
    pub fn parse(seconds: &[u64]) -> Result<Self, ScheduleError> {
        if seconds.is_empty() || seconds.len() > Self::PAUSES_MAX {
            return Err(ScheduleError::Count { found: seconds.len() });
        }
        let pause = |&seconds: &u64| match Duration::from_secs(seconds) {
            pause if seconds >= 1 && pause <= Self::PAUSE_MAX => Ok(pause),
            _ => Err(ScheduleError::Pause { seconds }),
        };
        seconds.iter().map(pause).collect::<Result<_, _>>().map(Self)
    }

    /// How many attempts there are.
    #[must_use]
    pub fn attempts(&self) -> usize {
        self.0.len() + 1
    }

    /// From the first attempt to the last one, at least.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        self.0.iter().sum()
    }

    /// The pause after the attempt of this number (from 1); `None` if it was the last one. `random` is any number.
    #[must_use]
    pub fn pause_after(&self, attempt: u32, random: u64) -> Option<Duration> {
        let place = usize::try_from(attempt.saturating_sub(1)).ok()?;
        let pause = *self.0.get(place)?;
        let spread = u64::try_from((pause / Self::JITTER_PARTS).as_millis()).unwrap_or(u64::MAX);
        Some(pause + Duration::from_millis(random % spread.max(1)))
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Self(Self::DEFAULT.map(Duration::from_secs).into())
    }
}

impl TryFrom<Vec<u64>> for Schedule {
    type Error = ScheduleError;

    fn try_from(seconds: Vec<u64>) -> Result<Self, ScheduleError> {
        Self::parse(&seconds)
    }
}

impl From<Schedule> for Vec<u64> {
    fn from(schedule: Schedule) -> Self {
        schedule.0.into_iter().map(|pause| pause.as_secs()).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn trap_retries_gave_up_after_minutes() {
        let schedule = Schedule::default();
        assert!(schedule.lasts() >= Duration::from_secs(24 * 3600 + 4 * 60), "{:?}", schedule.lasts());
        assert_eq!(Schedule::parse(&Schedule::DEFAULT), Ok(schedule));
    }

    #[test]
    fn pauses_are_bounded() {
        assert_eq!(Schedule::parse(&[]), Err(ScheduleError::Count { found: 0 }));
        assert_eq!(Schedule::parse(&[1; 51]), Err(ScheduleError::Count { found: 51 }));
        for seconds in [0, 7 * 24 * 3600 + 1, u64::MAX] {
            assert_eq!(Schedule::parse(&[1, seconds]), Err(ScheduleError::Pause { seconds }));
        }
    }

    proptest! {
        #[test]
        fn every_pause_is_kept_and_lengthened_by_a_fifth_at_most(
            seconds in prop::collection::vec(1..=604_800_u64, 1..=50), attempt in 0..60_u32, random: u64,
        ) {
            let schedule = Schedule::parse(&seconds).expect("a schedule");
            let number = attempt + 1;
            match (schedule.pause_after(number, random), seconds.get(attempt as usize)) {
                (Some(pause), Some(&seconds)) => {
                    let least = Duration::from_secs(seconds);
                    prop_assert!(least <= pause && pause <= least + least / 5, "{pause:?}");
                    prop_assert!((number as usize) < schedule.attempts());
                }
                (None, None) => prop_assert!(number as usize >= schedule.attempts()),
                other => prop_assert!(false, "{other:?}"),
            }
            let json = serde_json::to_string(&schedule).expect("it serialises");
            prop_assert_eq!(serde_json::from_str::<Schedule>(&json).expect("a schedule"), schedule);
        }
    }
}
