//! The database as plain rows.
//!
//! Messages are kept by the batch here, and a batch has the first of consecutive positions: messages that come are put
//! into as many batches as their positions have gaps.

use async_trait::async_trait;
use payonce_core::{
    StoreError,
    store::{
        ForeignValue, Lease,
        archive::{Archive, Kind, MESSAGE, Progress, Row, TABLES, Table, Value},
    },
};
use sqlx::{AssertSqlSafe, PgConnection, Postgres, postgres::PgArguments, postgres::PgRow, query::Query};

use crate::{
    PostgresStore,
    errors::class,
    leases::held,
    rows::{limit_of, storable, value},
    store::beside,
    tx::PgTx,
};

/// Messages with their positions. The first batch is the one that holds the position after `$1`.
const MESSAGES: &str = "SELECT b.first_position + m.place AS position, m.id, m.kind, m.order_id, m.sequence, m.body, \
     m.created_at FROM payonce.message_batch b JOIN payonce.message m ON m.batch = b.id \
     WHERE b.first_position >= coalesce((SELECT max(first_position) FROM payonce.message_batch \
       WHERE first_position <= $1 + 1), 0) AND b.first_position + m.place > $1 \
     ORDER BY b.first_position, m.place LIMIT $2";

#[async_trait]
impl Archive for PostgresStore {
    async fn identity(&self) -> Result<String, StoreError> {
        const IDENTITY: &str = "SELECT encode(identity, 'hex') FROM payonce.database";
        beside!(self, async |connection: &mut PgConnection| {
            sqlx::query_scalar(IDENTITY).fetch_one(connection).await.map_err(class)
        })
    }

    async fn rows_after(&self, table: &Table, after: &[Value], limit: usize) -> Result<Vec<Row>, StoreError> {
        let found = beside!(self, async |connection: &mut PgConnection| {
            let sql = select(table, !after.is_empty());
            let mut select = sqlx::query(AssertSqlSafe(sql)).persistent(false);
            if *table == MESSAGE && after.is_empty() {
                select = select.bind(0_i64);
            }
            for value in after {
                select = bind(select, value);
            }
            select.bind(limit_of(limit)).fetch_all(connection).await.map_err(class)
        })?;
        found.iter().map(|row| read(table, row)).collect()
    }

    async fn add_rows(&self, table: &Table, rows: &[Row], progress: &Progress) -> Result<(), StoreError> {
        let mut tx = PgTx::begin(self.session(&self.beside).await?).await?;
        tx.run(async |connection| {
            if *table == MESSAGE {
                add_messages(connection, rows).await?;
            } else {
                let sql = insert(table);
                let query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
                bind_columns(query, table.columns, rows).execute(&mut *connection).await.map_err(class)?;
            }
            write_progress(connection, progress).await
        })
        .await?;
        tx.commit_now().await
    }

    async fn progress(&self) -> Result<Vec<Progress>, StoreError> {
        let found = beside!(self, async |connection: &mut PgConnection| {
            sqlx::query("SELECT table_name, source, after, rows, done FROM payonce.copy_progress")
                .fetch_all(connection)
                .await
                .map_err(class)
        })?;
        let progress = |row: &PgRow| {
            Ok(Progress {
                table: value(row, 0)?,
                source: value(row, 1)?,
                after: serde_json::from_str(value(row, 2)?)
                    .map_err(|_| ForeignValue { column: "copy_progress.after" })?,
                rows: value::<i64>(row, 3)?.unsigned_abs(),
                done: value(row, 4)?,
            })
        };
        found.iter().map(progress).collect()
    }

