//! What can go wrong in a store, by what the caller should do about it.

use std::error::Error;

/// A boxed error of a database driver.
pub type DriverError = Box<dyn Error + Send + Sync + 'static>;

/// Why a store did not do what was asked. Classed by the database's codes, never by its texts.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another transaction was faster. Nothing was committed; the same transaction may succeed when begun anew.
    #[error("another transaction was faster; begin again")]
    Conflict(#[source] DriverError),
    /// The database cannot do it now. Nothing was committed; the same may succeed later.
    #[error("the database is unavailable ({reason})")]
    Unavailable {
        /// What is the matter, and what to do.
        reason: Unavailability,
        /// What the driver said.
        #[source]
        source: DriverError,
    },
    /// A row would break a promise. Nothing was committed; repeating it would not help.
    #[error("constraint {name} refused a row")]
    Constraint {
        /// The constraint's name in the schema.
        name: &'static str,
        /// What the driver said.
        #[source]
        source: DriverError,
    },
    /// The database's schema is not one that this version knows.
    #[error("{0}")]
    Schema(SchemaError),
    /// Something that no case above names: a fault of payonce or of the file.
    #[error("the database failed unexpectedly")]
    Unexpected(#[source] DriverError),
}

impl StoreError {
    /// The error and all its causes, in one line, for a log.
    #[must_use]
    pub fn with_causes(&self) -> String {
        let mut line = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        line
    }
}

/// Why a database cannot do it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailability {
    /// Another process holds the write lock.
    Locked,
    /// The file or its folder may not be written.
    ReadOnly,
    /// No space is left.
    DiskFull,
    /// The file or folder cannot be opened.
    CannotOpen,
    /// The disk failed.
    Io,
}

impl std::fmt::Display for Unavailability {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Locked => "locked by another process: stop it, or wait",
            Self::ReadOnly => "read-only: give this user the right to write the file and its folder",
            Self::DiskFull => "disk full: free some space",
            Self::CannotOpen => "cannot be opened: check that the folder exists and may be written",
            Self::Io => "input/output error: check the disk",
        })
    }
}

/// Why a schema is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SchemaError {
    /// A newer payonce wrote it.
    #[error(
        "the database has schema version {found}, this payonce knows up to {known}: run the payonce that wrote \
         it, or a newer one"
    )]
    Newer {
        /// The version in the database.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// Another program wrote it.
    #[error(
        "the file is a database of another program (application id {application_id:#x}): choose another file"
    )]
    Foreign {
        /// The application id in the database.
        application_id: i64,
    },
    /// It is not a database at all.
    #[error("the file is not a SQLite database: choose another file")]
    NotADatabase,
}
