//! Effects: what the merchant's own system does in the transaction of a message's cause.
//!
//! An effect runs after the facts are saved and before they are committed, so both are there or neither is. What it does
//! takes effect once, whatever it does, because its message does; it need not be idempotent.
//! Invariants: an effect that fails leaves its fact unapplied and its neighbours in the batch unhurt; what it got wrong
//! cannot be hidden by what it returns; values are bound, never put into a statement's text.
//! Deliberately absent: calls over a network. They would hold the transaction's locks, and could not be undone.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use crate::delivery::Filter;

mod argument;
mod failure;
mod message;
mod parameter;
mod rows;
pub(super) mod run;
mod scan;
mod sql;
mod statement;
mod tx;

pub use argument::Argument;
pub use failure::{EffectFailure, FailureRow, FailureView};
pub use message::{EffectMessage, Paid};
pub use parameter::Parameter;
pub use rows::{Rows, RowsError};
pub use sql::{SqlEffect, Step, UnknownParameter};
pub use statement::{Statement, StatementError};
pub use tx::{EffectError, EffectTx};

/// What happens in the transaction of a message's cause.
#[async_trait]
pub trait Effect: Send + Sync {
    /// How it is called in failures and logs: the same after every start, for it is kept with what failed.
    fn name(&self) -> &str;

    /// What it is going to execute, so that the database can say at the start whether it can be.
    fn prepared(&self) -> Vec<Prepared<'_>> {
        Vec::new()
    }

    /// Does it, once for each message. An error leaves the fact that caused the message unapplied; WeChat sends it again.
    ///
    /// # Errors
    /// Whatever makes it impossible. What is wrong with the whole transaction is kept by `tx` itself, whatever is returned.
    async fn run(&self, tx: &mut EffectTx<'_>, message: &EffectMessage<'_>) -> Result<(), EffectError>;
}

/// A statement that an effect is going to execute.
#[derive(Clone, Debug)]
pub struct Prepared<'a> {
    /// Where it stands, for whoever has to mend it.
    pub place: &'a str,
    /// The statement.
    pub statement: &'a Statement,
    /// An argument for each of its names, of the type that it will have; empty where that is not known beforehand.
    pub arguments: Vec<Argument<'static>>,
}

/// The effects of a node, and which messages each is for.
#[derive(Clone, Default)]
pub struct Effects {
    bound: Vec<(Filter, Arc<dyn Effect>)>,
}

impl Effects {
    /// None at all: nothing on a fact's way is done for effects.
    #[must_use]
    pub const fn none() -> Self {
        Self { bound: Vec::new() }
    }

    /// The same with one more, which runs after the others.
    #[must_use]
    pub fn with(mut self, filter: Filter, effect: Arc<dyn Effect>) -> Self {
        self.bound.push((filter, effect));
        self
    }

    /// All of them, in the order in which they run.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Effect>> {
        self.bound.iter().map(|(_, effect)| effect)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bound.is_empty()
    }

    fn of<'e>(&'e self, kind: &str) -> impl Iterator<Item = &'e dyn Effect> {
        self.bound.iter().filter(|(filter, _)| filter.wants(kind)).map(|(_, effect)| &**effect)
    }
}

impl fmt::Debug for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|effect| effect.name())).finish()
    }
}
