//! The merchant's statements in a transaction.
//!
//! After a statement that fails the transaction takes nothing but a way back to the savepoint. Parameters have the types
//! of their values: `bigint`, `boolean`, `text`, `timestamptz`; what a column of another type does not take by itself is
//! cast in the statement. A constraint that is deferred is checked before the savepoint is released: at the commit it would
//! take the whole batch with it. (So one that may be deferred, and is not, is deferred after the first message.)

use std::sync::Arc;

use async_trait::async_trait;
use payonce_core::{
    StoreError, UnixMillis,
    effect::{Argument, Statement},
    store::{
        StatementFailure, Statements,
        archive::{Row, Value},
    },
};
use sqlx::{
    AssertSqlSafe, Column as _, Encode, Executor, PgConnection, Postgres, Row as _, Type, TypeInfo as _,
    ValueRef as _,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgArguments, PgRow, PgTypeInfo, types::Oid},
    query::Query,
};

use crate::{
    errors::{class, class_of_merchants},
    tx::PgTx,
};

/// Checks what is deferred, and lets what comes after it defer again. In the same round trip as what follows.
macro_rules! check_deferred {
    () => {
        "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"
    };
}

#[async_trait]
impl Statements for PgTx {
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
        const RELEASE: &str = concat!(check_deferred!(), "; RELEASE SAVEPOINT payonce_effect");
        self.run_for_merchant(async |connection| checked(connection, RELEASE).await).await
    }

    async fn check_deferred(&mut self) -> Result<(), StatementFailure> {
        self.run_for_merchant(async |connection| checked(connection, check_deferred!()).await).await
    }

    async fn execute(
        &mut self,
        statement: &Statement,
        arguments: &[Argument<'_>],
    ) -> Result<u64, StatementFailure> {
        let done = self.run_for_merchant(async |connection| {
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

async fn control(connection: &mut PgConnection, statement: &'static str) -> Result<(), StoreError> {
    connection.execute(statement).await.map(drop).map_err(class)
}

async fn checked(connection: &mut PgConnection, statements: &'static str) -> Result<(), StatementFailure> {
    connection.execute(statements).await.map(drop).map_err(class_of_merchants)
}

fn query_of<'q>(statement: &Statement, arguments: &'q [Argument<'_>]) -> Query<'q, Postgres, PgArguments> {
    let mut query = sqlx::query(AssertSqlSafe(Arc::clone(statement.numbered())));
    for argument in arguments {
        query = match *argument {
            Argument::Int(number) => query.bind(number),
            Argument::Bool(truth) => query.bind(truth),
            Argument::Text(text) => query.bind(text),
            Argument::Time(at) => query.bind(at.map(Timestamptz)),
        };
    }
    query
}

/// The types of arguments, for a statement that is only prepared.
pub(super) fn types_of(arguments: &[Argument<'_>]) -> Vec<PgTypeInfo> {
    let kind = |argument: &Argument<'_>| match argument {
        Argument::Int(_) => <i64 as Type<Postgres>>::type_info(),
        Argument::Bool(_) => <bool as Type<Postgres>>::type_info(),
        Argument::Text(_) => <str as Type<Postgres>>::type_info(),
        Argument::Time(_) => Timestamptz::type_info(),
    };
    arguments.iter().map(kind).collect()
}

/// A point in time as PostgreSQL sends it.
struct Timestamptz(UnixMillis);

impl Timestamptz {
    const OID: Oid = Oid(1184);

    /// PostgreSQL's epoch, the beginning of 2000, in milliseconds of Unix'.
    const EPOCH: i64 = 946_684_800_000;
}

impl Type<Postgres> for Timestamptz {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Self::OID)
    }
}

impl Encode<'_, Postgres> for Timestamptz {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let millis = self.0.0.saturating_sub(Self::EPOCH);
        buffer.extend_from_slice(&millis.saturating_mul(1000).to_be_bytes());
        Ok(IsNull::No)
    }
}

fn row_of(row: &PgRow) -> Result<Row, StatementFailure> {
    (0..row.len()).map(|column| value_of(row, column)).collect()
}

fn value_of(row: &PgRow, column: usize) -> Result<Value, StatementFailure> {
    let raw = row.try_get_raw(column).map_err(class_of_merchants)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let kind = row.column(column).type_info().name();
    let value = match kind {
        "BOOL" => row.try_get::<bool, _>(column).map(|truth| Value::Int(i64::from(truth))),
        "INT2" => row.try_get::<i16, _>(column).map(|number| Value::Int(number.into())),
        "INT4" => row.try_get::<i32, _>(column).map(|number| Value::Int(number.into())),
        "INT8" => row.try_get::<i64, _>(column).map(Value::Int),
        "TEXT" | "VARCHAR" | "CHAR" | "NAME" => row.try_get::<String, _>(column).map(Value::Text),
        "BYTEA" => row.try_get::<Vec<u8>, _>(column).map(Value::Bytes),
        _ => {
            let number = column + 1;
            return Err(StatementFailure::Refused(format!(
                "column {number} of the query is of type {kind}: cast it to bigint or text"
            )));
        }
    };
    value.map_err(class_of_merchants)
}
