//! WeChat Pay's limits on how often a merchant may call, kept here so that they are not run into.
//!
//! Calls are spaced: each takes the next turn of its kind, and none is saved up for later, so that no second has more than
//! WeChat Pay allows. The longest space, but for bills, is 7 ms. Limits are shared by the clones of a client, and by nobody
//! else. Deliberately absent: limits across clients of one merchant, and across processes.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use wechatpay::api::Operation;

use crate::error::NotSent;

/// Calls a second, as far as WeChat Pay publishes them: prepay about 500, refunds 150, refund queries 300, bills 3. The
/// others are not published: as refund queries.
fn per_second(operation: Operation) -> u32 {
    match operation {
        Operation::Prepay => 500,
        Operation::Refund => 150,
        Operation::Bill => 3,
        _ => 300,
    }
}

/// Refunds a second that may fail.
const FAILED_REFUNDS_PER_SECOND: u32 = 6;

/// How far ahead failures put off the next call: they count within a second.
const AHEAD_MAX: Duration = Duration::from_secs(1);

/// One merchant's limits.
#[derive(Debug, Default)]
pub(crate) struct Limits([Limit; 4]);

impl Limits {
    /// Waits for the turn of a call.
    ///
    /// # Errors
    /// [`NotSent::TooMany`], at once, where it would come after `deadline`.
    pub(crate) async fn turn(&self, operation: Operation, deadline: Instant) -> Result<(), NotSent> {
        let interval = Duration::from_secs(1) / per_second(operation);
        let turn = self.of(operation).take(interval, Instant::now(), deadline);
        sleep_until(turn.ok_or(NotSent::TooMany)?).await;
        Ok(())
    }

    /// A call was answered, but not with a success.
    pub(crate) fn failed(&self, operation: Operation) {
        if operation == Operation::Refund {
            let interval = Duration::from_secs(1) / FAILED_REFUNDS_PER_SECOND;
            self.of(operation).put_off(interval, Instant::now());
        }
    }

    fn of(&self, operation: Operation) -> &Limit {
        match operation {
            Operation::Prepay => &self.0[0],
            Operation::Refund => &self.0[1],
            Operation::Bill => &self.0[2],
            _ => &self.0[3],
        }
    }
}

/// When the next call may go.
#[derive(Debug, Default)]
struct Limit(Mutex<Option<Instant>>);

impl Limit {
    /// When the call that is to be made `now` may go; `None` if that is after `deadline`, and nobody's turn is taken.
    fn take(&self, interval: Duration, now: Instant, deadline: Instant) -> Option<Instant> {
        let mut next = self.next();
        let turn = next.map_or(now, |next| next.max(now));
        if turn > deadline {
            return None;
        }
        *next = Some(turn + interval);
        Some(turn)
    }

    /// Puts the next call off by `interval`, but to no later than `AHEAD_MAX` from now.
    fn put_off(&self, interval: Duration, now: Instant) {
        let mut next = self.next();
        let turn = next.map_or(now, |next| next.max(now));
        *next = Some(turn.max((turn + interval).min(now + AHEAD_MAX)));
    }

    fn next(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(limit: &Limit, interval: Duration, now: Instant, deadline: Instant) -> Vec<u128> {
        let turns = std::iter::from_fn(|| limit.take(interval, now, deadline));
        turns.map(|turn| turn.duration_since(now).as_millis()).collect()
    }

    /// In no second are there more calls than WeChat Pay allows, be they asked for at once or not.
    #[tokio::test(start_paused = true)]
    async fn a_second_has_as_many_calls_as_are_allowed() {
        let (limit, now, third) = (Limit::default(), Instant::now(), Duration::from_secs(1) / 3);
        let deadline = now + Duration::from_secs(2);
        assert_eq!(waits(&limit, third, now, deadline), [0, 333, 666, 999, 1333, 1666, 1999]);
        assert_eq!(limit.take(third, now, deadline), None, "after the deadline");
        // What was refused takes nobody's turn, and rest gives none in advance.
        let rested = now + Duration::from_secs(60);
        let deadline = rested + Duration::from_millis(500);
        assert_eq!(waits(&limit, third, rested, deadline), [0, 333]);
    }

    /// WeChat Pay allows 6 failing refunds a second: one that failed costs as much time as that, and many at once no more
    /// than the second in which they count.
    #[tokio::test(start_paused = true)]
    async fn refunds_that_fail_put_off_the_next() {
        let (limits, began) = (Limits::default(), Instant::now());
        let deadline = began + Duration::from_secs(30);
        let mut waited = Vec::new();
        for _ in 0..3 {
            limits.turn(Operation::Refund, deadline).await.unwrap();
            waited.push(began.elapsed().as_millis() / 10);
            limits.failed(Operation::Refund);
        }
        assert_eq!(waited, [0, 17, 34], "hundredths of a second");
        for _ in 0..100 {
            limits.failed(Operation::Refund);
            limits.failed(Operation::Query);
        }
        let before = Instant::now();
        limits.turn(Operation::Query, deadline).await.unwrap();
        assert_eq!(before.elapsed(), Duration::ZERO, "only refunds have such a limit");
        limits.turn(Operation::Refund, deadline).await.unwrap();
        assert_eq!(before.elapsed().as_millis() / 10, 100);
    }
}
