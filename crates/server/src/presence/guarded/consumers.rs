//! How far consumers have read, as a node keeps it: an offset that was moved counts only while the database sees the node.

use async_trait::async_trait;
use payonce_core::{
    StoreError,
    store::{ConsumerName, ConsumerView, Consumers, Moved, Position},
};

use super::Guarded;

#[async_trait]
impl Consumers for Guarded {
    async fn move_consumer(
        &self,
        name: &ConsumerName,
        from: Option<Position>,
        to: Position,
    ) -> Result<Moved, StoreError> {
        self.changed(self.store.consumers().move_consumer(name, from, to)).await
    }

    async fn remove_consumer(&self, name: &ConsumerName) -> Result<bool, StoreError> {
        self.changed(self.store.consumers().remove_consumer(name)).await
    }

    async fn consumer(&self, name: &ConsumerName) -> Result<Option<ConsumerView>, StoreError> {
        self.read(self.store.consumers().consumer(name)).await
    }

    async fn all_consumers(&self) -> Result<Vec<ConsumerView>, StoreError> {
        self.read(self.store.consumers().all_consumers()).await
    }

    async fn newest_position(&self) -> Result<Position, StoreError> {
        self.read(self.store.consumers().newest_position()).await
    }
}
