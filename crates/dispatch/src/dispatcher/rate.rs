//! No more calls a second than an endpoint wishes.

use std::time::Duration;

use tokio::time::Instant;

/// A bucket that fills by `per_second`, up to one second's worth. Without a rate it is never empty.
#[derive(Debug)]
pub(super) struct Rate {
    per_second: Option<u32>,
    /// When the bucket would have been empty, had nothing been taken since: calls are spaced along this.
    empty_at: Instant,
}

impl Rate {
    pub(super) fn new(per_second: Option<u32>, now: Instant) -> Self {
        Self { per_second: per_second.map(|rate| rate.max(1)), empty_at: now }
    }

    /// How many calls may begin now.
    pub(super) fn allows(&self, now: Instant) -> usize {
        let Some(rate) = self.per_second else { return usize::MAX };
        let filled = now.saturating_duration_since(self.empty_at).min(Duration::from_secs(1));
        (filled.as_micros() * u128::from(rate) / 1_000_000) as usize
    }

    pub(super) fn take(&mut self, now: Instant) {
        if let Some(rate) = self.per_second {
            let full_since = now.checked_sub(Duration::from_secs(1)).unwrap_or(now);
            self.empty_at = self.empty_at.max(full_since) + Duration::from_secs(1) / rate;
        }
    }

    /// When the next call may begin.
    pub(super) fn next(&self) -> Option<Instant> {
        self.per_second
            .map(|rate| self.empty_at + (Duration::from_secs(1) / rate).max(Duration::from_micros(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_second_has_more_than_it_may() {
        let mut now = Instant::now();
        let mut rate = Rate::new(Some(10), now);
        let mut begun: Vec<Instant> = Vec::new();
        for step in [0_u64, 5, 100, 100, 1, 3000, 0, 50, 50, 900, 7, 7, 10_000, 0, 0, 0, 0] {
            now += Duration::from_millis(step);
            while rate.allows(now) > 0 {
                rate.take(now);
                begun.push(now);
            }
        }
        assert!(begun.len() > 20, "{}", begun.len());
        for first in &begun {
            let within = begun.iter().filter(|at| *at >= first && **at < *first + Duration::from_secs(1));
            assert!(within.count() <= 20, "a full bucket and what came since");
        }
        assert_eq!(Rate::new(None, now).allows(now), usize::MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_call_is_allowed_when_it_says() {
        let now = Instant::now();
        let mut rate = Rate::new(Some(3), now);
        for _ in 0..20 {
            let next = rate.next().expect("there is a rate");
            assert_eq!(rate.allows(next.checked_sub(Duration::from_millis(2)).expect("later")), 0);
            assert!(rate.allows(next + Duration::from_micros(1)) > 0);
            rate.take(next + Duration::from_micros(1));
        }
    }
}
