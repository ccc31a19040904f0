//! Headers of the merchant's own, such as `Authorization`.
//!
//! Invariants: a header that exists adds one line to a call and no more, and says nothing that is payonce's to say. Its
//! `Debug` does not show the value.

use std::fmt;

use http::{HeaderName, HeaderValue};

/// A header of the merchant's own.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    name: HeaderName,
    value: HeaderValue,
}

/// Why a header is refused. It does not repeat the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The name is none.
    #[error("{name:?} is no header name; expected 1 to {} letters, digits or -", Header::NAME_BYTES_MAX)]
    Name {
        /// What was written.
        name: String,
    },
    /// payonce or the connection sets it.
    #[error("the header {name} is set by payonce itself, or belongs to the connection; leave it out")]
    Reserved {
        /// Which one.
        name: String,
    },
    /// A line break in a value would begin another header; others are refused with it.
    #[error(
        "the value of the header {name} holds {character:?}; it may hold visible ASCII characters, and spaces \
         between them: encode anything else (Base64, percent-encoding)"
    )]
    Value {
        /// Of which header.
        name: String,
        /// What it holds.
        character: char,
    },
    /// Too much for servers.
    #[error(
        "the value of the header {name} has {bytes} bytes; at most {} are possible",
        Header::VALUE_BYTES_MAX
    )]
    TooLong {
        /// Of which header.
        name: String,
        /// Its length.
        bytes: usize,
    },
}

/// What payonce says itself, and what is said about a connection or a body.
const RESERVED: &[&str] = &[
    "host",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
    "http2-settings",
    "content-length",
    "content-type",
    "content-encoding",
    "content-range",
];

/// The same, with any ending: `webhook-…` is signed, `proxy-…` belongs to the connection.
const RESERVED_PREFIXES: &[&str] = &["webhook-", "proxy-"];

impl Header {
    /// How long a name may be.
    pub const NAME_BYTES_MAX: usize = 64;
    /// How long a value may be: room for a signed token.
    pub const VALUE_BYTES_MAX: usize = 4096;

    /// Checks name and value.
    ///
    /// # Errors
    /// [`HeaderError`] says what is wrong.
    pub fn parse(name: &str, value: &str) -> Result<Self, HeaderError> {
        let bad_name = || HeaderError::Name { name: name.chars().take(Self::NAME_BYTES_MAX).collect() };
        if name.len() > Self::NAME_BYTES_MAX {
            return Err(bad_name());
        }
        let name: HeaderName = name.parse().map_err(|_| bad_name())?;
        let is_reserved = RESERVED.contains(&name.as_str())
            || RESERVED_PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix));
        if is_reserved {
            return Err(HeaderError::Reserved { name: name.to_string() });
        }
        if value.len() > Self::VALUE_BYTES_MAX {
            return Err(HeaderError::TooLong { name: name.to_string(), bytes: value.len() });
        }
        let outer = value.trim_matches(' ').len() != value.len();
        let bad = if outer { Some(' ') } else { value.chars().find(|c| !matches!(c, ' '..='~')) };
        if let Some(character) = bad {
            return Err(HeaderError::Value { name: name.to_string(), character });
        }
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| HeaderError::Value { name: name.to_string(), character: '\0' })?;
        value.set_sensitive(true);
        Ok(Self { name, value })
    }

    /// Its name, in small letters.
    #[must_use]
    pub fn name(&self) -> &HeaderName {
        &self.name
    }

    /// Its value.
    #[must_use]
    pub fn value(&self) -> &HeaderValue {
        &self.value
    }

    pub(super) fn texts(&self) -> (String, String) {
        // Invariant: the value was made of ASCII.
        (self.name.to_string(), String::from_utf8_lossy(self.value.as_bytes()).into_owned())
    }

    /// How much it adds to a call, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.name.as_str().len() + self.value.len()
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: [REDACTED]", self.name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_header_that_would_be_two_is_refused() {
        for value in ["a\r\nHost: evil", "a\nb", "a\rb", "a\0b", "a\tb", "店", "a\u{7f}", " a", "a "] {
            let error = Header::parse("Authorization", value).expect_err(value);
            assert!(matches!(&error, HeaderError::Value { name, .. } if name == "authorization"), "{error}");
        }
        for name in ["", "a b", "a:", "a\r\nb", "店", "a\0", "x".repeat(65).as_str()] {
            assert!(matches!(Header::parse(name, "v"), Err(HeaderError::Name { .. })), "{name:?}");
        }
    }

    #[test]
    fn what_payonce_says_itself_is_refused_in_any_case() {
        for name in RESERVED.iter().copied().chain([
            "Host",
            "CONTENT-LENGTH",
            "Webhook-Id",
            "webhook-signature",
            "webhook-timestamp",
            "webhook-anything",
            "Proxy-Authorization",
            "proxy-connection",
        ]) {
            let expected = HeaderError::Reserved { name: name.to_lowercase() };
            assert_eq!(Header::parse(name, "v"), Err(expected), "{name}");
        }
    }

    #[test]
    fn a_token_passes_and_does_not_show() {
        let header = Header::parse("Authorization", "Bearer rSx7").expect("a header");
        assert_eq!(
            (header.name().as_str(), header.value().as_bytes()),
            ("authorization", &b"Bearer rSx7"[..])
        );
        let shown = format!("{header:?} {:?}", header.value());
        assert!(!shown.contains("rSx7"), "{shown}");
        let long = "x".repeat(4097);
        let error = HeaderError::TooLong { name: "a".to_owned(), bytes: 4097 };
        assert_eq!(Header::parse("a", &long), Err(error));
        assert!(Header::parse("a", &long[1..]).is_ok());
        assert!(Header::parse("a", "").is_ok());
    }

    proptest! {
        #[test]
        fn what_passes_is_one_line(name: String, value: String) {
            if let Ok(header) = Header::parse(&name, &value) {
                prop_assert!(header.value().as_bytes().iter().all(|byte| (b' '..=b'~').contains(byte)));
                prop_assert_eq!(header.texts(), (name.to_lowercase(), value));
            }
        }
    }
}
