//! The environment variables that matter here; this is the one place that reads them.

use std::ffi::OsString;
use std::path::PathBuf;

/// Names the PostgreSQL server that all tests of a run share: its URL without a database.
pub(crate) const POSTGRES: &str = "PAYONCE_TEST_POSTGRES";
/// Names the shared MariaDB server, likewise.
pub(crate) const MARIADB: &str = "PAYONCE_TEST_MARIADB";
/// Names the shared Redis server, likewise.
pub(crate) const REDIS: &str = "PAYONCE_TEST_REDIS";
/// Names the shared RabbitMQ server, likewise.
pub(crate) const RABBITMQ: &str = "PAYONCE_TEST_RABBITMQ";
/// Names the shared NATS server, likewise.
pub(crate) const NATS: &str = "PAYONCE_TEST_NATS";

/// The port of the shared server that `variable` names; `None` where none is named.
pub(crate) fn shared_port(variable: &str) -> Option<u16> {
    port_of(&read(variable)?.into_string().ok()?)
}

/// Whether a missing server is a failure.
pub(crate) fn ci() -> bool {
    read("CI").is_some_and(|value| value == "true")
}

/// The folders of `PATH`.
pub(crate) fn path() -> Vec<PathBuf> {
    read("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

fn read(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The port of a URL without a database.
pub(crate) fn port_of(url: &str) -> Option<u16> {
    url.trim_end_matches('/').rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::port_of;

    #[test]
    fn the_port_is_read_from_a_url_without_a_database() {
        assert_eq!(port_of("postgres://postgres@127.0.0.1:15432/"), Some(15432));
        assert_eq!(port_of("redis://127.0.0.1:6379"), Some(6379));
        assert_eq!(port_of("postgres://postgres@127.0.0.1"), None);
    }
}
