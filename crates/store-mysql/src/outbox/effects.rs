//! The merchant's statements in a transaction.
//!
//! Rows are counted as they are found, also where an update leaves them as they were; what `REPLACE` and `ON DUPLICATE KEY
//! UPDATE` replace counts twice. Tables have to be InnoDB's: others keep what is rolled back.

use std::sync::Arc;

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
use sqlx::{
    AssertSqlSafe, Column as _, Executor, MySql, MySqlConnection, Row as _, SqlSafeStr as _, Statement as _,
    Type, TypeInfo as _, ValueRef as _,
    mysql::{MySqlArguments, MySqlRow},
    query::Query,
};

use crate::{
    errors::{class, class_of_merchants},
    tx::MySqlTx,
};

#[async_trait]
impl Statements for MySqlTx {
    async fn savepoint(&mut self) -> Result<(), StoreError> {
        self.run(async |connection| control(connection, "SAVEPOINT payonce_effect").await).await
    }

    async fn roll_back_to_savepoint(&mut self) -> Result<(), StoreError> {
        const BACK: &str = "ROLLBACK TO SAVEPOINT payonce_effect; RELEASE SAVEPOINT payonce_effect";
        self.run(async |connection| control(connection, BACK).await).await?;
        self.mended();
        Ok(())
    }

    async fn release_savepoint(&mut self) -> Result<(), StatementFailure> {
        let released =
            self.run(async |connection| control(connection, "RELEASE SAVEPOINT payonce_effect").await);
        released.await.map_err(StatementFailure::Lost)
    }

    async fn execute(
        &mut self,
        statement: &Statement,
        arguments: &[Argument<'_>],
    ) -> Result<u64, StatementFailure> {
        let done = self.run_for_merchant(async |connection| {
            if returns_rows(connection, statement).await? {
                let found = query_of(statement, arguments).fetch_all(connection).await;
                return found.map(|found| found.len() as u64).map_err(class_of_merchants);
            }
            let done = query_of(statement, arguments).execute(connection).await;
            done.map(|done| done.rows_affected()).map_err(class_of_merchants)
        });
        done.await
    }

    async fn query(
        &mut self,
        statement: &Statement,
        arguments: &[Argument<'_>],
    ) -> Result<Vec<Row>, StatementFailure> {
        let found = self.run_for_merchant(async |connection| {
            query_of(statement, arguments).fetch_all(connection).await.map_err(class_of_merchants)
        });
        found.await?.iter().map(row_of).collect()
    }
}

async fn control(connection: &mut MySqlConnection, statement: &'static str) -> Result<(), StoreError> {
    connection.execute(statement).await.map(drop).map_err(class)
}

/// Prepares a statement, which stays prepared on the connection.
pub(super) async fn returns_rows(
    connection: &mut MySqlConnection,
    statement: &Statement,
) -> Result<bool, StatementFailure> {
    let sql = AssertSqlSafe(Arc::clone(statement.marked())).into_sql_str();
    let prepared = connection.prepare(sql).await.map_err(class_of_merchants)?;
    Ok(!prepared.columns().is_empty())
}

fn query_of<'q>(statement: &Statement, arguments: &'q [Argument<'_>]) -> Query<'q, MySql, MySqlArguments> {
    let mut query = sqlx::query(AssertSqlSafe(Arc::clone(statement.marked())));
    for place in statement.places() {
        query = match arguments[*place] {
            Argument::Int(number) => query.bind(number),
            Argument::Bool(truth) => query.bind(truth),
            Argument::Text(text) => query.bind(text),
            // As a DATETIME is written; the session's time zone is UTC.
            Argument::Time(at) => {
                query.bind(at.map(|at| rfc3339(at).trim_end_matches('Z').replacen('T', " ", 1)))
            }
        };
    }
    query
}

fn row_of(row: &MySqlRow) -> Result<Row, StatementFailure> {
    (0..row.len()).map(|column| value_of(row, column)).collect()
}

fn value_of(row: &MySqlRow, column: usize) -> Result<Value, StatementFailure> {
    let raw = row.try_get_raw(column).map_err(class_of_merchants)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let info = row.column(column).type_info().clone();
    let kind = info.name();
    let number = column + 1;
    let refused = |holds: &str| {
        Err(StatementFailure::Refused(format!(
            "column {number} of the query {holds}: cast it to SIGNED or CHAR"
        )))
    };
    let value = match kind {
        "BOOLEAN" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => {
            row.try_get_unchecked::<i64, _>(column).map(Value::Int)
        }
        "TINYINT UNSIGNED" | "SMALLINT UNSIGNED" | "MEDIUMINT UNSIGNED" | "INT UNSIGNED"
        | "BIGINT UNSIGNED" => {
            let found = row.try_get_unchecked::<u64, _>(column).map_err(class_of_merchants)?;
            let Ok(found) = i64::try_from(found) else { return refused("holds a number beyond BIGINT") };
            Ok(Value::Int(found))
        }
        // Of texts and bytes it is the collation that tells.
        _ if <str as Type<MySql>>::compatible(&info) => row.try_get::<String, _>(column).map(Value::Text),
        _ if <[u8] as Type<MySql>>::compatible(&info) => row.try_get::<Vec<u8>, _>(column).map(Value::Bytes),
        _ => return refused(&format!("is of type {kind}")),
    };
    value.map_err(class_of_merchants)
}
