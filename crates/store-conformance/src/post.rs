//! Where a test about deliveries works: endpoints, whoever fans out, and whoever takes and settles.

use std::time::Duration;

use payonce_core::{
    Store, UnixMillis,
    delivery::{
        Answer, Attempt, Endpoint, EndpointId, EndpointName, EndpointUrl, Fault, Filter, Next, Sealed,
        Settings,
    },
    store::{
        Owner, Position,
        delivery::{Backlog, Deliveries, DeliveryState, Due, EndpointView, FanOut, Settled, Start, Taken},
    },
};

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
/// An attempt that comes at once.
pub(crate) const AT_ONCE: Next = Next::Again { after: Duration::ZERO };
/// An attempt that no test waits for.
pub(crate) const LATER: Next = Next::Again { after: HOUR };

/// Messages looked at in one step of fanning out: few, so that steps are always part of the test.
const PAGE: usize = 3;

pub(crate) struct Post<'a> {
    pub deliveries: &'a dyn Deliveries,
}

pub(crate) fn name(text: &str) -> EndpointName {
    EndpointName::parse(text).expect("a name")
}

pub(crate) fn owner(name: &str) -> Owner {
    Owner(name.to_owned())
}

/// An endpoint that wants these kinds.
pub(crate) fn endpoint(kinds: &[&str], ordered: bool) -> Endpoint {
    Endpoint {
        url: EndpointUrl::parse("https://shop.example/hook").expect("an address"),
        filter: Filter::parse(kinds).expect("a filter"),
        ordered,
        settings: Settings::default(),
        sealed: Sealed(b"sealed".to_vec()),
    }
}

/// An attempt that ended as `next` says.
pub(crate) fn attempt(next: Next) -> Attempt {
    let answer = match next {
        Next::Delivered => Answer::Status(204),
        Next::Gone => Answer::Status(410),
        Next::Again { .. } | Next::Exhausted => Answer::Fault(Fault::TimedOut),
    };
    let (ago, took) = (Duration::from_secs(2), Duration::from_millis(1500));
    Attempt { ago, took, answer, headers: String::new(), body: Vec::new() }
}

pub(crate) fn settled(taken: Taken, next: Next) -> Settled {
    Settled { taken, attempt: attempt(next), next }
}

pub(crate) fn positions(due: &[Due]) -> Vec<i64> {
    due.iter().map(|due| due.taken.position.0).collect()
}

impl<'a> Post<'a> {
    pub(crate) fn at(store: &'a dyn Store) -> Self {
        Self { deliveries: store.deliveries() }
    }

    /// An endpoint that gets every message from the first on.
    pub(crate) async fn endpoint(&self, text: &str, kinds: &[&str], ordered: bool) -> EndpointId {
        self.put(text, &endpoint(kinds, ordered), Start::After(Position(0))).await
    }

    pub(crate) async fn put(&self, text: &str, endpoint: &Endpoint, start: Start) -> EndpointId {
        self.deliveries.put_endpoint(&name(text), endpoint, start).await.expect("the store writes")
    }

    pub(crate) async fn view(&self, id: EndpointId) -> EndpointView {
        let all = self.deliveries.endpoints().await.expect("the store reads");
        all.into_iter().find(|view| view.id == id).expect("the endpoint is there")
    }

    pub(crate) async fn backlog(&self, id: EndpointId) -> Option<Backlog> {
        let all = self.deliveries.backlogs().await.expect("the store reads");
        all.into_iter().find(|backlog| backlog.endpoint == id)
    }

    /// The next step of each endpoint that has one.
    pub(crate) async fn steps(&self) -> Vec<FanOut> {
        let mut steps = Vec::new();
        for Backlog { endpoint, fanned_out, .. } in self.deliveries.backlogs().await.expect("the store reads")
        {
            let page = self.deliveries.envelopes_after(fanned_out, PAGE).await.expect("the store reads");
            let filter = self.view(endpoint).await.endpoint.filter;
            steps.extend(FanOut::plan(endpoint, &filter, fanned_out, &page));
        }
        steps
    }

