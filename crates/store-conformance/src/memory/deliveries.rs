//! Endpoints and deliveries of the model store, each operation a change of the tables under the write lock.

use std::time::Duration;

use async_trait::async_trait;
use payonce_core::{
    StoreError, UnixMillis,
    delivery::{Attempt, Endpoint, EndpointId, EndpointName, EndpointState, Next},
    order::OrderId,
    store::{
        Owner, Position,
        delivery::{
            AttemptView, Backlog, Deliveries, DeliveryState, DeliveryView, Due, EndpointView, Envelope,
            EnvelopePage, FanOut, Replay, Settled, Start, Switch, Taken,
        },
    },
};

use super::{
    MemoryStore,
    tables::{MessageRow, Tables, number, place},
};

/// An endpoint; without a name it is removed.
#[derive(Clone, Debug)]
pub(super) struct EndpointRow {
    name: Option<EndpointName>,
    endpoint: Endpoint,
    state: EndpointState,
    state_since: UnixMillis,
    failing_since: Option<UnixMillis>,
    fanned_out: Position,
}

/// A message that is due to an endpoint. While somebody has it, `due_at` is the end of his time.
#[derive(Clone, Debug)]
pub(super) struct DeliveryRow {
    order: Option<(OrderId, u32)>,
    attempts: u32,
    due_at: UnixMillis,
    state: DeliveryState,
    taken_by: Option<Owner>,
    token: i64,
}

/// An attempt that was made.
#[derive(Clone, Debug)]
pub(super) struct AttemptRow {
    endpoint: EndpointId,
    position: Position,
    view: AttemptView,
}

/// The key of a delivery.
pub(super) type Key = (EndpointId, Position);

fn after(now: UnixMillis, span: Duration) -> UnixMillis {
    UnixMillis(now.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX / 2)))
}

fn before(now: UnixMillis, span: Duration) -> UnixMillis {
    UnixMillis(now.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX / 2)))
}

impl DeliveryRow {
    fn new(order: Option<(OrderId, u32)>, now: UnixMillis) -> Self {
        let state = DeliveryState::Pending;
        Self { order, attempts: 0, due_at: now, state, taken_by: None, token: 0 }
    }

    fn is_due(&self, now: UnixMillis) -> bool {
        self.state == DeliveryState::Pending && self.due_at <= now
    }

    /// Whether a call may be under way.
    fn is_held(&self, now: UnixMillis) -> bool {
        self.taken_by.is_some() && self.due_at > now
    }

    fn begin_anew(&mut self, now: UnixMillis) {
        *self = Self { token: self.token, ..Self::new(self.order, now) };
    }

    fn waits_untried(&self) -> bool {
        self.state == DeliveryState::Pending && self.attempts == 0 && self.taken_by.is_none()
    }
}

impl Tables {
    fn endpoint(&mut self, id: EndpointId) -> Option<&mut EndpointRow> {
        let row = self.endpoints.get_mut(usize::try_from(id.0).ok()?.checked_sub(1)?)?;
        row.name.is_some().then_some(row)
    }

    fn is_enabled(&self, id: EndpointId) -> bool {
        let row = usize::try_from(id.0 - 1).ok().and_then(|place| self.endpoints.get(place));
        row.is_some_and(|row| row.name.is_some() && row.state == EndpointState::Enabled)
    }

    fn put_endpoint(
        &mut self,
        now: UnixMillis,
        name: &EndpointName,
        endpoint: &Endpoint,
        start: Start,
    ) -> EndpointId {
        let latest = Position(self.messages.len() as i64);
        let fanned_out = match start {
            Start::Now => latest,
            Start::After(position) => position.clamp(Position(0), latest),
        };
        let known = self.endpoints.iter().position(|row| row.name.as_ref() == Some(name));
        let place = known.unwrap_or(self.endpoints.len());
        match self.endpoints.get_mut(place) {
            Some(row) => row.endpoint = endpoint.clone(),
            None => self.endpoints.push(EndpointRow {
                name: Some(name.clone()),
                endpoint: endpoint.clone(),
                state: EndpointState::Enabled,
                state_since: now,
                failing_since: None,
                fanned_out,
            }),
        }
        let id = EndpointId(number(place));
        if !endpoint.ordered {
            for row in self.deliveries_of(id).filter(|row| row.waits_untried()) {
                row.due_at = row.due_at.min(now);
            }
        }
        id
    }

    fn deliveries_of(&mut self, id: EndpointId) -> impl Iterator<Item = &mut DeliveryRow> {
        let all = (id, Position(i64::MIN))..=(id, Position(i64::MAX));
        self.deliveries.range_mut(all).map(|(_, row)| row)
    }

