//! What follows from an attempt.

use std::time::Duration;

use super::{Answer, Heard, Schedule};

/// The longest `Retry-After` that is obeyed: a day. An endpoint that asks for more gets the message once a day.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The endpoint took it: done.
    Delivered,
    /// Another attempt.
    Again {
        /// Not before.
        after: Duration,
    },
    /// That was the last attempt: it is listed, and can be replayed.
    Exhausted,
    /// The endpoint says that it is gone for good: it is disabled, and the message held.
    Gone,
}

/// Says what follows. `attempt` is the number of the attempt (from 1), `random` any number.
///
/// A redirect is a failure like others: whoever follows it sends payments to where a stranger points.
#[must_use]
pub fn judge(heard: &Heard, attempt: u32, schedule: &Schedule, random: u64) -> Next {
    match heard.answer {
        answer if answer.is_success() => Next::Delivered,
        Answer::Status(410) => Next::Gone,
        Answer::Status(_) | Answer::Confirmed | Answer::Fault(_) => {
            match schedule.pause_after(attempt, random) {
                Some(pause) => {
                    let asked = heard.retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
                    Next::Again { after: pause.max(asked) }
                }
                None => Next::Exhausted,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::delivery::Fault;

    fn answers() -> impl Strategy<Value = Answer> {
        prop_oneof![
            (100..=999_u16).prop_map(Answer::Status),
            Just(Answer::Confirmed),
            prop::sample::select(&Fault::ALL[..]).prop_map(Answer::Fault),
        ]
    }

    #[test]
    fn what_statuses_mean() {
        let schedule = Schedule::parse(&[10]).expect("a schedule");
        let next = |status, attempt| judge(&Answer::Status(status).into(), attempt, &schedule, 0);
        let again = Next::Again { after: Duration::from_secs(10) };
        for (status, first, last) in [
            (200, Next::Delivered, Next::Delivered),
            (204, Next::Delivered, Next::Delivered),
            (301, again, Next::Exhausted),
            (400, again, Next::Exhausted),
            (404, again, Next::Exhausted),
            (410, Next::Gone, Next::Gone),
            (429, again, Next::Exhausted),
            (503, again, Next::Exhausted),
        ] {
            assert_eq!((next(status, 1), next(status, 2)), (first, last), "{status}");
        }
    }

    proptest! {
        #[test]
        fn a_message_is_delivered_due_again_held_or_listed(
            answer in answers(), retry_after: Option<u64>, attempt in 1..20_u32, random: u64,
        ) {
            let schedule = Schedule::default();
            let heard = Heard { answer, retry_after: retry_after.map(Duration::from_secs) };
            match judge(&heard, attempt, &schedule, random) {
                Next::Delivered => prop_assert!(answer.is_success()),
                Next::Gone => prop_assert_eq!(answer, Answer::Status(410)),
                Next::Exhausted => prop_assert!(attempt as usize >= schedule.attempts()),
                Next::Again { after } => {
                    let pause = schedule.pause_after(attempt, random).expect("there is a next attempt");
                    let asked = heard.retry_after.unwrap_or_default();
                    prop_assert!(after >= pause, "no sooner than planned");
                    prop_assert!(after >= asked.min(RETRY_AFTER_MAX), "nor than asked for");
                    prop_assert!(after <= pause.max(RETRY_AFTER_MAX), "nor for ever");
                }
            }
        }

        #[test]
        fn whatever_is_heard_the_attempts_come_to_an_end(answers in prop::collection::vec(answers(), 50), random: u64) {
            let schedule = Schedule::default();
            let end = (1..).zip(&answers).find(|(attempt, answer)| {
                !matches!(judge(&Heard::from(**answer), *attempt, &schedule, random), Next::Again { .. })
            });
            let (attempt, _) = end.expect("it ends");
            prop_assert!(attempt as usize <= schedule.attempts());
        }
    }
}
