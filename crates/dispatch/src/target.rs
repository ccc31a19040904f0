//! An endpoint's URL taken apart: whom to call, and what stands behind the host.
//!
//! Invariant: a target that exists has a host and a port. Deliberately absent: what path and query mean.

use http::uri::Authority;
use payonce_core::delivery::{EndpointUrl, Scheme};

/// A URL taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// As it stands in the URL, with the port if one stands there.
    pub(crate) authority: Authority,
    /// A name or an address, the latter without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// From the first `/`; may be empty.
    pub(crate) path: String,
    /// After `?`.
    pub(crate) query: Option<String>,
}

/// Why a URL cannot be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// What stands between `://` and the path.
    #[error("the URL's host or port is malformed; expected a name or an address, and a port of 1 to 65535")]
    Authority,
    /// What stands behind it.
    #[error("the URL's path or query is malformed; write it in percent-encoding")]
    Path,
}

impl Target {
    pub(crate) fn of(url: &EndpointUrl) -> Result<Self, TargetError> {
        let origin = url.origin();
        let written = &origin[url.scheme().as_str().len() + "://".len()..];
        let authority: Authority = written.parse().map_err(|_| TargetError::Authority)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = match authority.port() {
            Some(port) => Some(port.as_u16()).filter(|port| *port != 0),
            // A port that is no number is part of nothing.
            None => (authority.as_str() == authority.host()).then(|| port_of(url.scheme())),
        };
        let port = port.filter(|_| !host.is_empty()).ok_or(TargetError::Authority)?;
        let behind = &url.as_str()[origin.len()..];
        let (path, query) = match behind.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (behind, None),
        };
        Ok(Self { authority, host, port, path: path.to_owned(), query })
    }
}

/// Where a server of this kind listens if the URL does not say.
fn port_of(scheme: Scheme) -> u16 {
    match scheme {
        Scheme::Https => 443,
        Scheme::Http => 80,
        Scheme::Amqps => 5671,
        Scheme::Amqp => 5672,
        Scheme::NatsTls | Scheme::Nats => 4222,
        Scheme::Rediss | Scheme::Redis => 6379,
        Scheme::KafkaTls => 9093,
        Scheme::Kafka => 9092,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart_or_refused() {
        for (url, expected) in [
            ("https://shop.example", Some(("shop.example", 443, "", None))),
            ("https://shop.example/", Some(("shop.example", 443, "/", None))),
            ("http://10.1.2.3:8080/a/b?c=/d?e", Some(("10.1.2.3", 8080, "/a/b", Some("c=/d?e")))),
            ("https://[::1]:8443?x", Some(("::1", 8443, "", Some("x")))),
            ("https://[::1]/x", Some(("::1", 443, "/x", None))),
            ("amqps://broker/orders", Some(("broker", 5671, "/orders", None))),
            ("nats+tls://broker:1/orders", Some(("broker", 1, "/orders", None))),
            ("redis://broker", Some(("broker", 6379, "", None))),
            ("https://h:0/", None),
            ("https://h:/", None),
            ("https://h:65536/", None),
            ("https://h:x/", None),
            ("https://[::1/", None),
            ("https://[]/", None),
            ("https://a:1:2/", None),
            ("https://h%20x/", None),
        ] {
            let target = Target::of(&EndpointUrl::parse(url).expect("an address"));
            let found = target.as_ref().ok().map(|target| {
                (target.host.as_str(), target.port, target.path.as_str(), target.query.as_deref())
            });
            assert_eq!(found, expected, "{url}");
        }
    }
}
