//! The transaction as an effect has it.
//!
//! Invariant: what went wrong in it is kept here, so that an effect which passes over an error has failed all the same.

use std::time::Duration;

use super::{Argument, Rows, Statement};
use crate::store::{StatementFailure, Statements, StoreError, archive::Row};

/// What is said of a statement whose answer nobody waited for.
const GIVEN_UP: &str = "a statement was given up before the database answered";

/// Why an effect failed.
#[derive(Debug, thiserror::Error)]
pub enum EffectError {
    /// The whole transaction is lost, and begun anew: another one was faster, or the connection broke.
    #[error("the transaction was lost and is begun again")]
    Lost,
    /// The database refused a statement. Nothing further can be executed for the message.
    #[error("{said}")]
    Refused {
        /// What the database said.
        said: String,
    },
    /// It did not come to its end in its time.
    #[error("it took longer than {0:?}")]
    Late(Duration),
    /// It was not run: others of the same transaction had taken the time.
    #[error("it was not run, because effects before it in the same transaction took too long")]
    NotRun,
    /// A statement touched another number of rows than it should.
    #[error("statement {number} touched {found} rows, expected {expected}")]
    Rows {
        /// Which statement of the effect, from 1.
        number: usize,
        /// How many it should touch.
        expected: Rows,
        /// How many it did.
        found: u64,
    },
    /// The arguments are not those that the statement names.
    #[error("the statement names {}, and was given {}", list(named), list(given))]
    Arguments {
        /// The statement's.
        named: Vec<String>,
        /// Those that were given.
        given: Vec<String>,
    },
    /// The effect's own reason.
    #[error("{0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl EffectError {
    /// A reason of the effect's own. It is kept and shown without what came in the message.
    pub fn failed(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Failed(reason.into())
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The transaction in which the message's fact is saved and not yet committed.
pub struct EffectTx<'a> {
    tx: &'a mut dyn Statements,
    broken: Option<Broken>,
}

enum Broken {
    Lost(StoreError),
    Refused(String),
    Waited(String),
}

/// How an effect failed.
#[derive(Debug)]
pub(super) struct Unfit {
    pub(super) error: EffectError,
    /// A statement of it waited as long as it may.
    pub(super) waited: bool,
}

impl<'a> EffectTx<'a> {
    pub(super) fn new(tx: &'a mut dyn Statements) -> Self {
        Self { tx, broken: None }
    }