    /// Fans out whatever there is.
    pub(crate) async fn fan_out(&self) {
        loop {
            let steps = self.steps().await;
            if steps.is_empty() {
                return;
            }
            let moved = self.deliveries.fan_out(&steps).await.expect("the store fans out");
            assert_eq!(moved, steps.iter().map(|step| step.endpoint).collect::<Vec<_>>(), "nobody else does");
        }
    }

    /// Takes for an hour.
    pub(crate) async fn take(&self, by: &str, endpoint: EndpointId, limit: usize) -> Vec<Due> {
        self.take_for(HOUR, by, endpoint, limit).await
    }

    pub(crate) async fn take_for(
        &self,
        ttl: Duration,
        by: &str,
        endpoint: EndpointId,
        limit: usize,
    ) -> Vec<Due> {
        let taken = self.deliveries.take_due(&owner(by), endpoint, ttl, limit).await;
        let taken = taken.expect("the store hands out");
        assert!(taken.len() <= limit, "no more than asked for");
        assert!(taken.is_sorted_by_key(|due| due.taken.position), "in the order of their positions");
        taken
    }

    /// Settles everything alike; returns the positions that were lost.
    pub(crate) async fn settle(&self, by: &str, due: &[Due], next: Next) -> Vec<i64> {
        let settled: Vec<Settled> = due.iter().map(|due| settled(due.taken, next)).collect();
        let lost = self.deliveries.settle(&owner(by), &settled).await.expect("the store settles");
        lost.into_iter().map(|taken| taken.position.0).collect()
    }

    /// Takes and delivers whatever is due, some at a time; returns the positions.
    pub(crate) async fn deliver(&self, by: &str, endpoint: EndpointId) -> Vec<i64> {
        let mut delivered = Vec::new();
        loop {
            let due = self.take(by, endpoint, 4).await;
            if due.is_empty() {
                return delivered;
            }
            assert_eq!(self.settle(by, &due, Next::Delivered).await, [0_i64; 0]);
            delivered.extend(positions(&due));
        }
    }

    /// The positions of an endpoint's rows.
    pub(crate) async fn rows(&self, endpoint: EndpointId, state: DeliveryState) -> Vec<i64> {
        let mut rows: Vec<i64> = Vec::new();
        loop {
            let after = Position(rows.last().copied().unwrap_or(0));
            let page = self.deliveries.undelivered(endpoint, state, after, 2).await.expect("the store reads");
            if page.is_empty() {
                return rows;
            }
            assert!(page.len() <= 2 && page.iter().all(|row| row.state == state), "{page:?}");
            rows.extend(page.iter().map(|row| row.position.0));
        }
    }

    pub(crate) async fn pending(&self, endpoint: EndpointId) -> Vec<i64> {
        self.rows(endpoint, DeliveryState::Pending).await
    }

    pub(crate) async fn exhausted(&self, endpoint: EndpointId) -> Vec<i64> {
        self.rows(endpoint, DeliveryState::Exhausted).await
    }

    /// What the attempts to deliver a message ended in, the latest first, with their numbers.
    pub(crate) async fn attempts(&self, endpoint: EndpointId, position: i64) -> Vec<(u32, Answer)> {
        let made = self.deliveries.attempts(endpoint, Position(position), 100).await;
        made.expect("the store reads").into_iter().map(|made| (made.number, made.answer)).collect()
    }

    /// The database's time, as it writes it.
    pub(crate) async fn now(&self) -> UnixMillis {
        let id = self.put("clock", &endpoint(&["none"], false), Start::Now).await;
        let now = self.view(id).await.state_since;
        assert!(self.deliveries.remove_endpoint(id).await.expect("the store removes"));
        now
    }
}
