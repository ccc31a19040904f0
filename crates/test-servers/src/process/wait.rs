//! Waiting for another process to reach a state. It sends no signal for that, so it is asked again and again.

use std::time::{Duration, Instant};

/// Short beside what a server takes to start, long beside what asking costs.
const INTERVAL: Duration = Duration::from_millis(10);

/// Asks until there is an answer; `None` when there was none within `limit`. It asks at least once.
pub(crate) fn until<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    loop {
        let answer = ask();
        if answer.is_some() || started.elapsed() > limit {
            return answer;
        }
        #[expect(clippy::disallowed_methods, reason = "another process's state can only be polled")]
        std::thread::sleep(INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_asks_until_there_is_an_answer_or_time_is_up() {
        let mut asked = 0;
        let answer = until(Duration::MAX, || {
            asked += 1;
            (asked == 3).then_some(asked)
        });
        assert_eq!(answer, Some(3));
        assert_eq!(until(Duration::ZERO, || None::<()>), None);
    }
}