    /// Executes a statement with an argument for each of its names. Returns how many rows it touched: changed, added or
    /// removed; of a query, found. (MySQL counts a row twice that `REPLACE` or `ON DUPLICATE KEY UPDATE` found.)
    ///
    /// # Errors
    /// [`EffectError::Refused`], after which nothing more can be executed for this message; [`EffectError::Arguments`];
    /// [`EffectError::Lost`].
    pub async fn execute(
        &mut self,
        statement: &Statement,
        arguments: &[(&str, Argument<'_>)],
    ) -> Result<u64, EffectError> {
        let arguments = in_order(statement, arguments)?;
        self.execute_in_order(statement, &arguments).await
    }

    /// Executes a query and returns the rows that it finds, whole numbers, texts and bytes as they are. Another type has to
    /// be cast in the statement.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub async fn query(
        &mut self,
        statement: &Statement,
        arguments: &[(&str, Argument<'_>)],
    ) -> Result<Vec<Row>, EffectError> {
        let arguments = in_order(statement, arguments)?;
        self.intact()?;
        self.broken = Some(Broken::Refused(GIVEN_UP.to_owned()));
        let found = self.tx.query(statement, &arguments).await;
        self.kept(found)
    }

    pub(super) async fn execute_in_order(
        &mut self,
        statement: &Statement,
        arguments: &[Argument<'_>],
    ) -> Result<u64, EffectError> {
        self.intact()?;
        // Until there is an answer: the effect may stop waiting for it, and return as if nothing were the matter.
        self.broken = Some(Broken::Refused(GIVEN_UP.to_owned()));
        let done = self.tx.execute(statement, arguments).await;
        self.kept(done)
    }

    fn intact(&self) -> Result<(), EffectError> {
        match &self.broken {
            None => Ok(()),
            Some(Broken::Lost(_)) => Err(EffectError::Lost),
            Some(Broken::Refused(said) | Broken::Waited(said)) => {
                Err(EffectError::Refused { said: said.clone() })
            }
        }
    }

    fn kept<T>(&mut self, done: Result<T, StatementFailure>) -> Result<T, EffectError> {
        self.broken = None;
        done.map_err(|failure| match failure {
            StatementFailure::Lost(error) => {
                self.broken = Some(Broken::Lost(error));
                EffectError::Lost
            }
            StatementFailure::Refused(said) => {
                self.broken = Some(Broken::Refused(said.clone()));
                EffectError::Refused { said }
            }
            StatementFailure::Waited(said) => {
                self.broken = Some(Broken::Waited(said.clone()));
                EffectError::Refused { said }
            }
        })
    }

    /// What came of the effect that returned `returned`: outer errors are the transaction's, inner ones the effect's.
    pub(super) fn outcome(self, returned: Result<(), EffectError>) -> Result<Result<(), Unfit>, StoreError> {
        let (said, waited) = match self.broken {
            Some(Broken::Lost(error)) => return Err(error),
            Some(Broken::Refused(said)) => (Some(said), false),
            Some(Broken::Waited(said)) => (Some(said), true),
            None => (None, false),
        };
        let hidden = said.map_or(Ok(()), |said| Err(EffectError::Refused { said }));
        Ok(returned.and(hidden).map_err(|error| Unfit { error, waited }))
    }
}

/// The arguments in the order of the statement's names, which have to be the same ones.
fn in_order<'v>(
    statement: &Statement,
    arguments: &[(&str, Argument<'v>)],
) -> Result<Vec<Argument<'v>>, EffectError> {
    let names = statement.names();
    let of = |name: &String| arguments.iter().find(|(given, _)| given == name).map(|(_, value)| *value);
    let found: Option<Vec<_>> = names.iter().map(of).collect();
    found.filter(|found| found.len() == arguments.len()).ok_or_else(|| EffectError::Arguments {
        named: names.to_vec(),
        given: arguments.iter().map(|(name, _)| (*name).to_owned()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, poll_fn},
        pin::pin,
        task::Poll,
    };

    use async_trait::async_trait;

    use super::*;

    /// A database that does not answer an `UPDATE`.
    struct Silent;

    #[async_trait]
    impl Statements for Silent {
        async fn savepoint(&mut self) -> Result<(), StoreError> {
            Ok(())
        }

        async fn roll_back_to_savepoint(&mut self) -> Result<(), StoreError> {
            Ok(())
        }

        async fn release_savepoint(&mut self) -> Result<(), StatementFailure> {
            Ok(())
        }

        async fn execute(
            &mut self,
            statement: &Statement,
            _: &[Argument<'_>],
        ) -> Result<u64, StatementFailure> {
            if statement.source().starts_with("UPDATE") { pending().await } else { Ok(1) }
        }

        async fn query(
            &mut self,
            statement: &Statement,
            _: &[Argument<'_>],
        ) -> Result<Vec<Row>, StatementFailure> {
            if statement.source().starts_with("UPDATE") { pending().await } else { Ok(Vec::new()) }
        }
    }

    /// Looks once whether it is ready, and gives it up.
    async fn once<T>(work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        poll_fn(|context| {
            Poll::Ready(match work.as_mut().poll(context) {
                Poll::Ready(done) => Some(done),
                Poll::Pending => None,
            })
        })
        .await
    }

    /// The database may execute it all the same, or be in the middle of it.
    #[tokio::test]
    async fn an_effect_that_gives_a_statement_up_has_failed() {
        let statement = |sql| Statement::parse(sql).expect("a statement");
        let (silent, answered) = (statement("UPDATE a SET b = 1"), statement("INSERT INTO a VALUES (1)"));
        for queries in [false, true] {
            let mut database = Silent;
            let mut tx = EffectTx::new(&mut database);
            assert_eq!(tx.execute(&answered, &[]).await.expect("it is executed"), 1);
            let given_up = match queries {
                true => once(tx.query(&silent, &[])).await.is_none(),
                false => once(tx.execute(&silent, &[])).await.is_none(),
            };
            assert!(given_up);
            let next = tx.execute(&answered, &[]).await;
            assert!(matches!(next, Err(EffectError::Refused { .. })), "{next:?}");
            let unfit = tx.outcome(Ok(())).expect("the transaction stands").expect_err("it gave up");
            assert_eq!(unfit.error.to_string(), GIVEN_UP);
        }
    }
}
