//! Money in bills: yuan as decimal text, read as whole numbers without rounding.
//!
//! Invariant: an amount is exact or an error. Deliberately absent: floating point, thousands separators, currencies.

use std::fmt;

use crate::Fen;

/// Digits after the point that a fen has.
const FEN_DECIMALS: usize = 2;
/// Digits after the point that a fee has.
const FEE_DECIMALS: usize = 5;
/// How many units of a fee are a fen.
const FEE_UNITS_PER_FEN: i64 = 1000;

/// Why a text is no amount. What the text was is not said: where columns are shifted, it may name a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AmountError {
    /// Not digits, perhaps a point and more digits, perhaps `-` before.
    #[error("not an amount in yuan such as 59.90")]
    NotANumber,
    /// Finer than its unit, so that it would have to be rounded.
    #[error("an amount finer than its unit, a fen (a fee: 1/100000 yuan); it is not rounded")]
    TooFine,
    /// Below zero, where WeChat Pay knows only amounts of 0 or more.
    #[error("an amount below zero, where there should be none")]
    Negative,
    /// Beyond any sum of money.
    #[error("an amount beyond 64 bits")]
    TooLarge,
}

/// A merchant's fee: whole 1/100000 yuan, as bills write it. Negative where it was given back. Finer than a fen: round
/// only the sum, if at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fee(i64);

impl Fee {
    /// A fee of this many 1/100000 yuan.
    #[must_use]
    pub fn new(hundred_thousandths: i64) -> Self {
        Self(hundred_thousandths)
    }

    /// How many 1/100000 yuan.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }

    /// How many fen (negative where it was given back); `None` if it is finer than a fen.
    #[must_use]
    pub fn fen(self) -> Option<i64> {
        (self.0 % FEE_UNITS_PER_FEN == 0).then_some(self.0 / FEE_UNITS_PER_FEN)
    }

    /// Reads yuan, such as `0.36000` or `-0.12`.
    ///
    /// # Errors
    /// [`AmountError`]; five digits after the point are exact.
    pub fn from_yuan(text: &str) -> Result<Self, AmountError> {
        scaled(text, FEE_DECIMALS).map(Self)
    }
}

/// In yuan, with five digits after the point.
impl fmt::Display for Fee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        yuan(f, self.0, FEE_DECIMALS)
    }
}

/// An amount in fen that may be below zero: the balance of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Balance(i64);

impl Balance {
    /// A balance of this many fen.
    #[must_use]
    pub fn new(fen: i64) -> Self {
        Self(fen)
    }

    /// How many fen.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }

    /// Reads yuan, such as `159.90`.
    ///
    /// # Errors
    /// [`AmountError`].
    pub fn from_yuan(text: &str) -> Result<Self, AmountError> {
        scaled(text, FEN_DECIMALS).map(Self)
    }
}

/// In yuan, with two digits after the point.
impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        yuan(f, self.0, FEN_DECIMALS)
    }
}

/// Reads an amount in yuan as whole fen: bills are written in yuan, everything else of WeChat Pay's in fen.
///
/// # Errors
/// [`AmountError`], also where it is finer than a fen or below zero.
pub fn fen_from_yuan(text: &str) -> Result<Fen, AmountError> {
    Fen::new(scaled(text, FEN_DECIMALS)?).map_err(|_| AmountError::Negative)
}

/// Reads `48`, which some bills write as `48.0`.
pub(super) fn count(text: &str) -> Option<u64> {
    u64::try_from(scaled(text, 0).ok()?).ok()
}

/// Digits after the point of a text that is an amount.
pub(super) fn decimals(text: &str) -> usize {
    text.split_once('.').map_or(0, |(_, fraction)| fraction.len())
}

/// The number times 10^`decimals`, exactly.
fn scaled(text: &str, decimals: usize) -> Result<i64, AmountError> {
    let (negative, text) = match text.as_bytes() {
        [b'-', text @ ..] => (true, text),
        text => (false, text),
    };
    let point = text.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = point.map_or((text, &b"0"[..]), |point| (&text[..point], &text[point + 1..]));
    if whole.is_empty() || fraction.is_empty() || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return Err(AmountError::NotANumber);
    }
    let (kept, beyond) = fraction.split_at(fraction.len().min(decimals));
    if beyond.iter().any(|byte| *byte != b'0') {
        return Err(AmountError::TooFine);
    }
    let mut value = 0i64;
    let zeros = std::iter::repeat_n(&b'0', decimals - kept.len());
    for digit in whole.iter().chain(kept).chain(zeros) {
        let shifted = value.checked_mul(10).and_then(|value| value.checked_add(i64::from(digit - b'0')));
        value = shifted.ok_or(AmountError::TooLarge)?;
    }
    Ok(if negative { -value } else { value })
}

