//! Where deliveries are kept: what is due to which endpoint.
//!
//! A message becomes a row of its own for an endpoint only when it is *fanned out*: each endpoint has a cursor, the last
//! position that was looked at for it, and one step moves the cursor and adds the rows that its filter chose, in one
//! transaction. So a callback writes nothing for this, and a message that nobody has looked at yet costs nothing, be
//! there a million of them. A row goes once its message is delivered.
//!
//! Invariants: cursors are compared when they move, so that each message is added once however many nodes fan out. Who
//! takes a row has it until a time, and under a token that grows with each taker; what is said of a row counts only under
//! its token, so that nobody settles what another has taken since. A message is handed out with the bytes that were
//! written, under its own id, as often as it takes. Time is the database's own: callers say how long, and not when.
//!
//! Deliberately absent: calls, and what an answer means ([`delivery`](crate::delivery)).

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;

use crate::{
    delivery::{Answer, Attempt, Endpoint, EndpointId, EndpointName, EndpointState, Filter, Next},
    message::MessageId,
    order::OrderId,
    time::UnixMillis,
};

use super::{MessageView, Owner, Position, StoreError};

/// From which message on a new endpoint gets its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Those that get a position from now on.
    Now,
    /// Those after a position; after one that is still to be given, it is [`Now`](Self::Now).
    After(Position),
}

/// What is to become of an endpoint's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// Messages go to it, also those that were held.
    Enable,
    /// Somebody wishes that none do.
    Disable,
    /// It is disabled, if it is enabled, and has failed for so long without one success.
    DisableFailing {
        /// How long at least.
        for_at_least: Duration,
    },
}

/// An endpoint as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointView {
    /// Its number.
    pub id: EndpointId,
    /// Its name.
    pub name: EndpointName,
    /// What the merchant defined.
    pub endpoint: Endpoint,
    /// Whether messages go to it.
    pub state: EndpointState,
    /// Since when.
    pub state_since: UnixMillis,
    /// Since when no call succeeded, if the last ones failed.
    pub failing_since: Option<UnixMillis>,
    /// The last position that was fanned out to it.
    pub fanned_out: Position,
}

/// What lies before an enabled endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Which one.
    pub endpoint: EndpointId,
    /// The last position that was fanned out to it.
    pub fanned_out: Position,
    /// How many rows are due; what waits for its next attempt is not counted. Whoever fans out keeps this small.
    pub due: u64,
    /// How long until the first row is due; `None` if none will be.
    pub next_due: Option<Duration>,
}

/// A message, as far as endpoints choose by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Where it stands.
    pub position: Position,
    /// Its `type`.
    pub kind: String,
    /// Its order, and its number among the order's messages.
    pub order: Option<(OrderId, u32)>,
}

/// All messages after a position, up to some other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopePage {
    /// The position.
    pub after: Position,
    /// The messages, in the order of their positions.
    pub envelopes: Vec<Envelope>,
}

/// One step of fanning out to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FanOut {
    /// Which one.
    pub endpoint: EndpointId,
    /// Where its cursor stands: nothing is done if it stands elsewhere by then.
    pub from: Position,
    /// Where it shall stand.
    pub to: Position,
    /// The messages in between that it wants.
    pub chosen: Vec<(Position, Option<(OrderId, u32)>)>,
}

impl FanOut {
    /// Plans a step from a cursor to the end of a page. `None` if the page holds nothing after the cursor, or lacks what
    /// comes next.
    #[must_use]
    pub fn plan(endpoint: EndpointId, filter: &Filter, from: Position, page: &EnvelopePage) -> Option<Self> {
        if page.after > from {
            return None;
        }
        let to = page.envelopes.last()?.position;
        let fresh = page.envelopes.iter().filter(|envelope| envelope.position > from);
        let chosen = fresh.filter(|envelope| filter.wants(&envelope.kind));
        let chosen = chosen.map(|envelope| (envelope.position, envelope.order)).collect();
        (to > from).then_some(Self { endpoint, from, to, chosen })
    }

    /// Those of the steps that begin where the endpoints' cursors stand.
    #[must_use]
    pub fn that_fit<'a>(steps: &'a [Self], cursors: &[(EndpointId, Position)]) -> Vec<&'a Self> {
        steps.iter().filter(|step| cursors.contains(&(step.endpoint, step.from))).collect()
    }
}

/// A row that somebody has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Taken {
    /// Where the message is to go.
    pub endpoint: EndpointId,
    /// Where it stands.
    pub position: Position,
    /// Counts the takers of the row.
    pub token: i64,
}

/// A delivery that was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Under which it is settled.
    pub taken: Taken,
    /// The message.
    pub message: MessageView,
    /// Its order, and its number among the order's messages.
    pub order: Option<(OrderId, u32)>,
    /// How many attempts were made before.
    pub attempts: u32,
}

