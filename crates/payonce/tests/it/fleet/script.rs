//! What happens while callbacks come, and at which of them: moments are told by signals, not by time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::crash::Moment;

type Event = Box<dyn FnOnce() + Send>;

/// Events, each to happen once.
#[derive(Default)]
pub(super) struct Script {
    events: Mutex<Vec<(Moment, Event)>>,
    sent: AtomicUsize,
    answered: AtomicUsize,
}

impl Script {
    /// `event` happens at this moment. It must not take long: callbacks wait for it.
    pub(super) fn at(self, moment: Moment, event: impl FnOnce() + Send + 'static) -> Self {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push((moment, Box::new(event)));
        self
    }

    /// A callback is about to be sent.
    pub(super) fn sending(&self) {
        self.reach(Moment::Sending(self.sent.fetch_add(1, Ordering::Relaxed) + 1));
    }

    /// An answer has come.
    pub(super) fn answered(&self) {
        self.reach(Moment::Answered(self.answered.fetch_add(1, Ordering::Relaxed) + 1));
    }

    /// Fails if something has not happened.
    pub(super) fn check_played(&self) {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let left: Vec<Moment> = events.iter().map(|(moment, _)| *moment).collect();
        assert_eq!(left, [], "these moments never came");
    }

    fn reach(&self, now: Moment) {
        let due = {
            let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
            let (due, later) = events.drain(..).partition(|(moment, _)| *moment == now);
            *events = later;
            due
        };
        let due: Vec<(Moment, Event)> = due;
        for (_, event) in due {
            event();
        }
    }
}
