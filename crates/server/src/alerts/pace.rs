//! How often a channel may be called: so many times in any minute, with a little rest between two calls.
//!
//! Pure: time is an argument.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);

/// Feishu takes five calls a second.
const REST: Duration = Duration::from_millis(250);

/// Whoever asks for a longer pause is asked again after this one.
const PAUSE_MAX: Duration = Duration::from_secs(60 * 60);

pub(crate) struct Pace {
    per_minute: usize,
    /// The calls of the last minute, the earliest first.
    made: VecDeque<Instant>,
    not_before: Option<Instant>,
}

impl Pace {
    /// `per_minute` is at least one.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self { per_minute: per_minute as usize, made: VecDeque::new(), not_before: None }
    }

    /// When the next call may be made; in the past if it may be made now.
    pub(crate) fn free_at(&self, now: Instant) -> Instant {
        let rested = self.made.back().map(|last| *last + REST);
        let full = self.made.len().checked_sub(self.per_minute).and_then(|place| self.made.get(place));
        let minute = full.map(|earliest| *earliest + MINUTE);
        [rested, minute, self.not_before].into_iter().flatten().max().unwrap_or(now)
    }

    pub(crate) fn made(&mut self, now: Instant) {
        while self.made.len() >= self.per_minute {
            self.made.pop_front();
        }
        self.made.push_back(now);
    }

    /// The channel itself asks for a pause. A `Retry-After` may name any number of seconds, and any date.
    pub(crate) fn pause(&mut self, now: Instant, pause: Duration) {
        let until = now + pause.min(PAUSE_MAX);
        self.not_before = Some(self.not_before.map_or(until, |before| before.max(until)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_minute_has_more_calls_than_are_allowed() {
        let start = Instant::now();
        for per_minute in [1, 2, 18, 60] {
            let mut pace = Pace::new(per_minute);
            let (mut now, mut made) = (start, Vec::new());
            for _ in 0..200 {
                now = pace.free_at(now).max(now);
                pace.made(now);
                made.push(now);
            }
            assert!(made.windows(2).all(|two| two[1] >= two[0] + REST));
            let minutes = made.windows(per_minute as usize + 1);
            assert!(minutes.into_iter().all(|calls| calls[per_minute as usize] >= calls[0] + MINUTE));
            assert!(made[per_minute as usize - 1] < start + MINUTE, "and none is wasted");
        }
    }

    #[test]
    fn a_pause_that_is_asked_for_is_heeded() {
        let start = Instant::now();
        let mut pace = Pace::new(18);
        assert_eq!(pace.free_at(start), start);
        pace.pause(start, MINUTE * 10);
        pace.pause(start, MINUTE);
        assert_eq!(pace.free_at(start), start + MINUTE * 10);
    }

    #[test]
    fn a_pause_without_end_ends() {
        let start = Instant::now();
        for pause in [Duration::MAX, Duration::from_secs(u64::MAX), MINUTE * 61] {
            let mut pace = Pace::new(18);
            pace.pause(start, pause);
            assert_eq!(pace.free_at(start), start + PAUSE_MAX);
        }
    }
}
