//! JSON that is handed on and not looked into. Invariant: it is one JSON value, and keeps the very text.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// One JSON value as its text. Its `Debug` does not show it: WeChat's resources name the payer.
#[derive(Clone)]
pub struct Json(Box<RawValue>);

impl Json {
    /// Checks that the text is one JSON value.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: String) -> Result<Self, serde_json::Error> {
        RawValue::from_string(text).map(Self)
    }

    /// `{}`.
    #[must_use]
    pub fn empty_object() -> Self {
        Self::parse("{}".to_owned()).expect("BUG: an empty object is JSON")
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Json {}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes of JSON]", self.as_str().len())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_whole_value_is_json_and_debug_hides_it() {
        for bad in ["", "{", "{} {}", "{\"a\":}", "openid"] {
            assert!(Json::parse(bad.to_owned()).is_err(), "{bad:?}");
        }
        let json = Json::parse("{\"openid\": \"o1\"}".to_owned()).expect("JSON");
        assert_eq!(json.as_str(), "{\"openid\": \"o1\"}");
        assert_eq!(format!("{json:?}"), "[16 bytes of JSON]");
    }
}
