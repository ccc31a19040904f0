//! Classes SQLite's errors by their codes. Deliberately absent: reading message texts.

use payonce_core::{
    StoreError,
    store::{DriverError, SchemaError, Unavailability},
};
use rusqlite::{Error, ErrorCode, ffi};

/// A row in the database that payonce never wrote.
#[derive(Debug, thiserror::Error)]
#[error("column {column} holds a value that payonce never writes")]
pub(crate) struct ForeignValue {
    pub column: &'static str,
}

impl From<ForeignValue> for StoreError {
    fn from(value: ForeignValue) -> Self {
        Self::Unexpected(Box::new(value))
    }
}

/// What kind of failure it is. A broken constraint is classed by [`constraint`], where its name is known.
pub(crate) fn class(error: Error) -> StoreError {
    let Some(code) = error.sqlite_error_code() else { return StoreError::Unexpected(Box::new(error)) };
    let reason = match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Unavailability::Locked,
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Unavailability::ReadOnly,
        ErrorCode::DiskFull => Unavailability::DiskFull,
        ErrorCode::CannotOpen => Unavailability::CannotOpen,
        ErrorCode::SystemIoFailure => Unavailability::Io,
        ErrorCode::NotADatabase => return StoreError::Schema(SchemaError::NotADatabase),
        _ => return StoreError::Unexpected(Box::new(error)),
    };
    StoreError::Unavailable { reason, source: Box::new(error) }
}

/// Names the constraint that refused a row: SQLite gives a code, the statement knows which it can be.
pub(crate) fn constraint(error: Error, name: impl FnOnce() -> &'static str) -> StoreError {
    match error.sqlite_error().map(|sqlite| sqlite.extended_code) {
        Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => {
            StoreError::Constraint { name: name(), source: Box::new(error) }
        }
        _ => class(error),
    }
}

/// Another transaction wrote the order between our read and our write.
#[derive(Debug, thiserror::Error)]
#[error("the order changed since it was read")]
pub(crate) struct OrderMoved;

impl From<OrderMoved> for StoreError {
    fn from(moved: OrderMoved) -> Self {
        let source: DriverError = Box::new(moved);
        Self::Conflict(source)
    }
}

/// The system let SQLite open the file for reading only.
#[derive(Debug, thiserror::Error)]
#[error("SQLite could open the file for reading only")]
pub(crate) struct OpenedReadOnly;
