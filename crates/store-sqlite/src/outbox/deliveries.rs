//! The `Deliveries` trait on SQLite: what writes has a transaction of its own on the writer. What happens to each message on
//! its way does not wait for the disk, and nobody who waits for the writer waits for it: if a power cut undoes it, the message
//! goes that way once more, under the same id.

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
use rusqlite::Connection;

use super::{attempts, endpoints, fan_out, replay, settle, take};
use crate::{
    SqliteStore,
    rows::RowError,
    tx::{
        Durability::{self, AtOnce, Later},
        SqliteTx,
    },
};

impl SqliteStore {
    /// Does something in a transaction of its own.
    pub(super) async fn write<T>(
        &self,
        durability: Durability,
        work: impl FnOnce(&Connection) -> Result<T, RowError> + Send,
    ) -> Result<T, StoreError> {
        let tx = SqliteTx::begin_as(self.writer.lock().await, durability)?;
        let done = work(tx.connection())?;
        tx.commit_now()?;
        Ok(done)
    }
}

#[async_trait]
impl Deliveries for SqliteStore {
    async fn put_endpoint(
        &self,
        name: &EndpointName,
        endpoint: &Endpoint,
        start: Start,
    ) -> Result<EndpointId, StoreError> {
        self.write(AtOnce, |c| endpoints::put(c, name, endpoint, start)).await
    }

    async fn remove_endpoint(&self, endpoint: EndpointId) -> Result<bool, StoreError> {
        self.write(AtOnce, |c| endpoints::remove(c, endpoint)).await
    }

    async fn switch_endpoint(&self, endpoint: EndpointId, switch: Switch) -> Result<bool, StoreError> {
        self.write(AtOnce, |c| endpoints::switch(c, endpoint, switch)).await
    }

    async fn endpoints(&self) -> Result<Vec<EndpointView>, StoreError> {
        self.read(endpoints::all).await
    }

    async fn backlogs(&self) -> Result<Vec<Backlog>, StoreError> {
        self.read(endpoints::backlogs).await
    }

    async fn envelopes_after(&self, after: Position, limit: usize) -> Result<EnvelopePage, StoreError> {
        self.read(move |c| fan_out::envelopes_after(c, after, limit)).await
    }

    async fn fan_out(&self, steps: &[FanOut]) -> Result<Vec<EndpointId>, StoreError> {
        self.write(Later, |c| fan_out::fan_out(c, steps)).await
    }

    async fn take_due(
        &self,
        owner: &Owner,
        endpoint: EndpointId,
        ttl: Duration,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        self.write(Later, |c| take::take(c, owner, endpoint, ttl, limit)).await
    }

    async fn settle(&self, owner: &Owner, settled: &[Settled]) -> Result<Vec<Taken>, StoreError> {
        self.write(Later, |c| settle::settle(c, owner, settled)).await
    }

    async fn give_back(&self, owner: &Owner, taken: &[Taken]) -> Result<(), StoreError> {
        self.write(Later, |c| take::give_back(c, owner, taken)).await
    }

    async fn replay(&self, endpoint: EndpointId, replay: Replay) -> Result<u64, StoreError> {
        self.write(AtOnce, |c| replay::replay(c, endpoint, replay)).await
    }

    async fn undelivered(
        &self,
        endpoint: EndpointId,
        state: DeliveryState,
        after: Position,
        limit: usize,
    ) -> Result<Vec<DeliveryView>, StoreError> {
        self.read(move |c| replay::listed(c, endpoint, state, after, limit)).await
    }

    async fn attempts(
        &self,
        endpoint: EndpointId,
        position: Position,
        limit: usize,
    ) -> Result<Vec<AttemptView>, StoreError> {
        self.read(move |c| attempts::of_message(c, endpoint, position, limit)).await
    }

    async fn prune_deliveries(&self, age: Duration, rows_max: usize) -> Result<usize, StoreError> {
        self.write(AtOnce, |c| attempts::prune(c, &self.looked.attempts, age, rows_max)).await
    }
}
