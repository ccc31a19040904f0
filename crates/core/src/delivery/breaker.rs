//! Keeps an endpoint that is dead from eating the time of the living ones.
//!
//! One for each endpoint on each node, in memory. While it is open, no call begins and no attempt is used up: the
//! messages stay due. Invariants: an answer of somebody who is alive closes it, whenever it comes; half open, one call
//! is under way at a time; it is never open for longer than [`Breaker::WAIT_MAX`]. Time is any clock that only goes
//! forward, as a span since its beginning.

use std::time::Duration;

/// How many calls may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// As many as the endpoint may have.
    Free,
    /// One, to see whether it is alive.
    One,
    /// None before this time.
    None {
        /// When to ask again.
        until: Duration,
    },
}

/// Whether an endpoint is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breaker(State);

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// It was alive at last, or failed a few times in a row.
    Closed { failed: u32 },
    /// It is given a rest until a time, which lasts so long.
    Open { until: Duration, wait: Duration },
    /// One call is under way; if nothing is heard of it until then, it counts as lost.
    HalfOpen { until: Duration, wait: Duration },
}

impl Breaker {
    /// So many calls in a row must fail.
    pub const FAILED_MAX: u32 = 5;

    /// The first rest; each further one is twice as long.
    const WAIT_MIN: Duration = Duration::from_secs(1);

    /// The longest rest: how late at most it is noticed that an endpoint is back.
    pub const WAIT_MAX: Duration = Duration::from_secs(60);

    /// How long a call may take before another is tried: longer than any time-out.
    const PROBE_MAX: Duration = Duration::from_secs(60);

    /// Closed.
    #[must_use]
    pub fn new() -> Self {
        Self(State::Closed { failed: 0 })
    }

    /// How many calls may begin now.
    #[must_use]
    pub fn allows(&self, now: Duration) -> Allowance {
        match self.0 {
            State::Closed { .. } => Allowance::Free,
            State::Open { until, .. } | State::HalfOpen { until, .. } if now < until => {
                Allowance::None { until }
            }
            State::Open { .. } | State::HalfOpen { .. } => Allowance::One,
        }
    }

    /// A call begins, which was allowed.
    pub fn begun(&mut self, now: Duration) {
        if let State::Open { wait, .. } | State::HalfOpen { wait, .. } = self.0 {
            self.0 = State::HalfOpen { until: now + Self::PROBE_MAX, wait };
        }
    }

    /// A call ended; `alive` as [`Answer::is_alive`](super::Answer::is_alive) says.
    pub fn ended(&mut self, now: Duration, alive: bool) {
        self.0 = match self.0 {
            _ if alive => State::Closed { failed: 0 },
            State::Closed { failed } if failed + 1 < Self::FAILED_MAX => State::Closed { failed: failed + 1 },
            State::Closed { .. } => State::Open { until: now + Self::WAIT_MIN, wait: Self::WAIT_MIN },
            // A call that began before: the endpoint has its rest already.
            State::Open { until, wait } => State::Open { until, wait },
            State::HalfOpen { wait, .. } => {
                let wait = (2 * wait).min(Self::WAIT_MAX);
                State::Open { until: now + wait, wait }
            }
        };
    }
}

impl Default for Breaker {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_dead_endpoint_is_asked_ever_more_seldom() {
        let mut breaker = Breaker::new();
        for _ in 0..Breaker::FAILED_MAX {
            assert_eq!(breaker.allows(seconds(0)), Allowance::Free);
            breaker.ended(seconds(0), false);
        }
        let mut now = seconds(0);
        for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(breaker.allows(now), Allowance::None { until: now + seconds(wait) });
            now += seconds(wait);
            assert_eq!(breaker.allows(now), Allowance::One);
            breaker.begun(now);
            assert_eq!(breaker.allows(now), Allowance::None { until: now + Breaker::PROBE_MAX });
            breaker.ended(now, false);
        }
        breaker.begun(now + seconds(60));
        breaker.ended(now + seconds(61), true);
        assert_eq!(breaker, Breaker::new());
    }

    #[test]
    fn a_call_of_which_nothing_is_heard_is_followed_by_another() {
        let mut breaker = Breaker::new();
        (0..Breaker::FAILED_MAX).for_each(|_| breaker.ended(seconds(0), false));
        breaker.begun(seconds(1));
        assert_eq!(breaker.allows(seconds(60)), Allowance::None { until: seconds(61) });
        assert_eq!(breaker.allows(seconds(61)), Allowance::One);
    }

    #[derive(Clone, Debug)]
    enum Op {
        Passes(u64),
        Begins,
        Ends { alive: bool },
    }

    fn ops() -> impl Strategy<Value = Vec<Op>> {
        let op = prop_oneof![
            (0..90_000_u64).prop_map(Op::Passes),
            Just(Op::Begins),
            prop::bool::weighted(0.2).prop_map(|alive| Op::Ends { alive }),
        ];
        prop::collection::vec(op, 1..200)
    }

    proptest! {
        #[test]
        fn it_neither_floods_nor_forgets_an_endpoint(ops in ops()) {
            let (mut breaker, mut now, mut failed) = (Breaker::new(), Duration::ZERO, 0);
            for op in ops {
                match op {
                    Op::Passes(millis) => now += Duration::from_millis(millis),
                    Op::Begins => {
                        let allowed = breaker.allows(now);
                        if matches!(allowed, Allowance::None { .. }) {
                            continue;
                        }
                        breaker.begun(now);
                        if allowed == Allowance::One {
                            prop_assert!(matches!(breaker.allows(now), Allowance::None { .. }), "one at a time");
                        }
                    }
                    Op::Ends { alive } => {
                        breaker.ended(now, alive);
                        failed = if alive { 0 } else { failed + 1 };
                        if alive {
                            prop_assert_eq!(&breaker, &Breaker::new());
                        }
                    }
                }
                match breaker.allows(now) {
                    Allowance::Free => prop_assert!(failed < Breaker::FAILED_MAX),
                    Allowance::One => prop_assert!(failed >= Breaker::FAILED_MAX),
                    Allowance::None { until } => {
                        prop_assert!(failed >= Breaker::FAILED_MAX);
                        prop_assert!(now < until && until <= now + Breaker::WAIT_MAX, "{until:?} at {now:?}");
                    }
                }
            }
        }
    }
}
