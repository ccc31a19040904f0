//! Classes PostgreSQL's errors by their SQLSTATE. Deliberately absent: reading message texts.

use payonce_core::{
    StoreError,
    store::{DEFERRED, SchemaError, StatementFailure, Unavailability},
};
use sqlx::{Error, error::DatabaseError};

/// The constraints that keep a promise, by the names they have in every schema.
const PROMISES: [&str; 7] = [
    "order_number_once",
    "payment_statement_once",
    "payment_settles_once",
    "message_sequence_once",
    "payment_succeeded_once",
    "notification_once",
    "unopened_once",
];

/// What a SQLSTATE means to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Conflict,
    Disconnected,
    CommitUnknown,
    Unavailable(Unavailability),
    Constraint,
    NoTable,
    Unexpected,
}

/// PostgreSQL's appendix A; the first two characters are a code's own class.
fn class_of(code: &str) -> Class {
    match code {
        // serialization_failure, deadlock_detected, lock_not_available
        "40001" | "40P01" | "55P03" => Class::Conflict,
        // statement_completion_unknown, transaction_resolution_unknown: said by distributed engines
        "40003" | "08007" => Class::CommitUnknown,
        "23505" => Class::Constraint,
        // cannot_connect_now: it starts, stops or recovers; read_only_sql_transaction: a standby, or a server that is
        // being put out of service
        "57P03" | "25006" => Class::Unavailable(Unavailability::NotReady),
        // admin_shutdown, crash_shutdown, idle_session_timeout, idle_in_transaction_session_timeout
        "57P01" | "57P02" | "57P05" | "25P03" => Class::Disconnected,
        // query_canceled: statement_timeout, or an operator
        "57014" => Class::Unavailable(Unavailability::TimedOut),
        "53300" => Class::Unavailable(Unavailability::TooManyConnections),
        "53100" => Class::Unavailable(Unavailability::DiskFull),
        "3D000" => Class::Unavailable(Unavailability::NoDatabase),
        "42501" => Class::Unavailable(Unavailability::AccessDenied),
        // invalid_sql_statement_name, duplicate_prepared_statement: what was prepared stands in another session
        "26000" | "42P05" => Class::Unavailable(Unavailability::SharedSession),
        // undefined_table, invalid_schema_name
        "42P01" | "3F000" => Class::NoTable,
        _ => match code.get(..2) {
            Some("08") => Class::Disconnected,
            Some("28") => Class::Unavailable(Unavailability::AccessDenied),
            // System error (a disk, for one), corrupted data
            Some("58" | "XX") if code != "XX000" => Class::Unavailable(Unavailability::Io),
            _ => Class::Unexpected,
        },
    }
}

/// What kind of failure it is, on a connection that stands.
pub(crate) fn class(error: Error) -> StoreError {
    let Some(database) = error.as_database_error() else { return beside_the_server(error) };
    let class = database.code().map_or(Class::Unexpected, |code| class_of(&code));
    let constraint = database.constraint().and_then(|name| PROMISES.into_iter().find(|known| *known == name));
    let source = Box::new(error);
    match (class, constraint) {
        (Class::Conflict, _) => StoreError::Conflict(source),
        (Class::Disconnected, _) => StoreError::Disconnected(source),
        (Class::CommitUnknown, _) => StoreError::CommitUnknown(source),
        (Class::Unavailable(reason), _) => StoreError::Unavailable { reason, source },
        (Class::Constraint, Some(name)) => StoreError::Constraint { name, source },
        (Class::NoTable, _) => StoreError::Schema(SchemaError::Unknown),
        (Class::Constraint | Class::Unexpected, _) => StoreError::Unexpected(source),
    }
}