    async fn finish_copy(&self, copy: &Lease) -> Result<(), StoreError> {
        let mut tx = PgTx::begin(self.session(&self.beside).await?).await?;
        tx.run(async |connection| {
            // What is served already numbers its rows itself.
            let held = of_lease(held!(" FOR SHARE"), copy).fetch_optional(&mut *connection).await;
            held.map_err(class)?.ok_or(StoreError::LeaseLost)?;
            // Rows came with their numbers: the next one is counted from the last.
            for table in TABLES.iter().filter(|table| table.columns[0].0 == "id") {
                let name = table.name;
                let sql = format!(
                    "SELECT setval(pg_get_serial_sequence('payonce.{name}', 'id'), \
                     (SELECT max(id) FROM payonce.{name})) WHERE EXISTS (SELECT 1 FROM payonce.{name})"
                );
                sqlx::query(AssertSqlSafe(sql)).execute(&mut *connection).await.map_err(class)?;
            }
            Ok(())
        })
        .await?;
        tx.commit_now().await?;
        // One statement: between the look at the lease and the end there is nothing that could hold it up.
        const END: &str = concat!("DELETE FROM payonce.copy_progress WHERE EXISTS (", held!(""), ")");
        beside!(self, async |connection: &mut PgConnection| {
            let ended = of_lease(END, copy).execute(&mut *connection).await.map_err(class)?;
            if ended.rows_affected() > 0 {
                return Ok(());
            }
            // Ended before, or not to be ended by this one.
            let held = of_lease(held!(""), copy).fetch_optional(connection).await.map_err(class)?;
            held.map(drop).ok_or(StoreError::LeaseLost)
        })
    }
}

/// A statement that asks for a lease by its first three values.
fn of_lease<'q>(sql: &'static str, lease: &'q Lease) -> Query<'q, Postgres, PgArguments> {
    sqlx::query(sql).bind(lease.role.as_str()).bind(lease.owner.0.as_str()).bind(lease.token)
}

fn select(table: &Table, from_middle: bool) -> String {
    if *table == MESSAGE {
        return MESSAGES.to_owned();
    }
    let columns = table.columns.iter().map(|(name, kind)| match kind {
        Kind::Int => format!("{name}::bigint"),
        Kind::Bool => format!("{name}::integer::bigint"),
        Kind::Text | Kind::Bytes => (*name).to_owned(),
    });
    let columns = columns.collect::<Vec<_>>().join(", ");
    let key: Vec<&str> = table.columns[..table.key].iter().map(|(name, _)| *name).collect();
    let key = key.join(", ");
    let marks: Vec<String> = (1..=table.key).map(|place| format!("${place}")).collect();
    let (after, limit) = if from_middle {
        (format!("WHERE ({key}) > ({})", marks.join(", ")), table.key + 1)
    } else {
        (String::new(), 1)
    };
    format!("SELECT {columns} FROM payonce.{} {after} ORDER BY {key} LIMIT ${limit}", table.name)
}

fn insert(table: &Table) -> String {
    let columns = table.columns;
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let arrays: Vec<String> =
        columns.iter().zip(1..).map(|((_, kind), place)| format!("${place}::{}", array(*kind))).collect();
    let taken: Vec<String> = columns
        .iter()
        .map(|(name, kind)| if *kind == Kind::Bool { format!("c.{name} <> 0") } else { format!("c.{name}") })
        .collect();
    format!(
        "INSERT INTO payonce.{} ({names}) SELECT {} FROM unnest({}) AS c ({names})",
        table.name,
        taken.join(", "),
        arrays.join(", "),
        names = names.join(", "),
    )
}

fn array(kind: Kind) -> &'static str {
    match kind {
        Kind::Int | Kind::Bool => "bigint[]",
        Kind::Text => "text[]",
        Kind::Bytes => "bytea[]",
    }
}

type Asked<'q> = Query<'q, Postgres, PgArguments>;

fn bind<'q>(query: Asked<'q>, value: &'q Value) -> Asked<'q> {
    match value {
        Value::Null => query.bind(None::<i64>),
        Value::Int(number) => query.bind(*number),
        Value::Text(text) => query.bind(text.as_str()),
        Value::Bytes(bytes) => query.bind(bytes.as_slice()),
    }
}

