//! The database as plain rows.
//!
//! Messages are kept by the batch here, and a batch has the first of consecutive positions: messages that come are put
//! into as many batches as their positions have gaps.

use async_trait::async_trait;
use payonce_core::{
    StoreError,
    store::{
        ForeignValue, Lease, Position,
        archive::{Archive, Kind, MESSAGE, Progress, Row, Table, Value},
    },
};
use sqlx::{AssertSqlSafe, MySql, MySqlConnection, mysql::MySqlArguments, mysql::MySqlRow, query::Query};

use crate::{
    MySqlStore,
    errors::class,
    leases::held,
    read::batches_after,
    rows::{json, json_table, limit_of, value},
    store::beside,
    tx::MySqlTx,
};

/// The messages of some batches, with their positions. Joined with the batches in one statement, all messages from there
/// on would be sorted for each page.
const MESSAGES: &str = concat!(
    "SELECT j.first_position + m.place, m.id, m.kind, m.order_id, m.sequence, m.body, m.created_at FROM ",
    json_table!("batch" "BIGINT", 0; "first_position" "BIGINT", 1; "from_place" "BIGINT", 2),
    " STRAIGHT_JOIN payonce_message m FORCE INDEX (PRIMARY) ON m.batch = j.batch AND m.place >= j.from_place"
);

#[async_trait]
impl Archive for MySqlStore {
    async fn identity(&self) -> Result<String, StoreError> {
        const IDENTITY: &str = "SELECT lower(identity) FROM payonce_database";
        beside!(self, async |connection: &mut MySqlConnection| {
            sqlx::query_scalar(IDENTITY).fetch_one(connection).await.map_err(class)
        })
    }

    async fn rows_after(&self, table: &Table, after: &[Value], limit: usize) -> Result<Vec<Row>, StoreError> {
        if *table == MESSAGE {
            return beside!(self, async |connection: &mut MySqlConnection| {
                messages_after(connection, after, limit).await
            });
        }
        let found = beside!(self, async |connection: &mut MySqlConnection| {
            // Statements stay prepared: the server answers nothing to the end of one, and the next one then waits for
            // the network's own acknowledgement, 40 ms.
            let sql = select(table, !after.is_empty());
            let mut select = sqlx::query(AssertSqlSafe(sql));
            if let [one, two] = after {
                // Rows are not compared as such: no index is used then.
                select = bind(bind(bind(select, one.clone()), one.clone()), two.clone());
            } else {
                for value in after {
                    select = bind(select, value.clone());
                }
            }
            select.bind(limit_of(limit)).fetch_all(connection).await.map_err(class)
        })?;
        found.iter().map(|row| read(table, row)).collect()
    }

    async fn add_rows(&self, table: &Table, rows: &[Row], progress: &Progress) -> Result<(), StoreError> {
        let mut tx = MySqlTx::begin(self.session(&self.beside).await?).await?;
        tx.run(async |connection| {
            if *table == MESSAGE {
                add_messages(connection, rows).await?;
            } else if !rows.is_empty() {
                let names = table.columns.iter().map(|(name, _)| *name);
                insert(connection, table.name, names, rows.to_vec()).await?;
            }
            write_progress(connection, progress).await
        })
        .await?;
        if !rows.is_empty() {
            tx.wrote();
        }
        tx.commit_now().await
    }

