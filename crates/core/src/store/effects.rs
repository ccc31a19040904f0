//! What a database does for effects: in a transaction, and of what failed beside it.

use async_trait::async_trait;

use super::{StoreError, Unavailability, archive::Row};
use crate::apply::effect::{Argument, EffectFailure, FailureRow, FailureView, Statement};

/// Why a statement of the merchant's was not executed.
#[derive(Debug)]
pub enum StatementFailure {
    /// The transaction is lost with it.
    Lost(StoreError),
    /// The statement is at fault, or the rows that it met; with the database's words.
    Refused(String),
    /// As [`Refused`](Self::Refused), after it took as long as it may: it waited for somebody else's locks, or had much to do.
    Waited(String),
}

impl StatementFailure {
    /// From what the store would say if the statement were its own. A table that is missing, a right or a constraint is
    /// the statement's matter; so is a wait for somebody else's locks, which must not hold up the neighbours.
    #[must_use]
    pub fn of(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { reason: Unavailability::TimedOut, source } => {
                Self::Waited(source.to_string())
            }
            StoreError::Unavailable { reason: Unavailability::AccessDenied, source }
            | StoreError::Constraint { source, .. }
            | StoreError::Unexpected(source) => Self::Refused(source.to_string()),
            StoreError::Schema(schema) => Self::Refused(schema.to_string()),
            error => Self::Lost(error),
        }
    }
}

/// The merchant's statements in a transaction.
#[async_trait]
pub trait Statements: Send {
    /// Marks where [`roll_back_to_savepoint`](Self::roll_back_to_savepoint) goes back to. One stands at a time.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], [`StoreError::Disconnected`], [`StoreError::Unavailable`].
    async fn savepoint(&mut self) -> Result<(), StoreError>;

    /// Undoes what came after the savepoint; the transaction can go on then.
    ///
    /// # Errors
    /// As [`savepoint`](Self::savepoint); the transaction can only be dropped then.
    async fn roll_back_to_savepoint(&mut self) -> Result<(), StoreError>;

    /// Forgets the savepoint and keeps what came after it, if nothing [deferred](Self::check_deferred) is broken.
    ///
    /// # Errors
    /// As [`check_deferred`](Self::check_deferred).
    async fn release_savepoint(&mut self) -> Result<(), StatementFailure>;

    /// Checks the constraints that the database would check at the commit, where it can: who broke one is known now, and
    /// would not be then.
    ///
    /// # Errors
    /// [`StatementFailure::Refused`], after which only [`roll_back_to_savepoint`](Self::roll_back_to_savepoint) helps.
    async fn check_deferred(&mut self) -> Result<(), StatementFailure> {
        Ok(())
    }

    /// Executes a statement with an argument for each of its names. Returns how many rows it changed; of a statement that
    /// returns rows and changes none, how many it returned.
    ///
    /// # Errors
    /// [`StatementFailure::Refused`] or [`Waited`](StatementFailure::Waited), after which only
    /// [`roll_back_to_savepoint`](Self::roll_back_to_savepoint) helps.
    async fn execute(
        &mut self,
        statement: &Statement,
        arguments: &[Argument<'_>],
    ) -> Result<u64, StatementFailure>;

    /// Executes a query and returns its rows: numbers, texts and bytes.
    ///
    /// # Errors
    /// As [`execute`](Self::execute); a column of another type is refused.
    async fn query(
        &mut self,
        statement: &Statement,
        arguments: &[Argument<'_>],
    ) -> Result<Vec<Row>, StatementFailure>;
}

/// What is kept beside transactions.
#[async_trait]
pub trait EffectBook: Send + Sync {
    /// Asks the database whether it could execute a statement, with arguments of these types (none: whichever), without
    /// executing it.
    ///
    /// # Errors
    /// [`StatementFailure::Refused`] with the database's words.
    async fn check(&self, statement: &Statement, arguments: &[Argument<'_>]) -> Result<(), StatementFailure>;

    /// Keeps failures, in a transaction of their own: one row for each effect and subject, which counts.
    ///
    /// # Errors
    /// As [`Store::begin`](super::Store::begin).
    async fn keep_failures(&self, failures: &[EffectFailure]) -> Result<(), StoreError>;

    /// Up to `limit` failures before a row (`None`: from the latest on), the latest first; those whose facts were not
    /// applied since, or all. Whether they were is what the other tables say: nothing has to be marked, or could be missed.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be read now.
    async fn failures_before(
        &self,
        row: Option<FailureRow>,
        open_only: bool,
        limit: usize,
    ) -> Result<Vec<FailureView>, StoreError>;
}