/// What came of a delivery that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Which one.
    pub taken: Taken,
    /// The attempt, to be kept.
    pub attempt: Attempt,
    /// What follows.
    pub next: Next,
}

/// How an endpoint does, by what was settled: whether it is still ours or lost, a call was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Health {
    /// Which one.
    pub endpoint: EndpointId,
    /// Whether it took a message.
    pub succeeds: bool,
    /// Whether it said that it is gone.
    pub is_gone: bool,
}

impl Health {
    /// Of each endpoint, by number: rows are locked in that order.
    #[must_use]
    pub fn of(settled: &[Settled]) -> Vec<Self> {
        let mut all: BTreeMap<EndpointId, Self> = BTreeMap::new();
        for Settled { taken: Taken { endpoint, .. }, next, .. } in settled {
            let fresh = Self { endpoint: *endpoint, succeeds: false, is_gone: false };
            let health = all.entry(*endpoint).or_insert(fresh);
            health.succeeds |= *next == Next::Delivered;
            health.is_gone |= *next == Next::Gone;
        }
        all.into_values().collect()
    }
}

/// What is to be sent once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// One message, whatever the filter says: its attempts begin anew. Nothing happens if it was not fanned out yet, or if
    /// a call is under way.
    One(Position),
    /// Up to so many of the exhausted ones: their attempts begin anew.
    Exhausted {
        /// At the most.
        rows_max: usize,
    },
    /// Every message after a position that the filter chooses now: the cursor goes back.
    After(Position),
}

/// How a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// An attempt is to come.
    Pending,
    /// The last attempt failed; it waits for a [`Replay`].
    Exhausted,
}

/// A message that is not delivered yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryView {
    /// Where it stands.
    pub position: Position,
    /// Its id.
    pub id: MessageId,
    /// Its `type`.
    pub kind: String,
    /// How many attempts were made.
    pub attempts: u32,
    /// When the next one is due; while a call is under way, until when its maker has it.
    pub due_at: UnixMillis,
    /// How it stands.
    pub state: DeliveryState,
}

/// An attempt that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptView {
    /// Its number among the delivery's (from 1); a replay counts anew.
    pub number: u32,
    /// When it began.
    pub begun_at: UnixMillis,
    /// How long it took.
    pub took: Duration,
    /// What came of it.
    pub answer: Answer,
    /// The answer's headers, one `name: value` a line.
    pub headers: String,
    /// The first bytes of the answer's body.
    pub body: Vec<u8>,
}