/// Binds each column of the rows as an array.
fn bind_columns<'q>(mut query: Asked<'q>, columns: &[(&'static str, Kind)], rows: &'q [Row]) -> Asked<'q> {
    for (place, (_, kind)) in columns.iter().enumerate() {
        let column = rows.iter().map(|row| &row[place]);
        query = match kind {
            Kind::Int | Kind::Bool => query.bind(column.map(integer).collect::<Vec<_>>()),
            Kind::Text => query.bind(column.map(text).collect::<Vec<_>>()),
            Kind::Bytes => query.bind(column.map(bytes).collect::<Vec<_>>()),
        };
    }
    query
}

fn integer(value: &Value) -> Option<i64> {
    if let Value::Int(number) = value { Some(*number) } else { None }
}

fn text(value: &Value) -> Option<String> {
    if let Value::Text(text) = value { Some(storable(text).into_owned()) } else { None }
}

fn bytes(value: &Value) -> Option<&[u8]> {
    if let Value::Bytes(bytes) = value { Some(bytes) } else { None }
}

fn read(table: &Table, row: &PgRow) -> Result<Row, StoreError> {
    let columns = table.columns.iter().enumerate();
    let read = |(place, (_, kind)): (usize, &(&str, Kind))| {
        Ok(match kind {
            // Of messages some columns are narrower than the others' cast.
            Kind::Int if *table == MESSAGE && table.columns[place].0 == "sequence" => {
                value::<Option<i32>>(row, place)?.map_or(Value::Null, |number| Value::Int(number.into()))
            }
            Kind::Int | Kind::Bool => value::<Option<i64>>(row, place)?.map_or(Value::Null, Value::Int),
            Kind::Text => value::<Option<String>>(row, place)?.map_or(Value::Null, Value::Text),
            Kind::Bytes => value::<Option<Vec<u8>>>(row, place)?.map_or(Value::Null, Value::Bytes),
        })
    };
    columns.map(read).collect()
}

/// Puts each run of consecutive positions into a batch of its own.
async fn add_messages(connection: &mut PgConnection, rows: &[Row]) -> Result<(), StoreError> {
    let position = |row: &Row| integer(&row[0]).unwrap_or_default();
    for run in rows.chunk_by(|one, next| position(one) + 1 == position(next)) {
        let batch: i64 = sqlx::query_scalar(
            "INSERT INTO payonce.message_batch (messages, first_position) VALUES ($1, $2) RETURNING id",
        )
        .bind(i32::try_from(run.len()).unwrap_or(i32::MAX))
        .bind(position(&run[0]))
        .fetch_one(&mut *connection)
        .await
        .map_err(class)?;
        let insert = sqlx::query(
            "INSERT INTO payonce.message (batch, place, id, kind, order_id, sequence, body, created_at) \
             SELECT $8, c.position - $9, c.id, c.kind, c.order_id, c.sequence, c.body, c.created_at \
             FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[]) \
             AS c (position, id, kind, order_id, sequence, body, created_at)",
        );
        bind_columns(insert, MESSAGE.columns, run)
            .bind(batch)
            .bind(position(&run[0]))
            .execute(&mut *connection)
            .await
            .map_err(class)?;
    }
    let Some(last) = rows.last() else { return Ok(()) };
    sqlx::query("UPDATE payonce.sequencer SET next_position = greatest(next_position, $1)")
        .bind(position(last) + 1)
        .execute(connection)
        .await
        .map(drop)
        .map_err(class)
}

async fn write_progress(connection: &mut PgConnection, progress: &Progress) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO payonce.copy_progress (table_name, source, after, rows, done) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (table_name) DO UPDATE SET after = excluded.after, rows = excluded.rows, done = excluded.done",
    )
    .bind(progress.table.as_str())
    .bind(progress.source.as_str())
    .bind(serde_json::to_string(&progress.after).expect("BUG: values always serialise"))
    .bind(i64::try_from(progress.rows).unwrap_or(i64::MAX))
    .bind(progress.done)
    .execute(connection)
    .await
    .map(drop)
    .map_err(class)
}