fn yuan(f: &mut fmt::Formatter<'_>, value: i64, decimals: usize) -> fmt::Result {
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!("{:0width$}", value.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    write!(f, "{sign}{whole}.{fraction}")
}

/// A sum of fen as the bill would write it.
pub(super) fn yuan_of(fen: Fen) -> String {
    Balance(fen.get()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_of_amounts() {
        use AmountError::{Negative, NotANumber, TooFine, TooLarge};
        for (text, fen, fee) in [
            ("0", Ok(0), Ok(0)),
            ("0.0", Ok(0), Ok(0)),
            ("0.01", Ok(1), Ok(1_000)),
            ("59.90", Ok(5_990), Ok(5_990_000)),
            ("59.9", Ok(5_990), Ok(5_990_000)),
            ("0.32000", Ok(32), Ok(32_000)),
            ("007", Ok(700), Ok(700_000)),
            ("0.32100", Err(TooFine), Ok(32_100)),
            ("0.00001", Err(TooFine), Ok(1)),
            ("0.000010", Err(TooFine), Ok(1)),
            ("0.000001", Err(TooFine), Err(TooFine)),
            ("-0.27000", Err(Negative), Ok(-27_000)),
            ("-0.00", Ok(0), Ok(0)),
            ("92233720368547758.07", Ok(i64::MAX), Err(TooLarge)),
            ("92233720368547758.08", Err(TooLarge), Err(TooLarge)),
            ("99999999999999999999", Err(TooLarge), Err(TooLarge)),
            ("", Err(NotANumber), Err(NotANumber)),
            ("-", Err(NotANumber), Err(NotANumber)),
            ("--1", Err(NotANumber), Err(NotANumber)),
            ("+1", Err(NotANumber), Err(NotANumber)),
            (".5", Err(NotANumber), Err(NotANumber)),
            ("5.", Err(NotANumber), Err(NotANumber)),
            ("1.2.3", Err(NotANumber), Err(NotANumber)),
            ("a0.01", Err(NotANumber), Err(NotANumber)),
            ("0.001x", Err(NotANumber), Err(NotANumber)),
            ("1,000.00", Err(NotANumber), Err(NotANumber)),
            ("4.00123E+27", Err(NotANumber), Err(NotANumber)),
            (" 1", Err(NotANumber), Err(NotANumber)),
            ("１", Err(NotANumber), Err(NotANumber)),
        ] {
            assert_eq!(fen_from_yuan(text).map(Fen::get), fen, "{text:?}");
            assert_eq!(Fee::from_yuan(text).map(Fee::get), fee, "{text:?}");
        }
    }

    #[test]
    fn amounts_are_written_as_bills_do() {
        for (fee, text) in
            [(0, "0.00000"), (36_000, "0.36000"), (-12_000, "-0.12000"), (123_456_789, "1234.56789")]
        {
            assert_eq!(Fee::new(fee).to_string(), text);
            assert_eq!(Fee::from_yuan(text), Ok(Fee::new(fee)));
        }
        assert_eq!((Fee::new(-12_000).fen(), Fee::new(12_001).fen()), (Some(-12), None));
        for (fen, text) in [(0, "0.00"), (7, "0.07"), (-5_990, "-59.90")] {
            assert_eq!(Balance::new(fen).to_string(), text);
            assert_eq!(Balance::from_yuan(text), Ok(Balance::new(fen)));
        }
        assert_eq!(Balance::new(i64::MIN).to_string(), "-92233720368547758.08");
    }

    #[test]
    fn table_of_counts() {
        for (text, expected) in [
            ("48", Some(48)),
            ("45.0", Some(45)),
            ("0", Some(0)),
            ("45.5", None),
            ("-1", None),
            ("", None),
            ("many", None),
        ] {
            assert_eq!(count(text), expected, "{text:?}");
        }
        assert_eq!(["0", "0.08", "0.32000"].map(decimals), [0, 2, 5]);
    }
}
