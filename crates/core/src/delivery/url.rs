//! The address of an endpoint: a web server's, or a broker's.
//!
//! Invariants: an address that exists has a scheme that is known and a host, and neither user nor password. Deliberately
//! absent: which addresses may be called; that is known only when the host's name is resolved. What a broker's path and
//! query mean is the business of whoever publishes there.

use std::{fmt, sync::Arc};

/// How messages travel to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// `https://`: a signed call.
    Https,
    /// `http://`: the same, for everybody on the way to read.
    Http,
    /// `amqps://`: RabbitMQ over TLS.
    Amqps,
    /// `amqp://`: RabbitMQ.
    Amqp,
    /// `nats+tls://`: NATS JetStream over TLS.
    NatsTls,
    /// `nats://`: NATS JetStream.
    Nats,
    /// `rediss://`: a Redis stream over TLS.
    Rediss,
    /// `redis://`: a Redis stream.
    Redis,
    /// `kafka+tls://`: a topic of Kafka's over TLS.
    KafkaTls,
    /// `kafka://`: a topic of Kafka's.
    Kafka,
}

impl Scheme {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Https,
        Self::Http,
        Self::Amqps,
        Self::Amqp,
        Self::NatsTls,
        Self::Nats,
        Self::Rediss,
        Self::Redis,
        Self::KafkaTls,
        Self::Kafka,
    ];

    /// As it stands before `://`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
            Self::Amqps => "amqps",
            Self::Amqp => "amqp",
            Self::NatsTls => "nats+tls",
            Self::Nats => "nats",
            Self::Rediss => "rediss",
            Self::Redis => "redis",
            Self::KafkaTls => "kafka+tls",
            Self::Kafka => "kafka",
        }
    }

    /// Whether nobody on the way can read along.
    #[must_use]
    pub fn is_encrypted(self) -> bool {
        matches!(self, Self::Https | Self::Amqps | Self::NatsTls | Self::Rediss | Self::KafkaTls)
    }

    /// Whether a broker is there, and no web server.
    #[must_use]
    pub fn is_broker(self) -> bool {
        !matches!(self, Self::Https | Self::Http)
    }
}

/// An address. Its `Debug` shows no more than the host: some put a key into path or query.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointUrl {
    scheme: Scheme,
    text: Arc<str>,
}

/// Why a text is no address. It does not repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Another scheme, or none.
    #[error(
        "the URL does not begin with https:// or http://, nor with a broker's scheme: amqps, amqp, nats+tls, nats, \
         rediss, redis, kafka+tls, kafka"
    )]
    Scheme,
    /// No host.
    #[error("the URL names no host")]
    NoHost,
    /// A name and a password before the host: they would stand in logs and lists.
    #[error(
        "the URL holds a user or a password; send an Authorization header instead, or give a broker's login by itself"
    )]
    Credentials,
    /// Spaces, line breaks, letters that are not ASCII, and what no server is ever sent.
    #[error(
        "the URL holds {0:?}; write it in percent-encoding, a host in its ASCII form, and no fragment (#)"
    )]
    Character(char),
    /// Longer than servers take.
    #[error("the URL has {bytes} bytes; at most {} are possible", EndpointUrl::BYTES_MAX)]
    TooLong {
        /// Its length.
        bytes: usize,
    },
}

impl EndpointUrl {
    /// How long it may be.
    pub const BYTES_MAX: usize = 2048;

    /// Checks what can be checked without a network.
    ///
    /// # Errors
    /// [`UrlError`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if text.len() > Self::BYTES_MAX {
            return Err(UrlError::TooLong { bytes: text.len() });
        }
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let scheme =
            Scheme::ALL.into_iter().find(|known| known.as_str() == scheme).ok_or(UrlError::Scheme)?;
        if let Some(c) =
            text.chars().find(|c| !c.is_ascii_graphic() || matches!(c, '#' | '\\' | '"' | '<' | '>'))
        {
            return Err(UrlError::Character(c));
        }
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(UrlError::Credentials);
        }
        if authority.is_empty() || authority.starts_with(':') {
            return Err(UrlError::NoHost);
        }
        Ok(Self { scheme, text: text.into() })
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// How messages travel there.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> &str {
        let host = self.scheme.as_str().len() + "://".len();
        let end = self.text[host..].find(['/', '?']).map_or(self.text.len(), |at| host + at);
        &self.text[..end]
    }
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/…", self.origin())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_whole_and_hide_no_password() {
        for (good, origin) in [
            ("https://shop.example/hook?a=b@c", "https://shop.example"),
            ("http://10.1.2.3:8080", "http://10.1.2.3:8080"),
            ("https://[::1]:8443/x", "https://[::1]:8443"),
            ("nats+tls://broker:4222/orders.*", "nats+tls://broker:4222"),
        ] {
            let url = EndpointUrl::parse(good).expect("an address");
            assert_eq!((url.as_str(), url.origin()), (good, origin));
            assert_eq!(url.scheme().is_encrypted(), !good.starts_with("http://"));
            assert_eq!(format!("{url:?}"), format!("{origin}/…"));
        }
        let long = format!("https://h/{}", "x".repeat(2048));
        for (bad, error) in [
            ("", UrlError::Scheme),
            ("ftp://h/", UrlError::Scheme),
            ("HTTPS://h/", UrlError::Scheme),
            ("//h/", UrlError::Scheme),
            ("https://", UrlError::NoHost),
            ("https:///x", UrlError::NoHost),
            ("https://:80/x", UrlError::NoHost),
            ("https://u:p@h/", UrlError::Credentials),
            ("https://h/ x", UrlError::Character(' ')),
            ("https://h/\r\nHost: evil", UrlError::Character('\r')),
            ("https://h\\@evil/", UrlError::Character('\\')),
            ("https://店.example/", UrlError::Character('店')),
            ("https://h/#x", UrlError::Character('#')),
            (long.as_str(), UrlError::TooLong { bytes: long.len() }),
        ] {
            assert_eq!(EndpointUrl::parse(bad), Err(error), "{bad:?}");
            assert!(bad.is_empty() || bad.len() < 9 || !error.to_string().contains(bad));
        }
    }
}
