//! WeChat Pay's limits on how often a merchant may call, kept here so that they are not run into.
//!
//! The generic cell rate algorithm: one instant a limit, no timer. Deliberately absent: limits across processes.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use wechatpay::api::Operation;

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

/// Calls that may go at once, as a part of a second's.
const BURST_OF_A_SECOND: u32 = 1;

/// One merchant's limits.
#[derive(Debug, Default)]
pub(crate) struct Limits([Limit; 4]);

impl Limits {
    /// Waits for the turn of a call; `false` if it would come after `deadline`.
    pub(crate) async fn turn(&self, operation: Operation, deadline: Instant) -> bool {
        let place = match operation {
            Operation::Prepay => 0,
            Operation::Refund => 1,
            Operation::Bill => 2,
            _ => 3,
        };
        let Some(turn) = self.0[place].take(per_second(operation), Instant::now(), deadline) else {
            return false;
        };
        sleep_until(turn).await;
        true
    }
}

/// When the limit would be used up, if no call had burst.
#[derive(Debug, Default)]
struct Limit(Mutex<Option<Instant>>);

impl Limit {
    fn take(&self, per_second: u32, now: Instant, deadline: Instant) -> Option<Instant> {
        let interval = Duration::from_secs(1) / per_second;
        let burst = interval * (per_second * BURST_OF_A_SECOND).saturating_sub(1);
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let from = used.map_or(now, |used| used.max(now));
        let turn = from.checked_sub(burst).map_or(now, |turn| turn.max(now));
        if turn > deadline {
            return None;
        }
        *used = Some(from + interval);
        Some(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_second_of_calls_goes_at_once_and_the_rest_at_the_rate() {
        let (limit, now) = (Limit::default(), Instant::now());
        let deadline = now + Duration::from_secs(2);
        let turns: Vec<_> = std::iter::from_fn(|| limit.take(3, now, deadline)).collect();
        let waited: Vec<u128> = turns.iter().map(|turn| turn.duration_since(now).as_millis()).collect();
        assert_eq!(waited, [0, 0, 0, 333, 666, 999, 1333, 1666, 1999]);
        assert_eq!(limit.take(3, now, deadline), None, "after the deadline");
        // What was refused takes nobody's turn.
        assert!(limit.take(3, now + Duration::from_secs(1), deadline + Duration::from_secs(1)).is_some());
    }
}
