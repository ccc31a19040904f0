//! What can go wrong in a store, by what the caller should do about it.

use std::error::Error;

/// A boxed error of a database driver.
pub type DriverError = Box<dyn Error + Send + Sync + 'static>;

/// The name that a constraint has which was checked at the commit: one of the merchant's own, for payonce defers none.
pub const DEFERRED: &str = "(deferred)";

/// Why a store did not do what was asked. Classed by the database's codes, never by its texts.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another transaction was faster. Nothing was committed; the same transaction may succeed when begun anew.
    #[error("another transaction was faster; begin again")]
    Conflict(#[source] DriverError),
    /// The connection was lost, or the server went down. Nothing was committed; the same transaction may succeed on
    /// another connection, perhaps on another server.
    #[error("the connection to the database was lost; begin again")]
    Disconnected(#[source] DriverError),
    /// The connection was lost while the transaction was being committed: it may have been, or not. To begin it anew
    /// is to ask: what was committed is found under its dedupe keys.
    #[error(
        "the connection to the database was lost during the commit, which may have succeeded; begin again"
    )]
    CommitUnknown(#[source] DriverError),
    /// A lease is no longer held: another node has taken it. Nothing was changed; stop the work.
    #[error("another node has taken the lease")]
    LeaseLost,
    /// The database cannot do it now. Nothing was committed; the same may succeed later.
    #[error("the database is unavailable ({reason})")]
    Unavailable {
        /// What is the matter, and what to do.
        reason: Unavailability,
        /// What the driver said.
        #[source]
        source: DriverError,
    },
    /// A row would break a promise: another transaction wrote what this one did not see, or payonce is at fault.
    /// Nothing was committed; the same transaction, begun anew, tells which.
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
        with_causes(self)
    }
}

/// An error and all its causes, in one line. Drivers say the cause in the error itself: it stands there once.
#[must_use]
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = error.source();
    }
    line
}

/// Why a database cannot do it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailability {
    /// Another process or transaction holds a lock for too long.
    Locked,
    /// The database's file or its folder may not be written.
    ReadOnly,
    /// No space is left.
    DiskFull,
    /// The file or folder cannot be opened.
    CannotOpen,
    /// The disk failed.
    Io,
    /// No server answers at the address.
    Unreachable,
    /// What answers there is not such a server, or cannot be logged in to.
    NotUnderstood,
    /// The server starts, stops, takes no writes (a standby, or out of service), or has left its cluster.
    NotReady,
    /// User, password or certificate are refused, or a right is missing.
    AccessDenied,
    /// The server has no such database.
    NoDatabase,
    /// No connection is free, here or at the server.
    TooManyConnections,
    /// A pooler between us and the server gives a connection to others between two of our statements.
    SharedSession,
    /// A statement took too long.
    TimedOut,
    /// The database has not seen this node for a while: a copy may have begun without knowing of it.
    NotSeen,
    /// `payonce copy` is at work on it.
    Copying,
    /// `payonce copy` took everything elsewhere.
    Moved,
}

impl Unavailability {
    /// Whether it passes by itself in a fail-over or under a burst, so that trying again soon may help.
    #[must_use]
    pub fn may_pass_soon(self) -> bool {
        // A proxy whose server is gone may close the connection before it said anything, which is not to be told from one
        // that never was such a server.
        matches!(
            self,
            Self::Unreachable
                | Self::NotUnderstood
                | Self::NotReady
                | Self::TooManyConnections
                | Self::NotSeen
        )
    }

    /// Whether the database may be well, but is not this node's to write now.
    #[must_use]
    pub fn is_absence(self) -> bool {
        matches!(self, Self::NotSeen | Self::Copying | Self::Moved)
    }
}

