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

use super::Guarded;

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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use payonce_core::{
        Store, UnixMillis,
        delivery::{Answer, Attempt, Filter, Next, Sealed, Settings},
        ids::EventType,
        message::{MessageId, MessageKind},
        store::{Changes, NewMessage, Subject, Unavailability},
    };
    use payonce_store_sqlite::{Options, SqliteStore};
    use tokio::time::Instant;

    use super::*;
    use crate::presence::{Absence, Seen};

    const HOUR: Duration = Duration::from_secs(3600);

    fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>) {
        let reason = Unavailability::NotSeen;
        assert!(
            matches!(&result, Err(StoreError::Unavailable { reason: found, .. }) if *found == reason),
            "{result:?}"
        );
    }

    async fn write_message(store: &dyn Store) {
        let mut tx = store.begin().await.unwrap();
        let message = NewMessage {
            id: MessageId("event:1900000001:N1".to_owned()),
            kind: MessageKind::Passed(EventType::parse("REFUND.SUCCESS").unwrap()),
            order: None,
            subject: Subject::Order,
            cause: 0,
            body: "{}".to_owned(),
            created_at: UnixMillis(0),
        };
        tx.save(&Changes { messages: vec![message], ..Changes::default() }).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A node that the database does not see gets nothing to deliver, and says nothing of what it delivered before.
    #[tokio::test]
    async fn an_unseen_node_neither_takes_nor_settles() {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(&Options::new(folder.path().join("p.db"))).unwrap());
        let seen = Arc::new(Seen::not_yet());
        let guarded = Guarded::new(Arc::clone(&store), Arc::clone(&seen));
        let node = guarded.deliveries();
        seen.until(Instant::now() + HOUR);
        write_message(&*store).await;
        let endpoint = Endpoint {
            url: payonce_core::delivery::EndpointUrl::parse("https://shop.example/").unwrap(),
            filter: Filter::all(),
            ordered: false,
            settings: Settings::default(),
            sealed: Sealed(Vec::new()),
        };
        let name = EndpointName::parse("shop").unwrap();
        let id = node.put_endpoint(&name, &endpoint, Start::After(Position(0))).await.unwrap();
        let page = node.envelopes_after(Position(0), 9).await.unwrap();
        let step = FanOut::plan(id, &Filter::all(), Position(0), &page).unwrap();
        let owner = Owner("node".to_owned());

        seen.not(Absence::Lapsed { cause: None });
        refused(node.fan_out(std::slice::from_ref(&step)).await);
        seen.until(Instant::now() + HOUR);
        assert_eq!(node.fan_out(&[step]).await.unwrap(), [id]);

        seen.not(Absence::Lapsed { cause: None });
        refused(node.take_due(&owner, id, HOUR, 9).await);
        refused(node.endpoints().await);
        seen.until(Instant::now() + HOUR);
        let due = node.take_due(&owner, id, HOUR, 9).await.unwrap();
        assert_eq!(due.len(), 1);

        let answer = Answer::Status(204);
        let (ago, took) = (Duration::ZERO, Duration::ZERO);
        let attempt = Attempt { ago, took, answer, headers: String::new(), body: Vec::new() };
        let settled = [Settled { taken: due[0].taken, attempt, next: Next::Delivered }];
        seen.not(Absence::Lapsed { cause: None });
        refused(node.settle(&owner, &settled).await);
        seen.until(Instant::now() + HOUR);
        assert_eq!(node.settle(&owner, &settled).await.unwrap(), []);
    }
}
