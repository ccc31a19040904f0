//! The `Deliveries` trait on PostgreSQL: short transactions beside the path of callbacks. What happens to each message on its
//! way does not wait for the disk: if a power cut undoes it, the message goes that way once more, under the same id.
//!
//! Messages are read, fanned out and taken on connections whose plans are made once. They are settled beside: to join what
//! ended with a table that was empty a moment ago, and is not now, takes a plan for the table as it is.

use std::time::Duration;

use async_trait::async_trait;
use payonce_core::{
    StoreError,
    delivery::{Endpoint, EndpointId, EndpointName},
    store::{
        Owner, Position,
        delivery::{
            AttemptView, Backlog, Deliveries, DeliveryState, DeliveryView, Due, EndpointView, EnvelopePage,
            FanOut, Replay, Settled, Start, Switch, Taken,
        },
    },
};

use super::{attempts, endpoints, fan_out, replay, settle, take};
use crate::{
    PostgresStore,
    connect::Durability,
    store::{again_on_conflict, alone, beside},
    tx::PgTx,
};

/// Does something in a transaction of several statements.
macro_rules! in_tx {
    ($store:ident, $connections:ident, $durability:expr, $work:expr) => {
        again_on_conflict!({
            let mut tx = PgTx::begin_as($store.session(&$store.$connections).await?, $durability).await?;
            let done = tx.run($work).await?;
            tx.commit_now().await?;
            Ok(done)
        })
    };
}

#[async_trait]
impl Deliveries for PostgresStore {
    async fn put_endpoint(
        &self,
        name: &EndpointName,
        endpoint: &Endpoint,
        start: Start,
    ) -> Result<EndpointId, StoreError> {
        in_tx!(self, beside, Durability::AtOnce, async |c| endpoints::put(c, name, endpoint, start).await)
    }

    async fn remove_endpoint(&self, endpoint: EndpointId) -> Result<bool, StoreError> {
        beside!(self, async |c| endpoints::remove(c, endpoint).await)
    }

    async fn switch_endpoint(&self, endpoint: EndpointId, switch: Switch) -> Result<bool, StoreError> {
        beside!(self, async |c| endpoints::switch(c, endpoint, switch).await)
    }

    async fn endpoints(&self) -> Result<Vec<EndpointView>, StoreError> {
        alone!(self, way, async |c| endpoints::all(c).await)
    }

    async fn backlogs(&self) -> Result<Vec<Backlog>, StoreError> {
        alone!(self, way, async |c| endpoints::backlogs(c).await)
    }

    async fn envelopes_after(&self, after: Position, limit: usize) -> Result<EnvelopePage, StoreError> {
        alone!(self, way, async |c| fan_out::envelopes_after(c, after, limit).await)
    }

    async fn fan_out(&self, steps: &[FanOut]) -> Result<Vec<EndpointId>, StoreError> {
        in_tx!(self, way, Durability::Later, async |c| fan_out::fan_out(c, steps).await)
    }

    async fn take_due(
        &self,
        owner: &Owner,
        endpoint: EndpointId,
        ttl: Duration,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        alone!(self, way, async |c| take::take(c, owner, endpoint, ttl, limit).await)
    }

    async fn settle(&self, owner: &Owner, settled: &[Settled]) -> Result<Vec<Taken>, StoreError> {
        if settled.is_empty() {
            return Ok(Vec::new());
        }
        in_tx!(self, beside, Durability::Later, async |c| settle::settle(c, owner, settled).await)
    }

    async fn give_back(&self, owner: &Owner, taken: &[Taken]) -> Result<(), StoreError> {
        if taken.is_empty() {
            return Ok(());
        }
        beside!(self, async |c| take::give_back(c, owner, taken).await)
    }

    async fn replay(&self, endpoint: EndpointId, replay: Replay) -> Result<u64, StoreError> {
        beside!(self, async |c| replay::replay(c, endpoint, replay).await)
    }

    async fn undelivered(
        &self,
        endpoint: EndpointId,
        state: DeliveryState,
        after: Position,
        limit: usize,
    ) -> Result<Vec<DeliveryView>, StoreError> {
        beside!(self, async |c| replay::listed(c, endpoint, state, after, limit).await)
    }

    async fn attempts(
        &self,
        endpoint: EndpointId,
        position: Position,
        limit: usize,
    ) -> Result<Vec<AttemptView>, StoreError> {
        beside!(self, async |c| attempts::of_message(c, endpoint, position, limit).await)
    }

    async fn prune_deliveries(&self, age: Duration, rows_max: usize) -> Result<usize, StoreError> {
        beside!(self, async |c| attempts::prune(c, &self.looked.attempts, age, rows_max).await)
    }
}
