//! Classes SQLite's errors by their codes. Deliberately absent: reading message texts.

use payonce_core::{
    StoreError,
    store::{SchemaError, Unavailability},
};
use rusqlite::{Error, ErrorCode, ffi};

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

/// The system let SQLite open the file for reading only.
#[derive(Debug, thiserror::Error)]
#[error("SQLite could open the file for reading only")]
pub(crate) struct OpenedReadOnly;
