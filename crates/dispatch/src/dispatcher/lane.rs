//! What goes on before one endpoint, on this node: who waits, how many calls are out, whether any may begin.
//!
//! Invariants: no more calls are out than the endpoint may have; none begins while the breaker is open, nor so late that
//! its lease could end before it does. Pure but for the sender that it keeps: time is an argument.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use payonce_core::{
    delivery::{Allowance, Answer, Breaker},
    store::delivery::{Due, EndpointView, Taken},
};
use tokio::time::Instant;

use super::rate::Rate;
use crate::sender::Sender;

/// Messages taken ahead at the most.
const AHEAD_MAX: usize = 1024;

/// Who waited longer than this was taken too early.
const WAIT_AIM: Duration = Duration::from_secs(1);

/// Who waited longer than this is given back: the lease must outlast the call.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// What a lease lasts beyond the wait and the call: for settling, also where the database is slow.
const SETTLE_MAX: Duration = Duration::from_secs(15);

/// One endpoint as a dispatcher sees it.
pub(super) struct Lane {
    pub view: Arc<EndpointView>,
    /// `None`: there is no way to it as it is defined now.
    sender: Option<Arc<dyn Sender>>,
    breaker: Breaker,
    rate: Rate,
    /// Taken, and not yet called, with the time of the taking.
    waiting: VecDeque<(Due, Instant)>,
    out: usize,
    /// Calls in a row that were no success.
    refused: u32,
    /// How many to hold at a time: it grows while the endpoint is quick, and shrinks while messages wait for it.
    ahead: usize,
    /// When to look for more; none: when somebody says so.
    look_at: Option<Instant>,
    /// Since when the breaker's time runs.
    since: Instant,
}

impl Lane {
    pub(super) fn new(view: Arc<EndpointView>, sender: Option<Arc<dyn Sender>>, now: Instant) -> Self {
        let settings = &view.endpoint.settings;
        Self {
            rate: Rate::new(settings.rate_per_second, now),
            ahead: usize::from(settings.concurrency).max(1),
            breaker: Breaker::new(),
            waiting: VecDeque::new(),
            out: 0,
            refused: 0,
            look_at: Some(now),
            since: now,
            view,
            sender,
        }
    }

    /// Takes over another definition of the same endpoint. What waits goes the new way, at once: what the old way came to
    /// says nothing of it.
    pub(super) fn redefine(
        &mut self,
        view: Arc<EndpointView>,
        sender: Option<Arc<dyn Sender>>,
        now: Instant,
    ) {
        self.rate = Rate::new(view.endpoint.settings.rate_per_second, now);
        (self.view, self.sender) = (view, sender);
        self.forgive(now);
    }

    /// Takes over how the endpoint stands now, under the same definition.
    pub(super) fn restate(&mut self, view: Arc<EndpointView>, now: Instant) {
        // It was disabled meanwhile: who enables it wants its messages to flow now.
        let is_enabled_anew = view.state_since != self.view.state_since;
        self.view = view;
        if is_enabled_anew {
            self.forgive(now);
        }
    }

    /// Ends a rest that it was given.
    fn forgive(&mut self, now: Instant) {
        self.breaker = Breaker::new();
        self.refused = 0;
        self.look(now);
    }

    fn concurrency(&self) -> usize {
        usize::from(self.view.endpoint.settings.concurrency).max(1)
    }

    /// How long what is taken now is to be held.
    pub(super) fn lease(&self) -> Duration {
        WAIT_MAX + self.total_max() + SETTLE_MAX
    }

    /// How long a call may take.
    pub(super) fn total_max(&self) -> Duration {
        Duration::from_millis(self.view.endpoint.settings.total_max_ms.into())
    }

    /// There may be something at this time.
    pub(super) fn look(&mut self, at: Instant) {
        self.look_at = Some(self.look_at.map_or(at, |look_at| look_at.min(at)));
    }

    /// How many to take now.
    pub(super) fn wants(&self, now: Instant) -> usize {
        let may_be = self.look_at.is_some_and(|look_at| look_at <= now);
        if may_be { self.room(now) } else { 0 }
    }