impl std::fmt::Display for Unavailability {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Locked => "locked by another process or transaction: end it, or wait",
            Self::ReadOnly => "read-only: give this user the right to write the file and its folder",
            Self::DiskFull => "disk full: free some space",
            Self::CannotOpen => "cannot be opened: check that the folder exists and may be written",
            Self::Io => "input/output error: check the disk",
            Self::Unreachable => "no server answers: check host, port and network in the database's URL",
            Self::NotUnderstood => {
                "what answers does not speak this database's protocol, or asks for a login that payonce does not \
                 know: check host and port in the URL, and how the user logs in"
            }
            Self::NotReady => {
                "the server starts or stops, takes no writes (is it a standby?), or has left its cluster: wait, or \
                 look at its log and its read-only settings"
            }
            Self::AccessDenied => {
                "access denied: check user, password, TLS and rights (the user needs to create and change tables)"
            }
            Self::NoDatabase => "no such database: create it, or mend its name in the URL",
            Self::TooManyConnections => {
                "no connection is free: raise the server's limit, or lower store.connections_max"
            }
            Self::SharedSession => {
                "a pooler gives the session to others between two statements: set it to pool sessions for payonce \
                 (PgBouncer: pool_mode = session), or name the server itself in the URL"
            }
            Self::TimedOut => "a statement took too long: look for long transactions and a busy disk",
            Self::NotSeen => {
                "it has not seen this node for a while: wait some seconds, or look at the way to it and its load"
            }
            Self::Copying => "`payonce copy` is at work on it: wait until that has ended (PAY0011)",
            Self::Moved => {
                "it was moved elsewhere by `payonce copy`: serve the other one, or take this one back (PAY0011)"
            }
        })
    }
}

/// A row in the database that payonce never wrote.
#[derive(Debug, thiserror::Error)]
#[error("column {column} holds a value that payonce never writes")]
pub struct ForeignValue {
    /// `table.column`.
    pub column: &'static str,
}

impl From<ForeignValue> for StoreError {
    fn from(value: ForeignValue) -> Self {
        Self::Unexpected(Box::new(value))
    }
}

/// Another transaction wrote the order between our read and our write.
#[derive(Debug, thiserror::Error)]
#[error("the order changed since it was read")]
pub struct OrderMoved;

impl From<OrderMoved> for StoreError {
    fn from(moved: OrderMoved) -> Self {
        Self::Conflict(Box::new(moved))
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
    /// The server is too old.
    #[error("the database server is {found}; payonce needs {needs}")]
    ServerTooOld {
        /// What the server says of itself.
        found: String,
        /// The versions that will do.
        needs: &'static str,
    },
    /// A kind of server on which payonce cannot tell whether a transaction was committed.
    #[error("the database server is {found}, which payonce does not know how to be exact on: use {needs}")]
    UnsupportedServer {
        /// What the server says of itself.
        found: String,
        /// What will do.
        needs: &'static str,
    },
    /// The database cannot hold every text.
    #[error("the database's encoding is {found}: create it anew with ENCODING 'UTF8'")]
    Encoding {
        /// What it is.
        found: String,
    },
    /// Tables of payonce's names were made by something else, or some are missing.
    #[error(
        "the database has tables under payonce's names, but not payonce's schema: choose another database, or \
         restore it whole"
    )]
    Unknown,
    /// The schema is older than this payonce, and migrating by itself is switched off.
    #[error(
        "the database has schema version {found}, this payonce needs {known}: run `payonce migrate apply`, or set \
         store.migrate to \"auto\""
    )]
    Behind {
        /// The version in the database.
        found: i64,
        /// The version needed.
        known: i64,
    },
    /// A copy into this database was begun and not finished.
    #[error(
        "a copy into this database is not finished: run `payonce copy` again, which goes on where it stopped"
    )]
    CopyUnfinished,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the driver: {0}")]
    struct Repeats(#[source] std::io::Error);

    #[test]
    fn a_cause_that_was_said_is_not_said_again() {
        let refused = || std::io::Error::other("refused");
        let error = StoreError::Disconnected(Box::new(Repeats(refused())));
        let expected = "the connection to the database was lost; begin again: the driver: refused";
        assert_eq!(error.with_causes(), expected);
        let expected = "the connection to the database was lost; begin again: refused";
        assert_eq!(StoreError::Disconnected(Box::new(refused())).with_causes(), expected);
    }
}