    fn switch(&mut self, now: UnixMillis, id: EndpointId, switch: Switch) -> bool {
        let Some(row) = self.endpoint(id) else { return false };
        let state = match switch {
            Switch::Enable => EndpointState::Enabled,
            Switch::Disable => EndpointState::Disabled,
            Switch::DisableFailing { for_at_least } => {
                let since = row.failing_since.filter(|since| *since <= before(now, for_at_least));
                if row.state != EndpointState::Enabled || since.is_none() {
                    return false;
                }
                EndpointState::Failing
            }
        };
        let changes = row.state != state;
        if changes {
            (row.state, row.state_since) = (state, now);
            if state == EndpointState::Enabled {
                row.failing_since = None;
            }
        }
        changes
    }

    fn fan_out(&mut self, now: UnixMillis, steps: &[FanOut]) -> Vec<EndpointId> {
        let mut moved = Vec::new();
        for step in steps {
            if !self.is_enabled(step.endpoint) {
                continue;
            }
            let Some(row) = self.endpoint(step.endpoint) else { continue };
            if row.fanned_out != step.from {
                continue;
            }
            row.fanned_out = step.to;
            moved.push(step.endpoint);
            for (position, order) in &step.chosen {
                let fresh = || DeliveryRow::new(*order, now);
                let row = self.deliveries.entry((step.endpoint, *position)).or_insert_with(fresh);
                if row.state == DeliveryState::Exhausted {
                    row.begin_anew(now);
                }
            }
        }
        moved
    }

    /// Whether an earlier message of its order, or one that is under way, stands in front of it.
    fn is_blocked(&self, key: Key, row: &DeliveryRow, now: UnixMillis) -> bool {
        let Some((order, sequence)) = row.order else { return false };
        let blocks = |(other, other_row): (&Key, &DeliveryRow)| {
            let Some((other_order, other_sequence)) = other_row.order else { return false };
            other.0 == key.0
                && other_order == order
                && other_row.state == DeliveryState::Pending
                && (other_sequence < sequence || (other_sequence > sequence && other_row.is_held(now)))
        };
        self.deliveries.iter().any(blocks)
    }

    fn take_due(
        &mut self,
        now: UnixMillis,
        owner: &Owner,
        endpoint: EndpointId,
        ttl: Duration,
        limit: usize,
    ) -> Vec<Due> {
        if !self.is_enabled(endpoint) {
            return Vec::new();
        }
        let ordered = self.endpoint(endpoint).is_some_and(|row| row.endpoint.ordered);
        let free = |(key, row): &(&Key, &DeliveryRow)| {
            key.0 == endpoint && row.is_due(now) && !(ordered && self.is_blocked(**key, row, now))
        };
        let mut keys: Vec<(UnixMillis, Key)> =
            self.deliveries.iter().filter(free).map(|(key, row)| (row.due_at, *key)).collect();
        keys.sort_unstable();
        keys.truncate(limit);
        keys.sort_unstable_by_key(|(_, key)| *key);
        let mut taken = Vec::with_capacity(keys.len());
        for (_, key) in keys {
            let message = self.messages[place(key.1.0)].view.clone();
            let Some(row) = self.deliveries.get_mut(&key) else { continue };
            row.token += 1;
            row.taken_by = Some(owner.clone());
            row.due_at = after(now, ttl);
            let fence = Taken { endpoint, position: key.1, token: row.token };
            taken.push(Due { taken: fence, message, order: row.order, attempts: row.attempts });
        }
        taken
    }

    fn held(&mut self, owner: &Owner, taken: &Taken) -> Option<&mut DeliveryRow> {
        let row = self.deliveries.get_mut(&(taken.endpoint, taken.position))?;
        (row.taken_by.as_ref() == Some(owner) && row.token == taken.token).then_some(row)
    }

    fn settle(&mut self, now: UnixMillis, owner: &Owner, settled: &[Settled]) -> Vec<Taken> {
        self.note_health(settled, now);
        let mut lost = Vec::new();
        for Settled { taken, attempt, next } in settled {
            let Some(row) = self.held(owner, taken) else {
                lost.push(*taken);
                continue;
            };
            row.attempts += 1;
            row.taken_by = None;
            row.due_at = now;
            match next {
                Next::Again { after: pause } => row.due_at = after(now, *pause),
                Next::Exhausted => row.state = DeliveryState::Exhausted,
                Next::Delivered | Next::Gone => {}
            }
            let (order, attempts, due_at) = (row.order, row.attempts, row.due_at);
            if *next == Next::Delivered {
                self.deliveries.remove(&(taken.endpoint, taken.position));
            }
            self.keep(taken, attempt, attempts, now);
            if let Some(order) = order {
                self.let_followers_wait(taken.endpoint, order, due_at, now);
            }
        }
        lost
    }

