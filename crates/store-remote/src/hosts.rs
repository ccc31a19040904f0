//! A database URL may name several hosts, `postgres://user@one:5432,two:5432/payonce`: the members of a cluster, or a
//! primary and its standby. Each becomes a URL of its own, to be tried in turn.

/// Why a URL is refused. It is not repeated: it may hold a password.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum UrlError {
    /// It has no `scheme://`.
    #[error("the database URL has no scheme: write sqlite://FILE, postgres://… or mysql://…")]
    NoScheme,
    /// It is one of another database.
    #[error("the database URL does not begin with {expected}://")]
    Scheme {
        /// What it should begin with.
        expected: &'static str,
    },
    /// It names no database.
    #[error("the database URL names no database: write {expected}://user:password@host:port/database")]
    NoDatabase {
        /// What it begins with.
        expected: &'static str,
    },
    /// A host is missing.
    #[error(
        "the database URL names no host where one belongs: write scheme://user:password@host:port/database"
    )]
    NoHost,
    /// The driver does not understand it.
    #[error("the database URL is not understood ({0})")]
    Driver(String),
}

/// One URL a host, in the order in which they stand.
///
/// # Errors
/// [`UrlError::NoScheme`], [`UrlError::NoHost`].
pub fn hosts(url: &str) -> Result<Vec<String>, UrlError> {
    let (scheme, rest) = url.split_once("://").ok_or(UrlError::NoScheme)?;
    let (authority, path) = match rest.find(['/', '?']) {
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    };
    // A password may hold a comma; a host does not hold an @.
    let (user, hosts) = match authority.rfind('@') {
        Some(at) => authority.split_at(at + 1),
        None => ("", authority),
    };
    let urls = hosts.split(',').map(|host| match host.trim() {
        "" => Err(UrlError::NoHost),
        host => Ok(format!("{scheme}://{user}{host}{path}")),
    });
    urls.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_becomes_a_url() {
        let several = "postgres://u:p,w@one:1,two,[::1]:3/db?sslmode=require";
        let expected = [
            "postgres://u:p,w@one:1/db?sslmode=require",
            "postgres://u:p,w@two/db?sslmode=require",
            "postgres://u:p,w@[::1]:3/db?sslmode=require",
        ];
        assert_eq!(hosts(several), Ok(expected.map(str::to_owned).to_vec()));
        assert_eq!(hosts("mysql://one/db"), Ok(vec!["mysql://one/db".to_owned()]));
        assert_eq!(hosts("mysql://u@one?x=a,b"), Ok(vec!["mysql://u@one?x=a,b".to_owned()]));
    }

    #[test]
    fn a_url_without_scheme_or_host_is_refused() {
        assert_eq!(hosts("localhost/db"), Err(UrlError::NoScheme));
        for url in ["mysql://", "mysql:///db", "mysql://u@/db", "mysql://one,/db", "mysql://,two"] {
            assert_eq!(hosts(url), Err(UrlError::NoHost), "{url}");
        }
    }
}