    /// How many more are to be held.
    fn room(&self, now: Instant) -> usize {
        let held = self.waiting.len() + self.out;
        match self.breaker.allows(now - self.since) {
            _ if self.sender.is_none() => 0,
            Allowance::None { .. } => 0,
            Allowance::One => usize::from(held == 0),
            // Not for a few: each taking is a transaction.
            Allowance::Free if held > 0 && held * 2 > self.ahead => 0,
            Allowance::Free => self.ahead.saturating_sub(held),
        }
    }

    /// These were taken, of `wanted`.
    pub(super) fn took(&mut self, due: Vec<Due>, wanted: usize, now: Instant) {
        let all = due.len() < wanted;
        if !all && self.waiting.is_empty() {
            self.ahead = (2 * self.ahead).min(self.ahead_max());
        }
        // There is more: to look again as soon as there is room.
        self.look_at = (!all).then_some(now);
        self.waiting.extend(due.into_iter().map(|due| (due, now)));
    }

    fn ahead_max(&self) -> usize {
        let rate = self.view.endpoint.settings.rate_per_second.map_or(AHEAD_MAX, |rate| rate as usize);
        AHEAD_MAX.min(rate).max(self.concurrency())
    }

    /// The next message to be called, and the way, if one may be.
    pub(super) fn begin(&mut self, now: Instant) -> Option<(Due, Arc<dyn Sender>)> {
        let sender = self.sender.as_ref()?;
        let may = match self.breaker.allows(now - self.since) {
            Allowance::None { .. } => false,
            Allowance::One => self.out == 0,
            Allowance::Free => self.out < self.concurrency(),
        };
        if !may || self.rate.allows(now) == 0 {
            return None;
        }
        // Order matters: the longest waiting is in front. What waited for too long is given up, also where that cannot be told.
        self.waiting.front().filter(|(_, taken_at)| now - *taken_at <= WAIT_MAX)?;
        let (due, taken_at) = self.waiting.pop_front()?;
        if now - taken_at > WAIT_AIM {
            self.ahead = (self.ahead / 2).max(self.concurrency());
        }
        self.rate.take(now);
        self.breaker.begun(now - self.since);
        self.out += 1;
        Some((due, Arc::clone(sender)))
    }

    /// Those that wait and are not to be called: all of them while there is no way or the breaker is open, and who waited
    /// too long.
    pub(super) fn give_up(&mut self, now: Instant) -> Vec<Taken> {
        let is_open = matches!(self.breaker.allows(now - self.since), Allowance::None { .. });
        let late =
            self.waiting.iter().take_while(|(_, taken_at)| is_open || now - *taken_at > WAIT_MAX).count();
        if late > 0 {
            self.ahead = self.concurrency();
            self.look(now);
        }
        self.waiting.drain(..late).map(|(due, _)| due.taken).collect()
    }

    /// All that wait.
    pub(super) fn give_back(&mut self) -> Vec<Taken> {
        self.waiting.drain(..).map(|(due, _)| due.taken).collect()
    }

    /// A call ended. Tells whether the endpoint fails now: it has a rest, or refused as many in a row as bring one.
    pub(super) fn ended(&mut self, answer: Answer, now: Instant) -> bool {
        self.out -= 1;
        self.refused = if answer.is_success() { 0 } else { self.refused.saturating_add(1) };
        let rested = self.rests(now);
        self.breaker.ended(now - self.since, answer.is_alive());
        let rests = self.rests(now);
        if rested && !rests {
            self.look(now);
        }
        rests || self.refused >= Breaker::FAILED_MAX
    }

    /// Whether it is given a rest, or is just asked whether it is back.
    fn rests(&self, now: Instant) -> bool {
        !matches!(self.breaker.allows(now - self.since), Allowance::Free)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.out == 0 && self.waiting.is_empty()
    }

    pub(super) fn is_out(&self) -> bool {
        self.out > 0
    }

    /// When something is to be done that nobody tells of.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        self.sender.as_ref()?;
        let opens = match self.breaker.allows(now - self.since) {
            Allowance::None { until } => Some(self.since + until),
            Allowance::One | Allowance::Free => None,
        };
        if opens.is_some() {
            return opens;
        }
        let begins =
            if self.waiting.is_empty() || self.out >= self.concurrency() { None } else { self.rate.next() };
        let late = self.waiting.front().map(|(_, taken_at)| *taken_at + WAIT_MAX + Duration::from_millis(1));
        let looks =
            if self.waiting.is_empty() && self.out < self.concurrency() { self.look_at } else { None };
        [begins, late, looks].into_iter().flatten().min()
    }
}