    fn note_health(&mut self, settled: &[Settled], now: UnixMillis) {
        for Settled { taken, .. } in settled {
            let of_endpoint = || settled.iter().filter(|other| other.taken.endpoint == taken.endpoint);
            let succeeds = of_endpoint().any(|settled| settled.next == Next::Delivered);
            let is_gone = of_endpoint().any(|settled| settled.next == Next::Gone);
            let Some(row) = self.endpoint(taken.endpoint) else { continue };
            row.failing_since = if succeeds { None } else { row.failing_since.or(Some(now)) };
            if is_gone && row.state == EndpointState::Enabled {
                (row.state, row.state_since) = (EndpointState::Gone, now);
            }
        }
    }

    /// Who asked for order gets nothing of an order before the message in front.
    fn let_followers_wait(
        &mut self,
        endpoint: EndpointId,
        (order, sequence): (OrderId, u32),
        until: UnixMillis,
        now: UnixMillis,
    ) {
        if !self.endpoint(endpoint).is_some_and(|row| row.endpoint.ordered) {
            return;
        }
        for row in self.deliveries_of(endpoint).filter(|row| row.waits_untried()) {
            if row.order.is_some_and(|(other, later)| other == order && later > sequence) {
                row.due_at = if until > now { until } else { row.due_at.min(until) };
            }
        }
    }

    fn keep(&mut self, taken: &Taken, attempt: &Attempt, number: u32, now: UnixMillis) {
        let view = AttemptView {
            number,
            begun_at: before(now, attempt.ago),
            took: attempt.took,
            answer: attempt.answer,
            headers: attempt.headers.clone(),
            body: attempt.body.clone(),
        };
        self.attempts.push(AttemptRow { endpoint: taken.endpoint, position: taken.position, view });
    }

    fn replay(&mut self, now: UnixMillis, id: EndpointId, replay: Replay) -> u64 {
        let Some(row) = self.endpoint(id) else { return 0 };
        let fanned_out = row.fanned_out;
        match replay {
            Replay::After(position) => {
                let to = position.clamp(Position(0), fanned_out);
                row.fanned_out = to;
                (fanned_out.0 - to.0).unsigned_abs()
            }
            Replay::Exhausted { rows_max } => {
                let exhausted = |row: &&mut DeliveryRow| row.state == DeliveryState::Exhausted;
                let anew = |row: &mut DeliveryRow| row.begin_anew(now);
                self.deliveries_of(id).filter(exhausted).take(rows_max).map(anew).count() as u64
            }
            Replay::One(position) => {
                let message = usize::try_from(position.0 - 1).ok().and_then(|at| self.messages.get(at));
                let Some(MessageRow { order, .. }) = message.filter(|_| position <= fanned_out) else {
                    return 0;
                };
                let fresh = DeliveryRow::new(*order, now);
                let row = self.deliveries.entry((id, position)).or_insert(fresh);
                if row.is_held(now) {
                    return 0;
                }
                row.begin_anew(now);
                1
            }
        }
    }

    fn backlogs(&self, now: UnixMillis) -> Vec<Backlog> {
        let backlog = |(row, id): (&EndpointRow, i64)| {
            let endpoint = EndpointId(id);
            let pending = || {
                let of_endpoint = self.deliveries.iter().filter(move |(key, _)| key.0 == endpoint);
                of_endpoint.map(|(_, row)| row).filter(|row| row.state == DeliveryState::Pending)
            };
            let left = |due_at: UnixMillis| Duration::from_millis((due_at.0 - now.0).max(0).unsigned_abs());
            Backlog {
                endpoint,
                fanned_out: row.fanned_out,
                due: pending().filter(|row| row.is_due(now)).count() as u64,
                next_due: pending().map(|row| row.due_at).min().map(left),
            }
        };
        let numbered = self.endpoints.iter().zip(1..);
        numbered.filter(|(_, id)| self.is_enabled(EndpointId(*id))).map(backlog).collect()
    }

    fn prune_deliveries(&mut self, now: UnixMillis, age: Duration, rows_max: usize) -> usize {
        let old = before(now, age);
        let attempts =
            super::tables::retain(&mut self.attempts, rows_max, |attempt| attempt.view.begun_at < old);
        let removed = |id: EndpointId| self.endpoints[place(id.0)].name.is_none();
        let orphans: Vec<Key> =
            self.deliveries.keys().filter(|(id, _)| removed(*id)).take(rows_max).copied().collect();
        for key in &orphans {
            self.deliveries.remove(key);
        }
        attempts.max(orphans.len())
    }
}

#[async_trait]
impl Deliveries for MemoryStore {
    async fn put_endpoint(
        &self,
        name: &EndpointName,
        endpoint: &Endpoint,
        start: Start,
    ) -> Result<EndpointId, StoreError> {
        self.is_there()?;
        let now = self.clock.now();
        Ok(self.change(|tables| tables.put_endpoint(now, name, endpoint, start)).await)
    }