/// Where endpoints, and what is due to them, are kept.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// Defines the endpoint of this name, anew or for the first time; `start` counts for a new one alone, which is
    /// enabled. Whoever no longer asks for order gets at once what waited behind others.
    ///
    /// # Errors
    /// As [`Store::begin`](super::Store::begin).
    async fn put_endpoint(
        &self,
        name: &EndpointName,
        endpoint: &Endpoint,
        start: Start,
    ) -> Result<EndpointId, StoreError>;

    /// Removes an endpoint: its name is free, its secrets are gone, nothing more is handed out. Its attempts are kept as
    /// long as others. `false` if there is none.
    ///
    /// # Errors
    /// As [`Store::begin`](super::Store::begin).
    async fn remove_endpoint(&self, endpoint: EndpointId) -> Result<bool, StoreError>;

    /// Enables or disables an endpoint; tells whether anything changed.
    ///
    /// # Errors
    /// As [`Store::begin`](super::Store::begin).
    async fn switch_endpoint(&self, endpoint: EndpointId, switch: Switch) -> Result<bool, StoreError>;

    /// All endpoints, by name.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be read now.
    async fn endpoints(&self) -> Result<Vec<EndpointView>, StoreError>;

    /// What lies before each enabled endpoint, by number.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be read now.
    async fn backlogs(&self) -> Result<Vec<Backlog>, StoreError>;

    /// Up to `limit` messages after a position, without their bodies.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be read now.
    async fn envelopes_after(&self, after: Position, limit: usize) -> Result<EnvelopePage, StoreError>;

    /// Fans out: moves the cursors of enabled endpoints and adds the chosen rows, due at once. An endpoint has one step at
    /// the most. A message that is exhausted begins anew; one that is pending stays as it is. Returns the endpoints whose
    /// cursor moved: another node may have been faster.
    ///
    /// # Errors
    /// As [`Store::begin`](super::Store::begin).
    async fn fan_out(&self, steps: &[FanOut]) -> Result<Vec<EndpointId>, StoreError>;

    /// Takes up to `limit` deliveries that are due to an enabled endpoint, the earliest due first, for `ttl`; what another
    /// is just taking is passed over. Who asked for order gets of each order the first message that is neither delivered
    /// nor exhausted, and none while one of the order's is under way. Returned in the order of their positions.
    ///
    /// # Errors
    /// As [`Store::begin`](super::Store::begin).
    async fn take_due(
        &self,
        owner: &Owner,
        endpoint: EndpointId,
        ttl: Duration,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError>;

    /// Writes what came of deliveries that `owner` took, each once: keeps the attempts, and lets go what is delivered. What
    /// `owner` has no longer stays as it is, and is returned. That somebody's time is over does not matter as long as
    /// nobody else took the row: what he says of it is true, and spares the endpoint a second call.
    ///
    /// An endpoint that is [`Gone`](Next::Gone) is disabled. One without a success among the settled is failing from now on,
    /// if it was not before; one with a success is not.
    ///
    /// # Errors
    /// As [`Store::begin`](super::Store::begin); [`StoreError::CommitUnknown`]: to settle again is to ask, and what was
    /// settled before is returned then.
    async fn settle(&self, owner: &Owner, settled: &[Settled]) -> Result<Vec<Taken>, StoreError>;

    /// Gives back what `owner` took and did not call: it is due at once.
    ///
    /// # Errors
    /// As [`Store::begin`](super::Store::begin).
    async fn give_back(&self, owner: &Owner, taken: &[Taken]) -> Result<(), StoreError>;

    /// Makes messages due anew. Returns how many; of [`Replay::After`], by how many positions the cursor went back.
    ///
    /// # Errors
    /// As [`Store::begin`](super::Store::begin).
    async fn replay(&self, endpoint: EndpointId, replay: Replay) -> Result<u64, StoreError>;

    /// Up to `limit` rows of an endpoint in this state, after a position.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be read now.
    async fn undelivered(
        &self,
        endpoint: EndpointId,
        state: DeliveryState,
        after: Position,
        limit: usize,
    ) -> Result<Vec<DeliveryView>, StoreError>;

    /// The attempts to deliver a message to an endpoint that are still kept, the latest first, `limit` at the most.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be read now.
    async fn attempts(
        &self,
        endpoint: EndpointId,
        position: Position,
        limit: usize,
    ) -> Result<Vec<AttemptView>, StoreError>;

    /// Deletes attempts that began longer ago than `age`, and what was due to endpoints that are removed. At most
    /// `rows_max` rows of each at a time; returns the greater number, as [`Store::prune`](super::Store::prune) does.
    ///
    /// # Errors
    /// As [`Store::begin`](super::Store::begin).
    async fn prune_deliveries(&self, age: Duration, rows_max: usize) -> Result<usize, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(after: i64, positions: &[i64]) -> EnvelopePage {
        let kind = |position: i64| if position % 2 == 0 { "payment.succeeded" } else { "order.closed" };
        let envelope = |&position: &i64| Envelope {
            position: Position(position),
            kind: kind(position).to_owned(),
            order: Some((OrderId(1), 1)),
        };
        EnvelopePage { after: Position(after), envelopes: positions.iter().map(envelope).collect() }
    }

    fn plan(from: i64, page: &EnvelopePage) -> Option<(i64, Vec<i64>)> {
        let filter = Filter::parse(&["payment.*"]).expect("a filter");
        let step = FanOut::plan(EndpointId(1), &filter, Position(from), page)?;
        assert_eq!(step.from, Position(from));
        Some((step.to.0, step.chosen.iter().map(|(position, _)| position.0).collect()))
    }

    #[test]
    fn a_step_goes_from_the_cursor_to_the_end_of_the_page() {
        let page = page(2, &[3, 4, 6, 8, 9]);
        assert_eq!(plan(2, &page), Some((9, vec![4, 6, 8])));
        assert_eq!(plan(5, &page), Some((9, vec![6, 8])));
        assert_eq!(plan(8, &page), Some((9, vec![])), "it moves on over what nobody wants");
        assert_eq!(plan(9, &page), None);
        assert_eq!(plan(12, &page), None);
        assert_eq!(plan(1, &page), None, "position 2 is not in the page");
        assert_eq!(plan(2, &self::page(2, &[])), None);
    }

    #[test]
    fn steps_fit_where_the_cursor_stands() {
        let step = |endpoint, from| FanOut {
            endpoint: EndpointId(endpoint),
            from: Position(from),
            to: Position(9),
            chosen: Vec::new(),
        };
        let steps = [step(1, 3), step(2, 3), step(3, 3)];
        let cursors = [(EndpointId(1), Position(3)), (EndpointId(2), Position(4))];
        assert_eq!(FanOut::that_fit(&steps, &cursors), [&steps[0]]);
    }
}
