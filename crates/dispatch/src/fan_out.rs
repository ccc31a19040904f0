//! Fanning out: which committed messages are due to which endpoints.
//!
//! Invariants: a step counts only where an endpoint's cursor still stands where it was read, so that any number of nodes
//! may do this at once, and a lease merely spares them the work. No endpoint gets more rows ahead than
//! [`AHEAD_ROWS_MAX`]: a million messages behind cost a cursor, and not a million rows.

use std::{collections::BTreeMap, time::Duration};

use payonce_core::{
    Store, StoreError,
    delivery::{EndpointId, Filter},
    fault,
    store::{
        Position,
        delivery::{Backlog, Deliveries, EnvelopePage, FanOut},
    },
};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use crate::wake::Wake;

/// Rows that lie before an endpoint at the most, apart from one page.
const AHEAD_ROWS_MAX: u64 = 4096;

/// Messages looked at in one step.
const PAGE: usize = 1024;

/// How long a message of another node may wait; one of this node wakes.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// From one step to the next. Each is a transaction; where there is one writer, callbacks wait for it.
const REST: Duration = Duration::from_millis(4);

/// How long to wait while the database refuses.
const PATIENCE: Duration = Duration::from_secs(1);

/// Fans out until it is dropped. `positioned` changes when messages got positions; `wake` is told what is due.
pub async fn fan_out(store: &dyn Store, mut positioned: watch::Receiver<()>, wake: &Wake) {
    loop {
        positioned.mark_unchanged();
        match step(store.deliveries()).await {
            Ok(Step { moved, has_more }) => {
                if !moved.is_empty() {
                    fault!("dispatch: fanned out");
                    wake.due(moved);
                    sleep(REST).await;
                }
                if !has_more {
                    match timeout(LOOK_EVERY, positioned.changed()).await {
                        Ok(Ok(())) | Err(_) => {}
                        // Nobody tells any more.
                        Ok(Err(_)) => sleep(LOOK_EVERY).await,
                    }
                }
            }
            Err(error) => {
                tracing::warn!(error = error.with_causes(), "messages wait for being fanned out");
                sleep(PATIENCE).await;
            }
        }
    }
}

/// What a step did.
#[derive(Default)]
struct Step {
    /// Endpoints whose cursor moved.
    moved: Vec<EndpointId>,
    /// Whether there may be more to read.
    has_more: bool,
}

/// Takes each endpoint one page further.
async fn step(deliveries: &dyn Deliveries) -> Result<Step, StoreError> {
    let backlogs = deliveries.backlogs().await?;
    let mut behind: Vec<(Position, EndpointId)> =
        backlogs.iter().filter(|backlog| backlog.due < AHEAD_ROWS_MAX).map(cursor).collect();
    if behind.is_empty() {
        return Ok(Step::default());
    }
    behind.sort_unstable();
    let filters: BTreeMap<EndpointId, Filter> =
        deliveries.endpoints().await?.into_iter().map(|view| (view.id, view.endpoint.filter)).collect();
    let (mut steps, mut page) = (Vec::with_capacity(behind.len()), None::<EnvelopePage>);
    let mut is_full = false;
    for (from, endpoint) in behind {
        let Some(filter) = filters.get(&endpoint) else { continue };
        // Who is far behind reads a page alone; those who keep up share one.
        let shared = page.take().filter(|page| reaches(page, from));
        let read = match shared {
            Some(page) => page,
            None => deliveries.envelopes_after(from, PAGE).await?,
        };
        is_full |= read.envelopes.len() == PAGE;
        steps.extend(FanOut::plan(endpoint, filter, from, &read));
        page = Some(read);
    }
    if steps.is_empty() {
        return Ok(Step::default());
    }
    let moved = deliveries.fan_out(&steps).await?;
    // Where another node moved them all, it goes on.
    Ok(Step { has_more: is_full && !moved.is_empty(), moved })
}

fn cursor(backlog: &Backlog) -> (Position, EndpointId) {
    (backlog.fanned_out, backlog.endpoint)
}

/// Whether a page that begins no later says something of what comes after `from`. A page that is not full ends where the
/// messages do.
fn reaches(page: &EnvelopePage, from: Position) -> bool {
    page.envelopes.len() < PAGE || page.envelopes.last().is_some_and(|last| last.position > from)
}

#[cfg(test)]
mod tests {
    use payonce_core::store::delivery::Envelope;

    use super::*;

    #[test]
    fn a_page_serves_those_whose_next_message_it_has() {
        let page = |positions: std::ops::RangeInclusive<i64>| EnvelopePage {
            after: Position(positions.start() - 1),
            envelopes: positions
                .map(|at| Envelope { position: Position(at), kind: String::new(), order: None })
                .collect(),
        };
        let full = page(1..=1024);
        assert!(reaches(&full, Position(0)) && reaches(&full, Position(1023)));
        assert!(!reaches(&full, Position(1024)) && !reaches(&full, Position(5000)));
        let last = page(1..=1000);
        assert!(
            reaches(&last, Position(0)) && reaches(&last, Position(1000)),
            "there is nothing more to read"
        );
    }
}