    async fn remove_endpoint(&self, endpoint: EndpointId) -> Result<bool, StoreError> {
        self.is_there()?;
        Ok(self.change(|tables| tables.endpoint(endpoint).and_then(|row| row.name.take()).is_some()).await)
    }

    async fn switch_endpoint(&self, endpoint: EndpointId, switch: Switch) -> Result<bool, StoreError> {
        self.is_there()?;
        let now = self.clock.now();
        Ok(self.change(|tables| tables.switch(now, endpoint, switch)).await)
    }

    async fn endpoints(&self) -> Result<Vec<EndpointView>, StoreError> {
        self.is_there()?;
        let tables = self.committed();
        let view = |(row, id): (&EndpointRow, i64)| {
            Some(EndpointView {
                id: EndpointId(id),
                name: row.name.clone()?,
                endpoint: row.endpoint.clone(),
                state: row.state,
                state_since: row.state_since,
                failing_since: row.failing_since,
                fanned_out: row.fanned_out,
            })
        };
        let mut views: Vec<EndpointView> = tables.endpoints.iter().zip(1..).filter_map(view).collect();
        views.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(views)
    }

    async fn backlogs(&self) -> Result<Vec<Backlog>, StoreError> {
        self.is_there()?;
        Ok(self.committed().backlogs(self.clock.now()))
    }

    async fn envelopes_after(&self, after: Position, limit: usize) -> Result<EnvelopePage, StoreError> {
        self.is_there()?;
        let tables = self.committed();
        let later = tables.messages.iter().filter(|row| row.view.position > after).take(limit);
        let envelope = |row: &MessageRow| Envelope {
            position: row.view.position,
            kind: row.view.kind.clone(),
            order: row.order,
        };
        Ok(EnvelopePage { after, envelopes: later.map(envelope).collect() })
    }

    async fn fan_out(&self, steps: &[FanOut]) -> Result<Vec<EndpointId>, StoreError> {
        self.is_there()?;
        let now = self.clock.now();
        Ok(self.change(|tables| tables.fan_out(now, steps)).await)
    }

    async fn take_due(
        &self,
        owner: &Owner,
        endpoint: EndpointId,
        ttl: Duration,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        self.is_there()?;
        let now = self.clock.now();
        Ok(self.change(|tables| tables.take_due(now, owner, endpoint, ttl, limit)).await)
    }

    async fn settle(&self, owner: &Owner, settled: &[Settled]) -> Result<Vec<Taken>, StoreError> {
        self.is_there()?;
        let now = self.clock.now();
        Ok(self.change(|tables| tables.settle(now, owner, settled)).await)
    }

    async fn give_back(&self, owner: &Owner, taken: &[Taken]) -> Result<(), StoreError> {
        self.is_there()?;
        let now = self.clock.now();
        self.change(|tables| {
            for taken in taken {
                if let Some(row) = tables.held(owner, taken) {
                    (row.taken_by, row.due_at) = (None, now);
                }
            }
        })
        .await;
        Ok(())
    }

    async fn replay(&self, endpoint: EndpointId, replay: Replay) -> Result<u64, StoreError> {
        self.is_there()?;
        let now = self.clock.now();
        Ok(self.change(|tables| tables.replay(now, endpoint, replay)).await)
    }

    async fn undelivered(
        &self,
        endpoint: EndpointId,
        state: DeliveryState,
        after: Position,
        limit: usize,
    ) -> Result<Vec<DeliveryView>, StoreError> {
        self.is_there()?;
        let tables = self.committed();
        let listed =
            |(key, row): &(&Key, &DeliveryRow)| key.0 == endpoint && key.1 > after && row.state == state;
        let view = |(key, row): (&Key, &DeliveryRow)| {
            let message = &tables.messages[place(key.1.0)].view;
            DeliveryView {
                position: key.1,
                id: message.id.clone(),
                kind: message.kind.clone(),
                attempts: row.attempts,
                due_at: row.due_at,
                state: row.state,
            }
        };
        Ok(tables.deliveries.iter().filter(listed).take(limit).map(view).collect())
    }

    async fn attempts(
        &self,
        endpoint: EndpointId,
        position: Position,
        limit: usize,
    ) -> Result<Vec<AttemptView>, StoreError> {
        self.is_there()?;
        let tables = self.committed();
        let made = tables.attempts.iter().rev();
        let made = made.filter(|row| (row.endpoint, row.position) == (endpoint, position));
        Ok(made.take(limit).map(|row| row.view.clone()).collect())
    }

    async fn prune_deliveries(&self, age: Duration, rows_max: usize) -> Result<usize, StoreError> {
        self.is_there()?;
        let now = self.clock.now();
        Ok(self.change(|tables| tables.prune_deliveries(now, age, rows_max)).await)
    }
}
