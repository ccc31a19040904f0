//! The `Deliveries` trait on MySQL and MariaDB: short transactions on connections beside the path of callbacks.

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
    MySqlStore,
    store::{again_on_conflict, beside},
    tx::MySqlTx,
};

/// Does something in a transaction of several statements. `$wrote` tells of what it returns whether a row was changed for
/// certain.
macro_rules! in_tx {
    ($store:ident, $work:expr, $wrote:expr) => {
        again_on_conflict!({
            let mut tx = MySqlTx::begin($store.session(&$store.beside).await?).await?;
            let done = tx.run($work).await?;
            if $wrote(&done) {
                tx.wrote();
            }
            tx.commit_now().await?;
            Ok(done)
        })
    };
}
pub(super) use in_tx;

#[async_trait]
impl Deliveries for MySqlStore {
    async fn put_endpoint(
        &self,
        name: &EndpointName,
        endpoint: &Endpoint,
        start: Start,
    ) -> Result<EndpointId, StoreError> {
        let wrote = |(_, changed): &(EndpointId, bool)| *changed;
        let put: Result<_, StoreError> =
            in_tx!(self, async |c| endpoints::put(c, name, endpoint, start).await, wrote);
        put.map(|(id, _)| id)
    }

    async fn remove_endpoint(&self, endpoint: EndpointId) -> Result<bool, StoreError> {
        beside!(self, async |c| endpoints::remove(c, endpoint).await)
    }

    async fn switch_endpoint(&self, endpoint: EndpointId, switch: Switch) -> Result<bool, StoreError> {
        beside!(self, async |c| endpoints::switch(c, endpoint, switch).await)
    }

    async fn endpoints(&self) -> Result<Vec<EndpointView>, StoreError> {
        beside!(self, async |c| endpoints::all(c).await)
    }

    async fn backlogs(&self) -> Result<Vec<Backlog>, StoreError> {
        beside!(self, async |c| endpoints::backlogs(c).await)
    }

    async fn envelopes_after(&self, after: Position, limit: usize) -> Result<EnvelopePage, StoreError> {
        beside!(self, async |c| fan_out::envelopes_after(c, after, limit).await)
    }

    async fn fan_out(&self, steps: &[FanOut]) -> Result<Vec<EndpointId>, StoreError> {
        if steps.is_empty() {
            return Ok(Vec::new());
        }
        let wrote = |moved: &Vec<EndpointId>| !moved.is_empty();
        in_tx!(self, async |c| fan_out::fan_out(c, steps).await, wrote)
    }

    async fn take_due(
        &self,
        owner: &Owner,
        endpoint: EndpointId,
        ttl: Duration,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        let wrote = |due: &Vec<Due>| !due.is_empty();
        in_tx!(self, async |c| take::take(c, owner, endpoint, ttl, limit).await, wrote)
    }

    async fn settle(&self, owner: &Owner, settled: &[Settled]) -> Result<Vec<Taken>, StoreError> {
        if settled.is_empty() {
            return Ok(Vec::new());
        }
        let wrote = |lost: &Vec<Taken>| lost.len() < settled.len();
        in_tx!(self, async |c| settle::settle(c, owner, settled).await, wrote)
    }

    async fn give_back(&self, owner: &Owner, taken: &[Taken]) -> Result<(), StoreError> {
        if taken.is_empty() {
            return Ok(());
        }
        beside!(self, async |c| take::give_back(c, owner, taken).await)
    }

    async fn replay(&self, endpoint: EndpointId, replay: Replay) -> Result<u64, StoreError> {
        let wrote = |replayed: &u64| *replayed > 0;
        in_tx!(self, async |c| replay::replay(c, endpoint, replay).await, wrote)
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
