//! A database as plain rows, so that it can be moved to another one.
//!
//! [`TABLES`] says what there is: a table that is added to it is copied by every store. Rows keep their numbers, so what
//! refers to them stays right. Deliberately absent: leases, epochs and the like, which are of one database and one time.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Lease, Store, StoreError};

/// A value in a column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Value {
    /// None.
    Null,
    /// A number; a truth value is 0 or 1.
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Value {
    /// About how much memory it takes, and how much of a statement.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Null | Self::Int(_) => 8,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Numbers of up to 64 bits.
    Int,
    /// 0 or 1, or what a database has for truth values.
    Bool,
    /// Texts.
    Text,
    /// Bytes.
    Bytes,
}

/// A table.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name; a store may put its prefix before it.
    pub name: &'static str,
    /// Its columns. The first ones are the key, by which rows are ordered.
    pub columns: &'static [(&'static str, Kind)],
    /// How many columns the key has.
    pub key: usize,
    /// Rows read at a time: few where a row may have a megabyte.
    pub page: usize,
}

/// A row of a [`Table`], in the order of its columns.
pub type Row = Vec<Value>;

use Kind::{Bool, Bytes, Int, Text};

/// Messages, whose rows a store may keep otherwise: its key is the position.
pub const MESSAGE: Table = Table {
    name: "message",
    columns: &[
        ("position", Int),
        ("id", Text),
        ("kind", Text),
        ("order_id", Int),
        ("sequence", Int),
        ("body", Text),
        ("created_at", Int),
    ],
    key: 1,
    page: 200,
};

/// Every table that a copy takes along.
pub const TABLES: [Table; 13] = [
    Table {
        name: "orders",
        columns: &[
            ("id", Int),
            ("mchid", Text),
            ("out_trade_no", Text),
            ("amount", Int),
            ("currency", Text),
            ("appid", Text),
            ("sub_mchid", Text),
            ("expires_at", Int),
            ("state", Int),
            ("flagged", Bool),
            ("messages", Int),
            ("registered_at", Int),
        ],
        key: 1,
        page: 1000,
    },
    Table {
        name: "payment",
        columns: &[
            ("id", Int),
            ("mchid", Text),
            ("transaction_id", Text),
            ("rival", Int),
            ("told_apart", Int),
            ("out_trade_no", Text),
            ("amount", Int),
            ("currency", Text),
            ("appid", Text),
            ("sub_mchid", Text),
            ("standing", Int),
            ("order_id", Int),
            ("paid_at", Int),
            ("source", Int),
            ("learnt_at", Int),
            ("detail", Text),
        ],
        key: 1,
        page: 1000,
    },
    Table {
        name: "notification_passed",
        columns: &[("mchid", Text), ("notification_id", Text)],
        key: 2,
        page: 1000,
    },
    MESSAGE,
    Table {
        name: "incident",
        columns: &[
            ("id", Int),
            ("payment_id", Int),
            ("kind", Text),
            ("remedy", Int),
            ("opened_at", Int),
            ("resolved_at", Int),
        ],
        key: 1,
        page: 1000,
    },
    Table {
        name: "receipt",
        columns: &[
            ("id", Int),
            ("mchid", Text),
            ("notification_id", Text),
            ("event_type", Text),
            ("received_at", Int),
            ("outcome", Int),
        ],
        key: 1,
        page: 1000,
    },
    Table {
        name: "rejected",
        columns: &[
            ("id", Int),
            ("received_at", Int),
            ("path_merchant", Text),
            ("http_status", Int),
            ("verdict", Text),
            ("reason", Text),
            ("headers", Text),
            ("body", Bytes),
        ],
        key: 1,
        page: 200,
    },
    Table {
        name: "unopened",
        columns: &[
            ("id", Int),
            ("mchid", Text),
            ("notification_id", Text),
            ("received_at", Int),
            ("headers", Text),
            ("body", Bytes),
        ],
        key: 1,
        page: 8,
    },
    Table {
        name: "endpoint",
        columns: &[
            ("id", Int),
            ("name", Text),
            ("url", Text),
            ("kinds", Text),
            ("ordered", Bool),
            ("settings", Text),
            ("sealed", Bytes),
            ("state", Int),
            ("state_since", Int),
            ("failing_since", Int),
            ("fanned_out", Int),
        ],
        key: 1,
        page: 200,
    },
    Table {
        name: "delivery",
        columns: &[
            ("endpoint_id", Int),
            ("position", Int),
            ("order_id", Int),
            ("sequence", Int),
            ("attempts", Int),
            ("due_at", Int),
            ("state", Int),
        ],
        key: 2,
        page: 1000,
    },
    Table {
        name: "attempt",
        columns: &[
            ("id", Int),
            ("endpoint_id", Int),
            ("position", Int),
            ("number", Int),
            ("begun_at", Int),
            ("took_ms", Int),
            ("status", Int),
            ("fault", Text),
            ("headers", Text),
            ("body", Bytes),
        ],
        key: 1,
        page: 500,
    },
    Table {
        name: "effect_failure",
        columns: &[
            ("id", Int),
            ("effect", Text),
            ("subject", Text),
            ("kind", Text),
            ("mchid", Text),
            ("out_trade_no", Text),
            ("transaction_id", Text),
            ("amount", Int),
            ("notification_id", Text),
            ("reason", Text),
            ("first_at", Int),
            ("last_at", Int),
            ("times", Int),
        ],
        key: 1,
        page: 1000,
    },
    Table {
        name: "consumer",
        columns: &[("name", Text), ("position", Int), ("changed_at", Int)],
        key: 1,
        page: 1000,
    },
];

/// How far a copy of a table has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Its name.
    pub table: String,
    /// Whose rows they are: [`Archive::identity`] of the source, in hexadecimal digits.
    pub source: String,
    /// The key of the last row that came; empty before the first.
    pub after: Row,
    /// Rows that came.
    pub rows: u64,
    /// Whether all have.
    pub done: bool,
}

/// A database that can be read and filled as plain rows.
#[async_trait]
pub trait Archive: Store {
    /// What this database is, for life, in hexadecimal digits.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be read now.
    async fn identity(&self) -> Result<String, StoreError>;

    /// Up to `limit` rows whose key is greater than `after` (empty: from the first), in the order of their keys.
    /// Messages without a position are not there: sequence them first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be read now.
    async fn rows_after(&self, table: &Table, after: &[Value], limit: usize) -> Result<Vec<Row>, StoreError>;

    /// Adds rows, and writes how far the copy has come, in one transaction.
    ///
    /// # Errors
    /// As [`Store::begin`]; [`StoreError::Unexpected`] if a row is there already or does not fit.
    async fn add_rows(&self, table: &Table, rows: &[Row], progress: &Progress) -> Result<(), StoreError>;

    /// How far the copy into this database has come; nothing if none is under way.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be read now.
    async fn progress(&self) -> Result<Vec<Progress>, StoreError>;

    /// Ends the copy: new rows are numbered after those that came, and the database may be served. Only while `copy`, the
    /// [`Role::COPY`](super::Role::COPY) of this database, is held, as the statement that ends it sees: whoever was held
    /// up ends nothing.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if it is no longer held; the copy is not ended then. Else as [`Store::begin`].
    async fn finish_copy(&self, copy: &Lease) -> Result<(), StoreError>;
}
