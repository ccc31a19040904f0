//! How far consumers have read: offsets that somebody who reads messages lets payonce keep.
//!
//! Invariants: reading moves no offset, only its reader does, once he has acted: what he was given before a crash he is
//! given again. Whoever says from where he moves it moves it only from there, so that two instances of one reader do not
//! put each other back. Deliberately absent: which messages a consumer wants, and who has one at present; that is what an
//! [endpoint](super::delivery) is for.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use super::{Position, StoreError};
use crate::time::UnixMillis;

/// How a consumer calls itself: 1 to 64 of `a-z`, `0-9`, `-`, `_` and `.`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsumerName(Arc<str>);

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name:?} is no name of a consumer; expected 1 to {} of a-z, 0-9, -, _ and .",
    ConsumerName::BYTES_MAX
)]
pub struct ConsumerNameError {
    /// What was written.
    pub name: String,
}

impl ConsumerName {
    /// How long it may be.
    pub const BYTES_MAX: usize = 64;

    /// What the names of payonce's own consumers begin with: nobody else moves those.
    const OWN: &'static str = "payonce.";

    /// Checks length and characters.
    ///
    /// # Errors
    /// [`ConsumerNameError`].
    pub fn parse(text: &str) -> Result<Self, ConsumerNameError> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
        if (1..=Self::BYTES_MAX).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(ConsumerNameError { name: text.to_owned() })
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is one of payonce's own.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.0.starts_with(Self::OWN)
    }
}

impl fmt::Display for ConsumerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A consumer as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerView {
    /// Its name.
    pub name: ConsumerName,
    /// What it has read, and all before it.
    pub position: Position,
    /// When it said so last.
    pub changed_at: UnixMillis,
}

/// What came of moving an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// It stands there now.
    There,
    /// It did not stand where it was to be moved from.
    Elsewhere {
        /// Where it stands; `None`: there is no such consumer.
        stands_at: Option<Position>,
    },
}

impl Moved {
    /// Whether a consumer that stands there (`None`: that is not there yet) is moved from `from`. One that is not there yet
    /// has read nothing, as one at 0: instances that begin at the same time all move from 0, and one of them makes it.
    #[must_use]
    pub fn fits(stands_at: Option<Position>, from: Option<Position>) -> bool {
        from.is_none_or(|from| stands_at.unwrap_or_default() == from)
    }
}

/// Where offsets are kept.
#[async_trait]
pub trait Consumers: Send + Sync {
    /// Moves a consumer's offset, if it stands at `from` ([`Moved::fits`]); whatever it was, if that is `None`. Whoever is
    /// not there yet is made.
    ///
    /// # Errors
    /// As [`Store::begin`](super::Store::begin).
    async fn move_consumer(
        &self,
        name: &ConsumerName,
        from: Option<Position>,
        to: Position,
    ) -> Result<Moved, StoreError>;

    /// Forgets a consumer. `false` if there is none.
    ///
    /// # Errors
    /// As [`Store::begin`](super::Store::begin).
    async fn remove_consumer(&self, name: &ConsumerName) -> Result<bool, StoreError>;

    /// A consumer; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be read now.
    async fn consumer(&self, name: &ConsumerName) -> Result<Option<ConsumerView>, StoreError>;

    /// All consumers, by name.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be read now.
    async fn all_consumers(&self) -> Result<Vec<ConsumerView>, StoreError>;

    /// The last position that was given to a message; 0 before the first. It only grows.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be read now.
    async fn newest_position(&self) -> Result<Position, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        let long = "n".repeat(64);
        for (good, is_own) in [
            ("a", false),
            ("shop-1_b.c", false),
            ("payonce", false),
            ("payonce.alerts", true),
            (&long, false),
        ] {
            let name = ConsumerName::parse(good).expect("a name");
            assert_eq!((name.as_str(), name.is_own()), (good, is_own));
        }
        let longer = "n".repeat(65);
        for bad in ["", "Shop", "a b", "a/b", "店", "a\n", longer.as_str()] {
            assert_eq!(ConsumerName::parse(bad), Err(ConsumerNameError { name: bad.to_owned() }));
        }
    }

    #[test]
    fn an_offset_moves_from_where_it_stands() {
        let at = |position: i64| Some(Position(position));
        for (stands_at, from, fits) in [
            (None, None, true),
            (None, at(0), true),
            (None, at(1), false),
            (at(0), at(0), true),
            (at(5), at(5), true),
            (at(5), at(0), false),
            (at(5), at(4), false),
            (at(5), at(6), false),
            (at(5), None, true),
        ] {
            assert_eq!(Moved::fits(stands_at, from), fits, "{stands_at:?} from {from:?}");
        }
    }
}
