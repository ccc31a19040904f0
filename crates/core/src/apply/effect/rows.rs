//! How many rows a statement should touch.

use std::{fmt, str::FromStr};

/// How many rows a statement may touch; any other number makes its effect fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    min: u64,
    /// `None`: no bound.
    max: Option<u64>,
}

/// Why a text is no number of rows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no number of rows; expected one like \"1\", \"0..1\", \"1..\" or \"any\"")]
pub struct RowsError {
    /// What was written.
    pub text: String,
}

impl Rows {
    /// So many.
    #[must_use]
    pub const fn exactly(number: u64) -> Self {
        Self { min: number, max: Some(number) }
    }

    /// However many.
    #[must_use]
    pub const fn any() -> Self {
        Self { min: 0, max: None }
    }

    /// Whether it is one of these numbers.
    #[must_use]
    pub fn contains(self, number: u64) -> bool {
        self.min <= number && self.max.is_none_or(|max| number <= max)
    }
}

impl FromStr for Rows {
    type Err = RowsError;

    fn from_str(text: &str) -> Result<Self, RowsError> {
        let wrong = || RowsError { text: text.to_owned() };
        // What `u64` would take further, such as a plus sign, is a typing error here.
        let number = |digits: &str| match digits.bytes().all(|byte| byte.is_ascii_digit()) {
            true => digits.parse::<u64>().map_err(|_| wrong()),
            false => Err(wrong()),
        };
        if text == "any" {
            return Ok(Self::any());
        }
        match text.split_once("..") {
            None => Ok(Self::exactly(number(text)?)),
            Some((min, "")) => Ok(Self { min: number(min)?, max: None }),
            Some((min, max)) => {
                let (min, max) = (number(min)?, number(max)?);
                if min <= max { Ok(Self { min, max: Some(max) }) } else { Err(wrong()) }
            }
        }
    }
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (0, None) => f.write_str("any"),
            (min, None) => write!(f, "{min}.."),
            (min, Some(max)) if min == max => write!(f, "{min}"),
            (min, Some(max)) => write!(f, "{min}..{max}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_rows_are_read_and_shown() {
        for (text, inside, outside) in [
            ("1", &[1][..], &[0, 2][..]),
            ("0", &[0], &[1]),
            ("0..1", &[0, 1], &[2]),
            ("2..3", &[2, 3], &[1, 4]),
            ("1..", &[1, u64::MAX], &[0]),
            ("any", &[0, u64::MAX], &[]),
        ] {
            let rows: Rows = text.parse().expect("a number of rows");
            assert_eq!(rows.to_string(), text);
            assert!(inside.iter().all(|number| rows.contains(*number)), "{text}");
            assert!(!outside.iter().any(|number| rows.contains(*number)), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_of_rows_is_refused() {
        for text in ["", "..", "..1", "2..1", "+1", "-1", "1.0", "one", "1...2", " 1", "18446744073709551616"]
        {
            assert_eq!(text.parse::<Rows>(), Err(RowsError { text: text.to_owned() }));
        }
    }
}
