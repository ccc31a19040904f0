//! Puts alerts of one kind and subject together: the first goes out at once, those that follow within a window become one
//! notice at its end, and so on while they keep coming.
//!
//! Pure: time is an argument. Invariants: each alert that is raised is counted in exactly one notice; between two notices of
//! one group there is a window at least; a group that was silent for a window is forgotten.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use super::alert::{Alert, AlertKind};

/// Alerts of a notice that are told one by one; the others are counted.
pub(crate) const SHOWN_MAX: usize = 5;

/// Alerts that go out as one. `R` is what each came with, for whoever waits for it to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grouped<R> {
    /// The first few, in the order in which they came; at least one.
    pub shown: Vec<Alert>,
    /// How many there are.
    pub count: u64,
    pub receipts: Vec<R>,
}

impl<R> Grouped<R> {
    fn of(alert: Alert, receipt: Option<R>) -> Self {
        Self { shown: vec![alert], count: 1, receipts: receipt.into_iter().collect() }
    }

    fn add(&mut self, alert: Alert, receipt: Option<R>) {
        self.count += 1;
        self.receipts.extend(receipt);
        if self.shown.len() < SHOWN_MAX {
            self.shown.push(alert);
        }
    }
}

/// The groups of which something went out within the last window.
pub(crate) struct Groups<R> {
    window: Duration,
    open: BTreeMap<(AlertKind, String), Open<R>>,
}

struct Open<R> {
    /// When the window ends.
    until: Instant,
    held: Option<Grouped<R>>,
}

impl<R> Groups<R> {
    pub(crate) fn new(window: Duration) -> Self {
        Self { window, open: BTreeMap::new() }
    }

    /// Takes an alert. Returns what goes out at once, if it is the first of its group.
    pub(crate) fn raise(&mut self, now: Instant, alert: Alert, receipt: Option<R>) -> Option<Grouped<R>> {
        let key = (alert.kind(), alert.subject());
        match self.open.get_mut(&key) {
            Some(Open { held: Some(held), .. }) => held.add(alert, receipt),
            Some(open) if now < open.until => open.held = Some(Grouped::of(alert, receipt)),
            _ => {
                self.open.insert(key, Open { until: now + self.window, held: None });
                return Some(Grouped::of(alert, receipt));
            }
        }
        None
    }

    /// What was held and goes out now, the windows being over.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<Grouped<R>> {
        let mut due = Vec::new();
        let window = self.window;
        self.open.retain(|_, open| {
            if open.until > now {
                return true;
            }
            let Some(held) = open.held.take() else { return false };
            due.push(held);
            open.until = now + window;
            true
        });
        due
    }

    /// When something that is held goes out next.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.open.values().filter(|open| open.held.is_some()).map(|open| open.until).min()
    }
}

#[cfg(test)]
mod tests {
    use payonce_core::delivery::{Answer, EndpointName};
    use payonce_core::message::MessageId;
    use proptest::prelude::*;

    use super::*;

    const WINDOW: Duration = Duration::from_secs(60);

    fn exhausted(endpoint: &str, number: u64) -> Alert {
        Alert::Exhausted {
            endpoint: EndpointName::parse(endpoint).unwrap(),
            message: MessageId(format!("order:1:A:{number}")),
            answer: Answer::Status(500),
        }
    }

    fn seconds(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    fn told(grouped: &Grouped<u64>) -> (usize, u64, Vec<u64>) {
        (grouped.shown.len(), grouped.count, grouped.receipts.clone())
    }

    #[test]
    fn the_first_goes_at_once_and_those_that_follow_become_one() {
        let start = Instant::now();
        let mut groups = Groups::new(WINDOW);
        let mut raise = |at, endpoint, number| {
            groups.raise(seconds(start, at), exhausted(endpoint, number), Some(number)).map(|one| told(&one))
        };
        assert_eq!(raise(0, "a", 1), Some((1, 1, vec![1])));
        for number in 2..=8 {
            assert_eq!(raise(number, "a", number), None);
        }
        assert_eq!(raise(9, "b", 9), Some((1, 1, vec![9])), "another subject");
        assert_eq!(groups.next_due(), Some(seconds(start, 60)));
        assert_eq!(groups.due(seconds(start, 59)), []);
        let due: Vec<_> = groups.due(seconds(start, 60)).iter().map(told).collect();
        assert_eq!(due, [(SHOWN_MAX, 7, (2..=8).collect())]);
        assert_eq!(groups.next_due(), None);
    }

    #[test]
    fn a_group_that_was_silent_for_a_window_begins_anew() {
        let start = Instant::now();
        let mut groups = Groups::new(WINDOW);
        assert!(groups.raise(start, exhausted("a", 1), Some(1)).is_some());
        assert!(groups.raise(seconds(start, 1), exhausted("a", 2), Some(2)).is_none());
        assert_eq!(groups.due(seconds(start, 60)).len(), 1);
        // What was held went out at 60: the next window ends at 120.
        assert!(groups.raise(seconds(start, 119), exhausted("a", 3), Some(3)).is_none());
        assert_eq!(groups.due(seconds(start, 120)).len(), 1);
        assert_eq!(groups.due(seconds(start, 180)), []);
        assert!(groups.raise(seconds(start, 181), exhausted("a", 4), Some(4)).is_some());
    }

    #[test]
    fn nobody_has_to_ask_for_what_is_due_for_a_window_to_end() {
        let start = Instant::now();
        let mut groups = Groups::new(WINDOW);
        assert!(groups.raise(start, exhausted("a", 1), None::<u64>).is_some());
        assert!(groups.raise(seconds(start, 60), exhausted("a", 2), None).is_some());
    }

    proptest! {
        #[test]
        fn each_is_told_once_and_no_group_more_often_than_its_window(
            raised in prop::collection::vec((0..40_u64, 0..3_usize), 1..80),
        ) {
            let start = Instant::now();
            let mut groups = Groups::new(WINDOW);
            let mut now = start;
            let mut told: Vec<(Instant, Grouped<u64>)> = Vec::new();
            for (number, (pause, endpoint)) in (0..).zip(&raised) {
                now += Duration::from_secs(*pause);
                told.extend(groups.due(now).into_iter().map(|one| (now, one)));
                let alert = exhausted(["a", "b", "c"][*endpoint], number);
                told.extend(groups.raise(now, alert, Some(number)).map(|one| (now, one)));
            }
            while let Some(due) = groups.next_due() {
                told.extend(groups.due(due).into_iter().map(|one| (due, one)));
            }
            let mut receipts: Vec<u64> = told.iter().flat_map(|(_, one)| one.receipts.clone()).collect();
            receipts.sort_unstable();
            prop_assert_eq!(receipts, (0..raised.len() as u64).collect::<Vec<_>>());
            let mut last: BTreeMap<String, Instant> = BTreeMap::new();
            for (at, one) in &told {
                prop_assert!(!one.shown.is_empty() && one.shown.len() <= SHOWN_MAX);
                prop_assert_eq!(one.count, one.receipts.len() as u64);
                if let Some(before) = last.insert(one.shown[0].subject(), *at) {
                    prop_assert!(*at >= before + WINDOW);
                }
            }
        }
    }
}
