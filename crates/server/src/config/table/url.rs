//! URLs of servers: which there are, and how a password is kept out of sight.
//!
//! Only the scheme of a refused URL is repeated: the rest may hold a password.

use std::path::Path;

use super::{Kind, Raw};
use crate::config::{
    error::Problem,
    settings::{SecretUrl, StoreUrl},
};

/// What stands in a password's place where a URL is shown.
const REDACTED: &str = "[REDACTED]";

impl Kind {
    pub(in crate::config) fn store_url(&self, url: &str, base: &Path) -> Result<StoreUrl, Problem> {
        let refused = |found: String| Problem::Value { expected: self.expected(), found };
        match url.split_once("://") {
            Some((scheme, rest)) if scheme != "sqlite" && misplaced_secret(rest).is_some() => {
                Err(refused(format!("{scheme}://… {}", misplaced_secret(rest).unwrap_or_default())))
            }
            Some(("sqlite", path)) if path.is_empty() || path.contains(['?', '#']) || path == ":memory:" => {
                Err(refused(format!("sqlite://{path}")))
            }
            Some(("sqlite", path)) => Ok(StoreUrl::Sqlite(base.join(path))),
            Some(("postgres" | "postgresql", rest)) if names_a_database(rest) => {
                Ok(StoreUrl::Postgres(SecretUrl::new(url)))
            }
            Some(("mysql" | "mariadb", rest)) if names_a_database(rest) => {
                Ok(StoreUrl::MySql(SecretUrl::new(format!("mysql://{rest}"))))
            }
            Some((scheme @ ("postgres" | "postgresql" | "mysql" | "mariadb"), _)) => {
                Err(refused(format!("{scheme}://… without a host or a database")))
            }
            Some((scheme, _)) => Err(refused(format!("{scheme}://…"))),
            None => Err(refused("a value without ://".to_owned())),
        }
    }

    pub(super) fn redis_url(&self, url: &str) -> Result<SecretUrl, Problem> {
        let refused = |found: String| Problem::Value { expected: self.expected(), found };
        match url.split_once("://") {
            Some((scheme, rest)) if misplaced_secret(rest).is_some() => {
                Err(refused(format!("{scheme}://… {}", misplaced_secret(rest).unwrap_or_default())))
            }
            Some(("redis" | "rediss", rest)) if !authority(rest).1.is_empty() => Ok(SecretUrl::new(url)),
            Some((scheme @ ("redis" | "rediss"), _)) => Err(refused(format!("{scheme}://… without a host"))),
            Some((scheme, _)) => Err(refused(format!("{scheme}://…"))),
            None => Err(refused("a value without ://".to_owned())),
        }
    }

    /// Whether it is a URL that may hold a password.
    pub(in crate::config) fn is_url(&self) -> bool {
        matches!(self, Self::StoreUrl(_) | Self::RedisUrl(_))
    }
}

impl Raw {
    /// The same with the password of a URL replaced; `None` if it holds none.
    pub(in crate::config) fn without_password(&self) -> Option<Self> {
        let Self::Text(url) = self else { return None };
        let (scheme, rest) = url.split_once("://")?;
        if scheme != "sqlite" && misplaced_secret(rest).is_some() {
            return Some(Self::Text(format!("{scheme}://{REDACTED}")));
        }
        let (user, _) = authority(rest);
        let (name, password) = user.split_once(':')?;
        let after = &rest[user.len()..];
        (!password.is_empty()).then(|| Self::Text(format!("{scheme}://{name}:{REDACTED}{after}")))
    }
}

/// The user's part, without its @, and the hosts.
fn authority(rest: &str) -> (&str, &str) {
    let authority = rest.find(['/', '?']).map_or(rest, |end| &rest[..end]);
    match authority.rfind('@') {
        Some(at) => (&authority[..at], &authority[at + 1..]),
        None => ("", authority),
    }
}

/// What may be a password where none belongs: behind an unescaped `/` or `?`, or among the options.
fn misplaced_secret(rest: &str) -> Option<&'static str> {
    let behind = rest.find(['/', '?']).map_or("", |end| &rest[end..]);
    if behind.contains('@') {
        return Some("with an @ behind its hosts; in a password write / as %2F, ? as %3F and @ as %40");
    }
    let options = behind.split_once('?').map_or("", |(_, options)| options);
    let names_password = |option: &str| {
        let name = option.split('=').next().unwrap_or_default();
        ["password", "passwd", "pwd"].iter().any(|secret| name.eq_ignore_ascii_case(secret))
    };
    options.split('&').any(names_password).then_some("with a password among its options; use password_file")
}

/// Whether there is a host, and a database behind it.
fn names_a_database(rest: &str) -> bool {
    let (_, hosts) = authority(rest);
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    let database = path.split('?').next().unwrap_or_default();
    !hosts.is_empty() && hosts.split(',').all(|host| !host.trim().is_empty()) && !database.is_empty()
}
