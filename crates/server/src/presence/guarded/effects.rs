//! What is kept of effects, as a node uses it: nothing is written while the database does not see the node.

use async_trait::async_trait;
use payonce_core::{
    StoreError,
    effect::{Argument, EffectFailure, FailureRow, FailureView, Statement},
    store::{EffectBook, StatementFailure},
};

use super::{Guarded, counts};

#[async_trait]
impl EffectBook for Guarded {
    async fn check(&self, statement: &Statement, arguments: &[Argument<'_>]) -> Result<(), StatementFailure> {
        self.seen.check().map_err(StatementFailure::Lost)?;
        self.store.effects().check(statement, arguments).await
    }

    async fn keep_failures(&self, failures: &[EffectFailure]) -> Result<(), StoreError> {
        self.seen.check()?;
        self.store.effects().keep_failures(failures).await?;
        counts(&self.seen)
    }

    async fn failures_before(
        &self,
        row: Option<FailureRow>,
        open_only: bool,
        limit: usize,
    ) -> Result<Vec<FailureView>, StoreError> {
        self.read(self.store.effects().failures_before(row, open_only, limit)).await
    }
}
