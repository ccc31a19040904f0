//! The file as plain rows.

use async_trait::async_trait;
use payonce_core::{
    StoreError,
    store::{
        ForeignValue, Lease,
        archive::{Archive, Kind, Progress, Row, Table, Value},
    },
};
use rusqlite::{Connection, params_from_iter, types::Value as Sqlite, types::ValueRef};

use crate::{SqliteStore, errors::class, leases::is_held, rows::RowError, tx::SqliteTx};

#[async_trait]
impl Archive for SqliteStore {
    async fn identity(&self) -> Result<String, StoreError> {
        const IDENTITY: &str = "SELECT lower(hex(identity)) FROM database";
        self.read(|connection| Ok(connection.query_row(IDENTITY, [], |row| row.get(0))?)).await
    }

    async fn rows_after(&self, table: &Table, after: &[Value], limit: usize) -> Result<Vec<Row>, StoreError> {
        let (sql, width) = (select(table, !after.is_empty()), table.columns.len());
        let mut values: Vec<Sqlite> = after.iter().map(to_sqlite).collect();
        values.push(Sqlite::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
        self.read(move |connection| read(connection, &sql, &values, width)).await
    }

    async fn add_rows(&self, table: &Table, rows: &[Row], progress: &Progress) -> Result<(), StoreError> {
        let tx = SqliteTx::begin(self.writer.lock().await)?;
        let mut insert = tx.connection().prepare_cached(&insert(table)).map_err(class)?;
        for row in rows {
            insert.execute(params_from_iter(row.iter().map(to_sqlite))).map_err(class)?;
        }
        drop(insert);
        let after = serde_json::to_string(&progress.after).expect("BUG: values always serialise");
        tx.connection()
            .prepare_cached(
                "INSERT INTO copy_progress (table_name, source, after, rows, done) VALUES (?1, ?2, ?3, ?4, ?5) \
                 ON CONFLICT (table_name) DO UPDATE SET after = excluded.after, rows = excluded.rows, \
                   done = excluded.done",
            )
            .and_then(|mut write| {
                write.execute(rusqlite::params![
                    progress.table,
                    progress.source,
                    after,
                    i64::try_from(progress.rows).unwrap_or(i64::MAX),
                    progress.done
                ])
            })
            .map_err(class)?;
        tx.commit_now()
    }

    async fn progress(&self) -> Result<Vec<Progress>, StoreError> {
        self.read(|connection| {
            let mut select =
                connection.prepare("SELECT table_name, source, after, rows, done FROM copy_progress")?;
            let mut found = select.query([])?;
            let mut all = Vec::new();
            while let Some(row) = found.next()? {
                let after: String = row.get(2)?;
                all.push(Progress {
                    table: row.get(0)?,
                    source: row.get(1)?,
                    after: serde_json::from_str(&after)
                        .map_err(|_| RowError::Foreign(ForeignValue { column: "copy_progress.after" }))?,
                    rows: row.get::<_, i64>(3)?.unsigned_abs(),
                    done: row.get(4)?,
                });
            }
            Ok(all)
        })
        .await
    }

    async fn finish_copy(&self, copy: &Lease) -> Result<(), StoreError> {
        let tx = SqliteTx::begin(self.writer.lock().await)?;
        if !is_held(tx.connection(), copy)? {
            return Err(StoreError::LeaseLost);
        }
        tx.connection().execute("DELETE FROM copy_progress", []).map_err(class)?;
        tx.commit_now()
    }
}

fn names(columns: &[(&'static str, Kind)]) -> String {
    columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

fn select(table: &Table, from_middle: bool) -> String {
    let key = names(&table.columns[..table.key]);
    let after = if from_middle { format!("WHERE ({key}) > ({})", marks(table.key)) } else { String::new() };
    format!("SELECT {} FROM {} {after} ORDER BY {key} LIMIT ?", names(table.columns), table.name)
}

fn insert(table: &Table) -> String {
    format!("INSERT INTO {} ({}) VALUES ({})", table.name, names(table.columns), marks(table.columns.len()))
}

fn read(connection: &Connection, sql: &str, values: &[Sqlite], width: usize) -> Result<Vec<Row>, RowError> {
    let mut select = connection.prepare_cached(sql)?;
    let mut found = select.query(params_from_iter(values))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let value = |column| Ok(from_sqlite(row.get_ref(column)?)?);
        rows.push((0..width).map(value).collect::<Result<Row, RowError>>()?);
    }
    Ok(rows)
}

fn to_sqlite(value: &Value) -> Sqlite {
    match value {
        Value::Null => Sqlite::Null,
        Value::Int(number) => Sqlite::Integer(*number),
        Value::Text(text) => Sqlite::Text(text.clone()),
        Value::Bytes(bytes) => Sqlite::Blob(bytes.clone()),
    }
}

fn from_sqlite(value: ValueRef<'_>) -> Result<Value, rusqlite::Error> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Text(_) | ValueRef::Real(_) => Value::Text(value.as_str()?.to_owned()),
    })
}
