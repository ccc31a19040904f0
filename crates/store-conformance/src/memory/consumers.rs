//! How far consumers have read, in the model store. A database that is away keeps offsets no more than it keeps deliveries.

use async_trait::async_trait;
use payonce_core::{
    StoreError,
    store::{ConsumerName, ConsumerView, Consumers, Moved, Position},
};

use super::MemoryStore;

#[async_trait]
impl Consumers for MemoryStore {
    async fn move_consumer(
        &self,
        name: &ConsumerName,
        from: Option<Position>,
        to: Position,
    ) -> Result<Moved, StoreError> {
        self.is_there()?;
        let changed_at = self.clock.now();
        Ok(self
            .change(|tables| {
                let stands_at = tables.consumers.get(name).map(|view| view.position);
                if !Moved::fits(stands_at, from) {
                    return Moved::Elsewhere { stands_at };
                }
                let view = ConsumerView { name: name.clone(), position: to, changed_at };
                tables.consumers.insert(name.clone(), view);
                Moved::There
            })
            .await)
    }

    async fn remove_consumer(&self, name: &ConsumerName) -> Result<bool, StoreError> {
        self.is_there()?;
        Ok(self.change(|tables| tables.consumers.remove(name).is_some()).await)
    }

    async fn consumer(&self, name: &ConsumerName) -> Result<Option<ConsumerView>, StoreError> {
        self.is_there()?;
        Ok(self.committed().consumers.get(name).cloned())
    }

    async fn all_consumers(&self) -> Result<Vec<ConsumerView>, StoreError> {
        self.is_there()?;
        Ok(self.committed().consumers.values().cloned().collect())
    }

    async fn newest_position(&self) -> Result<Position, StoreError> {
        self.is_there()?;
        Ok(self.committed().messages.last().map_or(Position(0), |row| row.view.position))
    }
}