/// What kind of failure it is of a statement of the merchant's. A table that is not there is his own, and so is a row for
/// which somebody else made us wait.
pub(crate) fn class_of_merchants(error: Error) -> StatementFailure {
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    let Some(database) = error.as_database_error() else { return StatementFailure::of(class(error)) };
    let code = database.code().unwrap_or_default();
    let said = database.message().to_owned();
    match class_of(&code) {
        Class::NoTable | Class::Constraint | Class::Unexpected => StatementFailure::Refused(said),
        Class::Unavailable(Unavailability::AccessDenied) => StatementFailure::Refused(said),
        Class::Unavailable(Unavailability::TimedOut) => StatementFailure::Waited(said),
        _ if code == LOCK_NOT_AVAILABLE => StatementFailure::Waited(said),
        _ => StatementFailure::of(class(error)),
    }
}

/// The driver's own errors: a lost socket, bytes that are no answer, or a value that is not what was asked for.
fn beside_the_server(error: Error) -> StoreError {
    match error {
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) => StoreError::Disconnected(Box::new(error)),
        error => StoreError::Unexpected(Box::new(error)),
    }
}

/// What kind of failure it is while a connection is made.
pub(crate) fn class_of_connecting(error: Error) -> StoreError {
    let reason = match &error {
        Error::Io(_) => Unavailability::Unreachable,
        // Bytes that are no answer, or a login that the driver was not built for.
        Error::Protocol(_) | Error::Configuration(_) => Unavailability::NotUnderstood,
        Error::Tls(_) => Unavailability::AccessDenied,
        _ => return class(error),
    };
    StoreError::Unavailable { reason, source: Box::new(error) }
}

/// What kind of failure it is during COMMIT: without an answer of the server, nobody knows. Integrity constraint violations
/// are an answer; payonce's own constraints are not deferred.
pub(crate) fn class_of_commit(error: Error) -> StoreError {
    let code = error.as_database_error().and_then(DatabaseError::code);
    if code.is_some_and(|code| code.starts_with("23")) {
        return StoreError::Constraint { name: DEFERRED, source: Box::new(error) };
    }
    match class(error) {
        StoreError::Disconnected(source) | StoreError::Unexpected(source) => {
            StoreError::CommitUnknown(source)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_classed() {
        use Unavailability::{AccessDenied, DiskFull, Io, NoDatabase, NotReady, TimedOut};
        let table: &[(Class, &[&str])] = &[
            (Class::Conflict, &["40001", "40P01", "55P03"]),
            (Class::Disconnected, &["57P01", "57P02", "57P05", "25P03", "08000", "08003", "08006", "08P01"]),
            (Class::CommitUnknown, &["40003", "08007"]),
            (Class::Constraint, &["23505"]),
            (Class::NoTable, &["42P01", "3F000"]),
            (Class::Unavailable(NotReady), &["57P03", "25006"]),
            (Class::Unavailable(TimedOut), &["57014"]),
            (Class::Unavailable(Unavailability::TooManyConnections), &["53300"]),
            (Class::Unavailable(Unavailability::SharedSession), &["26000", "42P05"]),
            (Class::Unavailable(DiskFull), &["53100"]),
            (Class::Unavailable(NoDatabase), &["3D000"]),
            (Class::Unavailable(AccessDenied), &["42501", "28000", "28P01"]),
            (Class::Unavailable(Io), &["58000", "58030", "58P01", "XX001", "XX002"]),
            (Class::Unexpected, &["XX000", "23514", "22P02", "42601", "42703", "25P02", "0A000", "", "é"]),
        ];
        for (class, codes) in table {
            for code in *codes {
                assert_eq!(class_of(code), *class, "{code}");
            }
        }
    }

    #[test]
    fn a_lost_socket_is_classed_by_when_it_was_lost() {
        let lost = || Error::Io(std::io::ErrorKind::UnexpectedEof.into());
        assert!(matches!(class(lost()), StoreError::Disconnected(_)));
        assert!(matches!(class_of_commit(lost()), StoreError::CommitUnknown(_)));
        let unreachable = class_of_connecting(lost());
        assert!(
            matches!(unreachable, StoreError::Unavailable { reason: Unavailability::Unreachable, .. }),
            "{unreachable:?}"
        );
        assert!(matches!(class(Error::RowNotFound), StoreError::Unexpected(_)));
    }
}
