//! What came of calls, on its way into the database.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use payonce_core::{
    delivery::{Attempt, EndpointId, EndpointName, Next, judge},
    store::delivery::{EndpointView, Settled},
};
use tokio::time::Instant;

use super::call::Ended;
use crate::event::Event;

/// Calls that ended and are not settled.
#[derive(Default)]
pub(super) struct Unsettled {
    settled: Vec<Settled>,
    /// When each of them began: how long ago that is, is said when it is written.
    begun: Vec<Instant>,
    follow_up: FollowUp,
}

/// What is to be done once they are settled.
#[derive(Default)]
pub(super) struct FollowUp {
    pub touched: BTreeSet<EndpointId>,
    /// When the first of an endpoint's is due again.
    pub again: BTreeMap<EndpointId, Duration>,
    pub events: Vec<(EndpointName, Event)>,
    /// Endpoints of which no call succeeded, and for how long they may fail.
    pub failing: Vec<(EndpointId, EndpointName, Duration)>,
}

impl Unsettled {
    pub(super) fn len(&self) -> usize {
        self.settled.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.settled.is_empty()
    }

    /// `is_failing`: the endpoint failed before, as far as is known.
    pub(super) fn add(&mut self, ended: Ended, is_failing: bool, random: u64) {
        let Ended { due, view, begun, took, report } = ended;
        let next = judge(&report.heard, due.attempts + 1, &view.endpoint.settings.schedule, random);
        let answer = report.heard.answer;
        self.follow_up.touched.insert(view.id);
        match next {
            Next::Delivered => {}
            Next::Again { after } => {
                let first = self.follow_up.again.entry(view.id).or_insert(after);
                *first = after.min(*first);
            }
            Next::Exhausted => {
                let event = Event::Exhausted { message: due.message.id.clone(), answer };
                self.follow_up.events.push((view.name.clone(), event));
            }
            Next::Gone => self.follow_up.events.push((view.name.clone(), Event::DisabledGone)),
        }
        self.note_failing(&view, is_failing, next);
        let attempt =
            Attempt { ago: Duration::ZERO, took, answer, headers: report.headers, body: report.body };
        self.settled.push(Settled { taken: due.taken, attempt, next });
        self.begun.push(begun);
    }

    /// Whether an endpoint may have failed for too long: only if it failed before, and takes nothing now.
    fn note_failing(&mut self, view: &EndpointView, is_failing: bool, next: Next) {
        let failing = &mut self.follow_up.failing;
        let is_noted = failing.iter().any(|(id, ..)| *id == view.id);
        match next {
            Next::Delivered => failing.retain(|(id, ..)| *id != view.id),
            Next::Again { .. } | Next::Exhausted if !is_noted && is_failing => {
                failing.push((view.id, view.name.clone(), view.endpoint.settings.failing_max()));
            }
            Next::Again { .. } | Next::Exhausted | Next::Gone => {}
        }
    }

    /// All of them, as they are to be written now.
    pub(super) fn all(&mut self) -> &[Settled] {
        for (settled, begun) in self.settled.iter_mut().zip(&self.begun) {
            settled.attempt.ago = begun.elapsed();
        }
        &self.settled
    }

    /// They are settled: what follows.
    pub(super) fn take(&mut self) -> FollowUp {
        std::mem::take(self).follow_up
    }
}
