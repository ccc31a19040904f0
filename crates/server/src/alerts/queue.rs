//! What waits for a channel, and which of it is tried next.
//!
//! Pure: time is an argument. Invariants: what waits is bounded; notices are tried in their order, but one that the channel
//! refuses by itself (for a word in it) holds up no other; a channel that let one notice go unheard to its last attempt gets
//! one attempt at each until it takes one, so that what waits for it is soon over.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::{notice::Notice, under_way::Receipt};

/// Notices that wait for a channel. More are given up: nobody reads so many, and each may stand for thousands of alerts.
const NOTICES_MAX: usize = 100;

pub(super) struct Waiting {
    pub notice: Notice,
    /// How many attempts were made.
    pub attempts: u32,
    due: Instant,
    /// How many notices the channel had taken when this one came.
    taken_before: u64,
    /// Gone once the notice is told or given up.
    _receipts: Vec<Receipt>,
}

#[derive(Default)]
pub(super) struct Queue {
    waiting: VecDeque<Waiting>,
    /// Those that the channel refused by themselves.
    refused: Vec<Waiting>,
    taken: u64,
    is_away: bool,
}

impl Queue {
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() + self.refused.len() >= NOTICES_MAX
    }

    pub(super) fn push(&mut self, notice: Notice, receipts: Vec<Receipt>, now: Instant) {
        let taken_before = self.taken;
        self.waiting.push_back(Waiting { notice, attempts: 0, due: now, taken_before, _receipts: receipts });
    }

    /// When something is to be tried next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.front().into_iter().chain(&self.refused).map(|waiting| waiting.due).min()
    }

    /// What is to be tried now.
    pub(super) fn take(&mut self, now: Instant) -> Option<Waiting> {
        let is_due = |waiting: &Waiting| waiting.due <= now;
        let mut next = if self.waiting.front().is_some_and(is_due) {
            self.waiting.pop_front()?
        } else {
            let place = self.refused.iter().position(is_due)?;
            self.refused.remove(place)
        };
        next.attempts += 1;
        Some(next)
    }

    /// The channel took one.
    pub(super) fn taken(&mut self) {
        self.taken += 1;
        self.is_away = false;
    }

    /// Whether the channel takes nothing, as far as is known: each notice gets one attempt then.
    pub(super) fn is_away(&self) -> bool {
        self.is_away
    }

    /// The channel took it not; `by_itself` if that says nothing of others.
    pub(super) fn again(&mut self, waiting: Waiting, due: Instant, by_itself: bool) {
        let waiting = Waiting { due, ..waiting };
        if by_itself {
            self.refused.push(waiting);
        } else {
            self.waiting.push_front(waiting);
        }
    }

    /// No further attempt is made.
    pub(super) fn given_up(&mut self, waiting: &Waiting) {
        self.is_away |= waiting.taken_before == self.taken;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use payonce_core::UnixMillis;

    use super::*;
    use crate::alerts::alert::Alert;

    const PAUSE: Duration = Duration::from_secs(60);

    fn queue(ids: &[&str], now: Instant) -> Queue {
        let mut queue = Queue::default();
        for id in ids {
            push(&mut queue, id, now);
        }
        queue
    }

    fn push(queue: &mut Queue, id: &str, now: Instant) {
        let (id, node) = (id.to_owned(), "node-a".to_owned());
        let notice = Notice { id, at: UnixMillis(0), node, shown: vec![Alert::Test], count: 1 };
        queue.push(notice, Vec::new(), now);
    }

    fn next(queue: &mut Queue, now: Instant) -> Option<String> {
        queue.take(now).map(|waiting| waiting.notice.id)
    }

    #[test]
    fn a_notice_that_is_refused_by_itself_holds_up_no_other() {
        let now = Instant::now();
        let mut queue = queue(&["a", "b", "c"], now);
        let a = queue.take(now).unwrap();
        queue.again(a, now + PAUSE, true);
        assert_eq!((next(&mut queue, now), next(&mut queue, now)), (Some("b".into()), Some("c".into())));
        assert_eq!((next(&mut queue, now), queue.next_due()), (None, Some(now + PAUSE)));
        let a = queue.take(now + PAUSE).unwrap();
        assert_eq!((a.notice.id.as_str(), a.attempts), ("a", 2));
    }

    #[test]
    fn a_channel_that_is_away_is_asked_for_the_first_alone() {
        let now = Instant::now();
        let mut queue = queue(&["a", "b"], now);
        let a = queue.take(now).unwrap();
        queue.again(a, now + PAUSE, false);
        assert_eq!((next(&mut queue, now), queue.next_due()), (None, Some(now + PAUSE)));
        assert_eq!(next(&mut queue, now + PAUSE), Some("a".into()));
    }

    #[test]
    fn after_one_that_is_given_up_each_gets_one_attempt_until_one_is_taken() {
        let now = Instant::now();
        let mut queue = queue(&["a", "b", "c"], now);
        let a = queue.take(now).unwrap();
        assert!(!queue.is_away());
        queue.given_up(&a);
        let b = queue.take(now).unwrap();
        assert!(queue.is_away());
        queue.taken();
        assert!(!queue.is_away());
        // That one is given up says nothing, if others were taken meanwhile.
        queue.given_up(&b);
        assert!(!queue.is_away());
    }

    #[test]
    fn what_waits_is_bounded() {
        let now = Instant::now();
        let mut queue = queue(&["a"; NOTICES_MAX - 1], now);
        assert!(!queue.is_full());
        push(&mut queue, "z", now);
        assert!(queue.is_full());
        let first = queue.take(now).unwrap();
        queue.again(first, now + PAUSE, true);
        assert!(queue.is_full(), "what was refused waits, too");
    }
}
