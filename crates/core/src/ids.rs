//! Identifiers as WeChat Pay writes them. Invariant: a value that exists is within WeChat's length and charset.

use std::{fmt, sync::Arc};

/// Why a text is not such an identifier.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{name} is {problem}; expected {expected}")]
pub struct IdError {
    /// The identifier's name in WeChat Pay's documentation.
    pub name: &'static str,
    /// What is wrong with it.
    pub problem: IdProblem,
    /// What WeChat Pay allows.
    pub expected: &'static str,
}

/// What is wrong with an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdProblem {
    /// No characters at all.
    Empty,
    /// More bytes than allowed.
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A character that WeChat does not allow.
    Character(char),
}

impl fmt::Display for IdProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("empty"),
            Self::TooLong { bytes } => write!(f, "too long ({bytes} bytes)"),
            Self::Character(c) => write!(f, "malformed (it contains {c:?})"),
        }
    }
}

fn check(
    name: &'static str,
    text: &str,
    bytes_max: usize,
    allowed: fn(char) -> bool,
    expected: &'static str,
) -> Result<(), IdError> {
    let problem = if text.is_empty() {
        IdProblem::Empty
    } else if text.len() > bytes_max {
        IdProblem::TooLong { bytes: text.len() }
    } else if let Some(c) = text.chars().find(|&c| !allowed(c)) {
        IdProblem::Character(c)
    } else {
        return Ok(());
    };
    Err(IdError { name, problem, expected })
}

macro_rules! identifier {
    ($(#[$doc:meta])* $type:ident, $name:literal, $max:literal, $allowed:expr, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            /// Checks length and charset.
            ///
            /// # Errors
            /// [`IdError`] says what is wrong and what WeChat Pay allows.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                check($name, text, $max, $allowed, $expected)?;
                Ok(Self(text.into()))
            }

            /// The identifier as WeChat writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn visible(c: char) -> bool {
    c.is_ascii_graphic()
}

/// WeChat's charset for merchant numbers of orders: digits, letters and `_ - | * @`.
fn trade_number(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '|' | '*' | '@')
}

identifier!(
    /// A merchant number (`mchid`): decimal digits, at most 32.
    MerchantId, "mchid", 32, digit, "1 to 32 digits"
);
identifier!(
    /// An application (`appid`), for example that of the Mini Program.
    AppId, "appid", 32, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'), "1 to 32 letters, digits, _ or -"
);
identifier!(
    /// The merchant's own order number (`out_trade_no`), unique per merchant.
    ///
    /// APIv3 asks for 6 to 32 characters; shorter ones exist from APIv2 and are accepted.
    OutTradeNo, "out_trade_no", 32, trade_number, "1 to 32 of 0-9 A-Z a-z _ - | * @"
);
identifier!(
    /// WeChat's number of a payment (`transaction_id`), usually 28 digits.
    WechatPaymentId, "transaction_id", 32, visible, "1 to 32 visible ASCII characters"
);
identifier!(
    /// The number of a notification (`id` of the envelope), the same on every resend.
    NotificationId, "notification id", 64, visible, "1 to 64 visible ASCII characters"
);
identifier!(
    /// The `event_type` of a notification, for example `REFUND.SUCCESS`.
    EventType, "event_type", 64, visible, "1 to 64 visible ASCII characters"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_trade_no_keeps_to_wechats_charset() {
        for good in ["A", "ORDER20260302A", "a_b-c|d*e@f", "01234567890123456789012345678901"] {
            assert_eq!(OutTradeNo::parse(good).map(|no| no.as_str().to_owned()), Ok(good.to_owned()));
        }
        for (bad, problem) in [
            ("", IdProblem::Empty),
            ("012345678901234567890123456789012", IdProblem::TooLong { bytes: 33 }),
            ("ORDER 1", IdProblem::Character(' ')),
            ("订单1", IdProblem::Character('订')),
            ("a'b", IdProblem::Character('\'')),
        ] {
            assert_eq!(OutTradeNo::parse(bad).map_err(|e| e.problem), Err(problem), "{bad:?}");
        }
    }

    #[test]
    fn errors_name_the_field_and_what_is_expected() {
        let error = MerchantId::parse("19O0000001").expect_err("a letter O");
        assert_eq!(error.to_string(), "mchid is malformed (it contains 'O'); expected 1 to 32 digits");
    }
}