    async fn progress(&self) -> Result<Vec<Progress>, StoreError> {
        let found = beside!(self, async |connection: &mut MySqlConnection| {
            sqlx::query("SELECT table_name, source, after, `rows`, done FROM payonce_copy_progress")
                .fetch_all(connection)
                .await
                .map_err(class)
        })?;
        let progress = |row: &MySqlRow| {
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
        // A counter is beyond the greatest number that was ever written, also if it came with its row. One statement:
        // between the look at the lease and the end there is nothing that could hold it up.
        const END: &str = concat!("DELETE FROM payonce_copy_progress WHERE EXISTS (", held!(""), ")");
        beside!(self, async |connection: &mut MySqlConnection| {
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
fn of_lease<'q>(sql: &'static str, lease: &'q Lease) -> Query<'q, MySql, MySqlArguments> {
    sqlx::query(sql).bind(lease.role.as_str()).bind(lease.owner.0.as_str()).bind(lease.token)
}

async fn messages_after(
    connection: &mut MySqlConnection,
    after: &[Value],
    limit: usize,
) -> Result<Vec<Row>, StoreError> {
    let after = if let [Value::Int(position)] = after { Position(*position) } else { Position(0) };
    let batches = batches_after(connection, after, limit).await?;
    if batches.is_empty() {
        return Ok(Vec::new());
    }
    let found = sqlx::query(MESSAGES).bind(json(batches)).fetch_all(connection).await.map_err(class)?;
    let mut rows = found.iter().map(|row| read(&MESSAGE, row)).collect::<Result<Vec<Row>, _>>()?;
    // By their positions, which are their first values.
    rows.sort_unstable();
    rows.truncate(limit);
    Ok(rows)
}

fn select(table: &Table, from_middle: bool) -> String {
    let columns = table.columns.iter().map(|(name, kind)| match (*name, kind) {
        // Of an awaited number it counts something else here.
        ("messages", _) => "CAST(IF(state = 4, 0, messages) AS SIGNED)".to_owned(),
        (name, Kind::Int | Kind::Bool) => format!("CAST({name} AS SIGNED)"),
        (name, Kind::Text | Kind::Bytes) => name.to_owned(),
    });
    let columns = columns.collect::<Vec<_>>().join(", ");
    let key: Vec<&str> = table.columns[..table.key].iter().map(|(name, _)| *name).collect();
    let after = match key[..] {
        _ if !from_middle => String::new(),
        [one, two] => format!("WHERE {one} > ? OR ({one} = ? AND {two} > ?)"),
        _ => format!("WHERE {} > ?", key[0]),
    };
    format!("SELECT {columns} FROM payonce_{} {after} ORDER BY {} LIMIT ?", table.name, key.join(", "))
}

type Asked<'q> = Query<'q, MySql, MySqlArguments>;

fn bind(query: Asked<'_>, value: Value) -> Asked<'_> {
    match value {
        Value::Null => query.bind(None::<i64>),
        Value::Int(number) => query.bind(number),
        Value::Text(text) => query.bind(text),
        Value::Bytes(bytes) => query.bind(bytes),
    }
}

fn read(table: &Table, row: &MySqlRow) -> Result<Row, StoreError> {
    let columns = table.columns.iter().enumerate();
    let read = |(place, (name, kind)): (usize, &(&str, Kind))| {
        Ok(match kind {
            // Of messages one column is narrower.
            Kind::Int if *table == MESSAGE && *name == "sequence" => {
                value::<Option<i32>>(row, place)?.map_or(Value::Null, |number| Value::Int(number.into()))
            }
            Kind::Int | Kind::Bool => value::<Option<i64>>(row, place)?.map_or(Value::Null, Value::Int),
            Kind::Text => value::<Option<String>>(row, place)?.map_or(Value::Null, Value::Text),
            Kind::Bytes => value::<Option<Vec<u8>>>(row, place)?.map_or(Value::Null, Value::Bytes),
        })
    };
    columns.map(read).collect()
}

async fn insert(
    connection: &mut MySqlConnection,
    table: &str,
    names: impl Iterator<Item = &'static str>,
    rows: Vec<Row>,
) -> Result<(), StoreError> {
    let names: Vec<&str> = names.collect();
    let marks = format!("({})", vec!["?"; names.len()].join(", "));
    let sql = format!(
        "INSERT INTO payonce_{table} ({}) VALUES {}",
        names.join(", "),
        vec![marks.as_str(); rows.len()].join(", ")
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for value in rows.into_iter().flatten() {
        query = bind(query, value);
    }
    query.execute(connection).await.map(drop).map_err(class)
}

/// Puts each run of consecutive positions into a batch of its own.
async fn add_messages(connection: &mut MySqlConnection, rows: &[Row]) -> Result<(), StoreError> {
    const NAMES: [&str; 8] = ["batch", "place", "id", "kind", "order_id", "sequence", "body", "created_at"];
    let position = |row: &Row| if let Value::Int(position) = row[0] { position } else { 0 };
    for run in rows.chunk_by(|one, next| position(one) + 1 == position(next)) {
        let first = position(&run[0]);
        let batch = sqlx::query("INSERT INTO payonce_message_batch (messages, first_position) VALUES (?, ?)")
            .bind(i32::try_from(run.len()).unwrap_or(i32::MAX))
            .bind(first)
            .execute(&mut *connection)
            .await
            .map_err(class)?
            .last_insert_id();
        let batch = Value::Int(i64::try_from(batch).unwrap_or(i64::MAX));
        let placed = run.iter().map(|row| {
            let place = Value::Int(position(row) - first);
            [batch.clone(), place].into_iter().chain(row[1..].iter().cloned()).collect()
        });
        insert(connection, "message", NAMES.into_iter(), placed.collect()).await?;
    }
    let Some(last) = rows.last() else { return Ok(()) };
    sqlx::query("UPDATE payonce_sequencer SET next_position = greatest(next_position, ?)")
        .bind(position(last) + 1)
        .execute(connection)
        .await
        .map(drop)
        .map_err(class)
}

async fn write_progress(connection: &mut MySqlConnection, progress: &Progress) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO payonce_copy_progress (table_name, source, after, `rows`, done) VALUES (?, ?, ?, ?, ?) \
         ON DUPLICATE KEY UPDATE after = VALUES(after), `rows` = VALUES(`rows`), done = VALUES(done)",
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
