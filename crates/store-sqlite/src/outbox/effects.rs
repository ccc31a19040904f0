//! The merchant's statements in a transaction.
//!
//! A statement that fails is undone by itself. One that takes the whole transaction with it (`OR ROLLBACK`) takes the
//! savepoint too, so that nothing can be committed.

use async_trait::async_trait;
use payonce_core::{
    StoreError,
    effect::{Argument, Statement},
    message::rfc3339,
    store::{
        StatementFailure, Statements,
        archive::{Row, Value},
    },
};
use rusqlite::{Connection, Error, ErrorCode, params_from_iter, types::Value as Sqlite, types::ValueRef};

use crate::{errors::class, tx::SqliteTx};

#[async_trait]
impl Statements for SqliteTx<'_> {
    async fn savepoint(&mut self) -> Result<(), StoreError> {
        control(self.connection(), "SAVEPOINT payonce_effect")
    }

    async fn roll_back_to_savepoint(&mut self) -> Result<(), StoreError> {
        control(self.connection(), "ROLLBACK TO payonce_effect")?;
        control(self.connection(), "RELEASE payonce_effect")
    }

    async fn release_savepoint(&mut self) -> Result<(), StatementFailure> {
        control(self.connection(), "RELEASE payonce_effect").map_err(StatementFailure::Lost)
    }

    async fn execute(
        &mut self,
        statement: &Statement,
        arguments: &[Argument<'_>],
    ) -> Result<u64, StatementFailure> {
        execute(self.connection(), statement, arguments).map_err(class_of_merchants)
    }

    async fn query(
        &mut self,
        statement: &Statement,
        arguments: &[Argument<'_>],
    ) -> Result<Vec<Row>, StatementFailure> {
        query(self.connection(), statement, arguments)
    }
}

fn control(connection: &Connection, statement: &str) -> Result<(), StoreError> {
    connection.prepare_cached(statement).and_then(|mut control| control.execute([])).map(drop).map_err(class)
}

/// What is the matter with the file is the transaction's trouble; everything else is the statement's.
pub(super) fn class_of_merchants(error: Error) -> StatementFailure {
    match error.sqlite_error_code() {
        // SQLite ends the whole transaction.
        Some(ErrorCode::OutOfMemory | ErrorCode::OperationInterrupted) => {
            StatementFailure::Lost(class(error))
        }
        _ => StatementFailure::of(class(error)),
    }
}

fn to_sqlite(argument: &Argument<'_>) -> Sqlite {
    match *argument {
        Argument::Int(number) => number.into(),
        Argument::Bool(truth) => truth.into(),
        Argument::Text(text) => text.map(str::to_owned).into(),
        Argument::Time(at) => at.map(rfc3339).into(),
    }
}

fn execute(connection: &Connection, statement: &Statement, arguments: &[Argument<'_>]) -> Result<u64, Error> {
    let mut prepared = connection.prepare_cached(statement.marked())?;
    let mut returned = 0;
    let mut rows = prepared.query(params_from_iter(statement.in_order(arguments).map(to_sqlite)))?;
    while rows.next()?.is_some() {
        returned += 1;
    }
    drop(rows);
    Ok(if prepared.readonly() { returned } else { connection.changes() })
}

fn query(
    connection: &Connection,
    statement: &Statement,
    arguments: &[Argument<'_>],
) -> Result<Vec<Row>, StatementFailure> {
    let mut prepared = connection.prepare_cached(statement.marked()).map_err(class_of_merchants)?;
    let width = prepared.column_count();
    let values = params_from_iter(statement.in_order(arguments).map(to_sqlite));
    let mut rows = prepared.query(values).map_err(class_of_merchants)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(class_of_merchants)? {
        let value = |column| match row.get_ref(column).map_err(class_of_merchants)? {
            ValueRef::Null => Ok(Value::Null),
            ValueRef::Integer(number) => Ok(Value::Int(number)),
            ValueRef::Blob(bytes) => Ok(Value::Bytes(bytes.to_vec())),
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Value::Text(text.to_owned())),
                Err(_) => Err(refused(column, "no UTF-8")),
            },
            ValueRef::Real(_) => Err(refused(column, "a REAL")),
        };
        found.push((0..width).map(value).collect::<Result<Row, _>>()?);
    }
    Ok(found)
}

fn refused(column: usize, holds: &str) -> StatementFailure {
    StatementFailure::Refused(format!(
        "column {} of the query holds {holds}: cast it to an integer or a text",
        column + 1
    ))
}
