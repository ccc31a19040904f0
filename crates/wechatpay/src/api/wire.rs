//! Text as it goes on the wire and comes off it: percent-encoding, JSON bodies, lenient strings, open lists.
//!
//! Invariant: what is encoded here is sent unchanged by every HTTP library, so that what is signed is what is sent.
//! Deliberately absent: what the texts mean.

use std::fmt::Write as _;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};

use crate::answer::AnswerError;
use crate::error::quiet;

/// Absolute path and query under construction.
pub(super) struct Target {
    text: String,
    has_query: bool,
}

impl Target {
    /// `path` is literal.
    pub(super) fn new(path: &str) -> Self {
        Self { text: path.to_owned(), has_query: false }
    }

    /// One more segment, encoded.
    pub(super) fn segment(mut self, value: &str) -> Self {
        self.text.push('/');
        self.encode(value);
        self
    }

    /// More of the path, literal.
    pub(super) fn then(mut self, literal: &str) -> Self {
        self.text.push_str(literal);
        self
    }

    /// One more parameter, its value encoded.
    pub(super) fn query(mut self, name: &str, value: &str) -> Self {
        self.text.push(if self.has_query { '&' } else { '?' });
        self.has_query = true;
        self.text.push_str(name);
        self.text.push('=');
        self.encode(value);
        self
    }

    /// One more parameter, if there is one.
    pub(super) fn query_optional(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    /// RFC 3986's unreserved characters and `*` stay, as they do in every HTTP library; of the characters of a
    /// merchant's numbers only `|` is encoded.
    fn encode(&mut self, value: &str) {
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~*".contains(&byte) {
                self.text.push(char::from(byte));
            } else {
                let _ = write!(self.text, "%{byte:02X}"); // to a String: cannot fail
            }
        }
    }
}

/// Whether every HTTP library sends this path and query byte by byte: visible ASCII, whole percent-escapes, none of the
/// characters that URL parsers re-encode, no segment that they resolve.
pub(super) fn is_sent_unchanged(path_and_query: &str) -> bool {
    let (path, _) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let bytes = path_and_query.as_bytes();
    let escapes_whole = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%').all(|(at, _)| {
        bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    let plain = |byte: &u8| byte.is_ascii_graphic() && !b"\"'#<>\\^`{}".contains(byte);
    let resolved =
        |segment: &str| [".", ".."].contains(&segment.to_ascii_lowercase().replace("%2e", ".").as_str());
    path.starts_with('/')
        && !path.starts_with("//")
        && escapes_whole
        && bytes.iter().all(plain)
        && !path.split('/').any(resolved)
}

/// The JSON of a body.
pub(super) fn json(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(body).expect("BUG: bodies have text keys and no Serialize of them fails")
}

/// The answer in a body. Its error quotes nothing of it, as it may name a user.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, AnswerError> {
    serde_json::from_slice(body).map_err(|error| AnswerError::Malformed(quiet(&error)))
}

/// The currency that an absent one means.
pub(super) const CURRENCY_DEFAULT: &str = "CNY";

/// What an answer of this kind always has, though others of its type lack it.
pub(super) fn needed<T>(field: &'static str, value: Option<T>) -> Result<T, AnswerError> {
    value.ok_or_else(|| AnswerError::Malformed(serde_json::Error::missing_field(field)))
}

/// An optional text: absent, `null` and `""` are all `None`.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()))
}

/// An optional list: absent and `null` are empty.
pub(super) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A list of WeChat Pay's that may grow: its known values by name, and every other as it was written.
macro_rules! open_list {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$value_doc])* $value,)+
            /// A value that is not known here, as written.
            Other(String),
        }

        impl $name {
            /// As WeChat Pay writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$value => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$value,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok(Self::from(String::deserialize(deserializer)?.as_str()))
            }
        }
    };
}
pub(super) use open_list;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_needs_it_is_encoded() {
        let target = Target::new("/v3/x").segment("a|b*c_-").then("/close").query("q", "1&2 店@");
        assert_eq!(target.query("r", "~").finish(), "/v3/x/a%7Cb*c_-/close?q=1%262%20%E5%BA%97%40&r=~");
    }

    #[test]
    fn table_of_what_is_sent_unchanged() {
        for (path_and_query, expected) in [
            ("/v3/certificates", true),
            ("/v3/billdownload/file?token=a%2Bb-_=~&tartype=gzip", true),
            ("/v3/a/b%7Cc*d|e?x=/../y", true),
            ("v3/certificates", false),
            ("", false),
            ("//host/v3", false),
            ("/v3/a b", false),
            ("/v3/店", false),
            ("/v3/a#b", false),
            ("/v3/a?b='c'", false),
            ("/v3/100%", false),
            ("/v3/a%2", false),
            ("/v3/a%zz", false),
            ("/v3/../a", false),
            ("/v3/a/.", false),
            ("/v3/%2E./a", false),
            ("/v3/a\\b", false),
            ("/v3/a\nb", false),
        ] {
            assert_eq!(is_sent_unchanged(path_and_query), expected, "{path_and_query:?}");
        }
    }
}
