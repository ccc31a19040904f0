//! Money on WeChat Pay's wire: whole fen. Deliberately absent: currencies, yuan, arithmetic beyond need.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount in fen, 1/100 CNY: never negative, never a fraction. In JSON an integer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Fen(i64);

/// An amount below zero, where WeChat Pay knows none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an amount of {0} fen; expected an amount in fen, 0 or more")]
pub struct NegativeAmount(pub i64);

impl Fen {
    /// An amount of this many fen.
    ///
    /// # Errors
    /// [`NegativeAmount`].
    pub fn new(fen: i64) -> Result<Self, NegativeAmount> {
        if fen < 0 { Err(NegativeAmount(fen)) } else { Ok(Self(fen)) }
    }

    /// How many fen.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Fen {
    type Error = NegativeAmount;

    fn try_from(fen: i64) -> Result<Self, NegativeAmount> {
        Self::new(fen)
    }
}

impl From<Fen> for i64 {
    fn from(fen: Fen) -> Self {
        fen.0
    }
}

impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_of_what_is_an_amount() {
        for (json, expected) in [
            ("0", Some(0)),
            ("5990", Some(5990)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("-1", None),
            ("1.0", None),
            ("\"1\"", None),
            ("null", None),
        ] {
            assert_eq!(serde_json::from_str::<Fen>(json).ok().map(Fen::get), expected, "{json}");
        }
        assert_eq!(serde_json::to_string(&Fen(5990)).unwrap(), "5990");
    }
}
