//! Exact money. Invariants: an amount is a whole number of fen (1/100 yuan), never negative, never a float.

use std::fmt;

/// An amount in fen (1/100 of the currency's unit), `0..=i64::MAX`.
///
/// WeChat Pay's APIv3 gives amounts as JSON integers in fen; the smallest order is 1 fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fen(i64);

impl Fen {
    /// An amount that is not negative.
    ///
    /// # Errors
    /// [`MoneyError::Negative`] below zero.
    pub fn new(fen: i64) -> Result<Self, MoneyError> {
        if fen < 0 { Err(MoneyError::Negative { fen }) } else { Ok(Self(fen)) }
    }

    /// The amount in fen.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} fen", self.0)
    }
}

/// A currency by its ISO 4217 code, three capital letters. Mini Program payments are in `CNY`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Renminbi, the currency that WeChat Pay assumes where none is named.
    pub const CNY: Self = Self(*b"CNY");

    /// Reads a code such as `CNY`.
    ///
    /// # Errors
    /// [`MoneyError::Currency`] unless it is three capital letters.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        match text.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(MoneyError::Currency),
        }
    }

    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("BUG: three ASCII capitals, checked when parsed")
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a number or a code is not money.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MoneyError {
    /// Below zero.
    #[error("amount is {fen} fen; an amount is never negative")]
    Negative {
        /// The number as given, in fen.
        fen: i64,
    },
    /// Not an ISO 4217 code.
    #[error("currency is three capital letters of ISO 4217, for example CNY")]
    Currency,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_amounts_and_odd_currencies_are_refused() {
        assert_eq!(Fen::new(-1), Err(MoneyError::Negative { fen: -1 }));
        assert_eq!(Fen::new(i64::MAX).map(Fen::get), Ok(i64::MAX));
        for odd in ["", "CN", "cny", "CNYY", "人民币"] {
            assert_eq!(Currency::parse(odd), Err(MoneyError::Currency), "{odd}");
        }
        assert_eq!(Currency::parse("CNY"), Ok(Currency::CNY));
    }
}
