//! Classes the errors of MySQL and MariaDB by their numbers. Deliberately absent: reading message texts.

use payonce_core::{
    StoreError,
    store::{SchemaError, StatementFailure, Unavailability},
};
use sqlx::{Error, mysql::MySqlDatabaseError};

/// What an error number means to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Conflict,
    Disconnected,
    Unavailable(Unavailability),
    Duplicate,
    NoTable,
    Unexpected,
}

/// The error references of MySQL and MariaDB; numbers above 3000 and 4000 differ between the two, which is said.
fn class_of(number: u16) -> Class {
    use Unavailability::{AccessDenied, DiskFull, Io, NoDatabase, NotReady, TimedOut, TooManyConnections};
    match number {
        // Deadlock (in a cluster also: another member was faster), lock wait timeout, row changed since it was read,
        // statement needs to be prepared again, MySQL: NOWAIT, MySQL's Group Replication: another member was faster, no
        // such savepoint: the cluster has ended the transaction without a word.
        1213 | 1205 | 1020 | 1615 | 3572 | 3101 | 1305 => Class::Conflict,
        // Shutdown, aborted connections, network errors, killed connections; 2006 and 2013 are said by proxies.
        1053 | 1152 | 1158..=1161 | 1184 | 1927 | 2006 | 2013 | 3169 | 4031 => Class::Disconnected,
        // A member outside of the primary component; MySQL in offline mode; a server that was made read-only (option,
        // transaction, storage engine), as it is when another takes its place.
        1047 | 3032 | 1290 | 1792 | 1836 | 1874 => Class::Unavailable(NotReady),
        1040 | 1135 | 1203 | 1226 | 1461 => Class::Unavailable(TooManyConnections),
        // For the database, the user, the host, the table, a column, a privilege; password expired, account locked.
        1044 | 1045 | 1129 | 1130 | 1142 | 1143 | 1227 | 1251 | 1370 | 1698 | 1820 | 1862 | 3118 | 3159
        | 4151 => Class::Unavailable(AccessDenied),
        1046 | 1049 => Class::Unavailable(NoDatabase),
        1021 | 1114 => Class::Unavailable(DiskFull),
        // MySQL's and MariaDB's time limit; interrupted by an operator.
        3024 | 1969 | 1317 => Class::Unavailable(TimedOut),
        // Files that cannot be read or written, the storage engine's own errors, a corrupt index.
        1016 | 1017 | 1023 | 1024 | 1026 | 1030 | 1034 | 1712 => Class::Unavailable(Io),
        1022 | 1062 | 1169 | 1586 => Class::Duplicate,
        // No such table, no such column, no such table in the storage engine.
        1146 | 1054 | 1932 => Class::NoTable,
        _ => Class::Unexpected,
    }
}

fn number(error: &Error) -> Option<u16> {
    Some(error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()?.number())
}

/// Whether a row is refused because there is one of its key.
pub(crate) fn is_duplicate(error: &Error) -> bool {
    number(error).is_some_and(|number| class_of(number) == Class::Duplicate)
}

/// What kind of failure it is, on a connection that stands. A broken constraint is classed by [`constraint`], where its
/// name is known.
pub(crate) fn class(error: Error) -> StoreError {
    let Some(number) = number(&error) else { return beside_the_server(error) };
    let source = Box::new(error);
    match class_of(number) {
        Class::Conflict => StoreError::Conflict(source),
        Class::Disconnected => StoreError::Disconnected(source),
        Class::Unavailable(reason) => StoreError::Unavailable { reason, source },
        Class::NoTable => StoreError::Schema(SchemaError::Unknown),
        Class::Duplicate | Class::Unexpected => StoreError::Unexpected(source),
    }
}

/// What kind of failure it is of a statement of the merchant's. A table that is not there is his own, and so are a row for
/// which somebody else made us wait (lock wait timeout) and a function that does not exist.
pub(crate) fn class_of_merchants(error: Error) -> StatementFailure {
    let (Some(number), Some(database)) = (number(&error), error.as_database_error()) else {
        return StatementFailure::of(class(error));
    };
    let said = database.message().to_owned();
    match (number, class_of(number)) {
        (1205, _) | (_, Class::Unavailable(Unavailability::TimedOut)) => StatementFailure::Waited(said),
        (1305, _) | (_, Class::NoTable | Class::Duplicate | Class::Unexpected) => {
            StatementFailure::Refused(said)
        }
        (_, Class::Unavailable(Unavailability::AccessDenied)) => StatementFailure::Refused(said),
        _ => StatementFailure::of(class(error)),
    }
}

/// Names the constraint that refused a row: the number does not say it, the statement knows which it can be.
pub(crate) fn constraint(name: &'static str) -> impl FnOnce(Error) -> StoreError {
    move |error| {
        if is_duplicate(&error) {
            StoreError::Constraint { name, source: Box::new(error) }
        } else {
            class(error)
        }
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

/// What kind of failure it is during COMMIT. That another was faster is certain; after anything else nobody knows.
pub(crate) fn class_of_commit(error: StoreError) -> StoreError {
    match error {
        StoreError::Conflict(_) => error,
        other => StoreError::CommitUnknown(Box::new(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_classed() {
        use Unavailability::{
            AccessDenied, DiskFull, Io, NoDatabase, NotReady, TimedOut, TooManyConnections,
        };
        let table: &[(Class, &[u16])] = &[
            (Class::Conflict, &[1213, 1205, 1020, 1615, 3572, 3101, 1305]),
            (Class::Disconnected, &[1053, 1152, 1158, 1160, 1161, 1184, 1927, 2006, 2013, 3169, 4031]),
            (Class::Unavailable(NotReady), &[1047, 3032, 1290, 1792, 1836, 1874]),
            (Class::Unavailable(TooManyConnections), &[1040, 1135, 1203, 1226, 1461]),
            (Class::Unavailable(AccessDenied), &[1044, 1045, 1130, 1142, 1143, 1227, 1698, 3118, 4151]),
            (Class::Unavailable(NoDatabase), &[1046, 1049]),
            (Class::Unavailable(DiskFull), &[1021, 1114]),
            (Class::Unavailable(TimedOut), &[1317, 1969, 3024]),
            (Class::Unavailable(Io), &[1024, 1026, 1030, 1712]),
            (Class::Duplicate, &[1022, 1062, 1169, 1586]),
            (Class::NoTable, &[1146, 1054, 1932]),
            (Class::Unexpected, &[0, 1064, 1048, 1105, 1153, 1180, 1406, 3819, 4025, u16::MAX]),
        ];
        for (class, numbers) in table {
            for number in *numbers {
                assert_eq!(class_of(*number), *class, "{number}");
            }
        }
    }

    #[test]
    fn a_lost_socket_is_classed_by_when_it_was_lost() {
        let lost = || Error::Io(std::io::ErrorKind::UnexpectedEof.into());
        assert!(matches!(class(lost()), StoreError::Disconnected(_)));
        assert!(matches!(class_of_commit(class(lost())), StoreError::CommitUnknown(_)));
        let unreachable = class_of_connecting(lost());
        assert!(
            matches!(unreachable, StoreError::Unavailable { reason: Unavailability::Unreachable, .. }),
            "{unreachable:?}"
        );
        assert!(matches!(class(Error::RowNotFound), StoreError::Unexpected(_)));
    }

    #[test]
    fn a_faster_transaction_at_the_commit_is_certain() {
        let faster = StoreError::Conflict("certification failed".into());
        assert!(matches!(class_of_commit(faster), StoreError::Conflict(_)));
    }
}
