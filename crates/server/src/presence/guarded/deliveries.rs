//! Deliveries as a node uses them: nothing is handed out or taken for settled while the database does not see the node.

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

use super::{Guarded, counts};

impl Guarded {
    /// What a change returned, if it counts.
    async fn changed<T>(
        &self,
        change: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.seen.check()?;
        let done = change.await?;
        counts(&self.seen).map(|()| done)
    }
}

#[async_trait]
impl Deliveries for Guarded {
    async fn put_endpoint(
        &self,
        name: &EndpointName,
        endpoint: &Endpoint,
        start: Start,
    ) -> Result<EndpointId, StoreError> {
        self.changed(self.store.deliveries().put_endpoint(name, endpoint, start)).await
    }

    async fn remove_endpoint(&self, endpoint: EndpointId) -> Result<bool, StoreError> {
        self.changed(self.store.deliveries().remove_endpoint(endpoint)).await
    }

    async fn switch_endpoint(&self, endpoint: EndpointId, switch: Switch) -> Result<bool, StoreError> {
        self.changed(self.store.deliveries().switch_endpoint(endpoint, switch)).await
    }

    async fn endpoints(&self) -> Result<Vec<EndpointView>, StoreError> {
        self.seen.check()?;
        self.store.deliveries().endpoints().await
    }

    async fn backlogs(&self) -> Result<Vec<Backlog>, StoreError> {
        self.seen.check()?;
        self.store.deliveries().backlogs().await
    }

    async fn envelopes_after(&self, after: Position, limit: usize) -> Result<EnvelopePage, StoreError> {
        self.seen.check()?;
        self.store.deliveries().envelopes_after(after, limit).await
    }

    async fn fan_out(&self, steps: &[FanOut]) -> Result<Vec<EndpointId>, StoreError> {
        self.changed(self.store.deliveries().fan_out(steps)).await
    }

    async fn take_due(
        &self,
        owner: &Owner,
        endpoint: EndpointId,
        ttl: Duration,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        self.changed(self.store.deliveries().take_due(owner, endpoint, ttl, limit)).await
    }

    async fn settle(&self, owner: &Owner, settled: &[Settled]) -> Result<Vec<Taken>, StoreError> {
        self.changed(self.store.deliveries().settle(owner, settled)).await
    }

    async fn give_back(&self, owner: &Owner, taken: &[Taken]) -> Result<(), StoreError> {
        self.changed(self.store.deliveries().give_back(owner, taken)).await
    }

    async fn replay(&self, endpoint: EndpointId, replay: Replay) -> Result<u64, StoreError> {
        self.changed(self.store.deliveries().replay(endpoint, replay)).await
    }

    async fn undelivered(
        &self,
        endpoint: EndpointId,
        state: DeliveryState,
        after: Position,
        limit: usize,
    ) -> Result<Vec<DeliveryView>, StoreError> {
        self.seen.check()?;
        self.store.deliveries().undelivered(endpoint, state, after, limit).await
    }

    async fn attempts(
        &self,
        endpoint: EndpointId,
        position: Position,
        limit: usize,
    ) -> Result<Vec<AttemptView>, StoreError> {
        self.seen.check()?;
        self.store.deliveries().attempts(endpoint, position, limit).await
    }

    async fn prune_deliveries(&self, age: Duration, rows_max: usize) -> Result<usize, StoreError> {
        self.seen.check()?;
        self.store.deliveries().prune_deliveries(age, rows_max).await
    }
}
