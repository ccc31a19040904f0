//! What a cached answer is bound to: this database, as long as it only ever went forward.

use std::{fmt, sync::Arc};

/// A stretch of a database's life in which nothing that was committed has gone away.
///
/// Its key is made at random by the database and kept in it. A database that was restored from a backup, or that was
/// served by another process meanwhile, gets a new one; so an answer that was cached under a key is as true as the
/// key is current. Whoever knows the key can read the database anyway.
#[derive(Clone, PartialEq, Eq)]
pub struct Epoch(Arc<[u8; Epoch::KEY_BYTES]>);

impl Epoch {
    /// How long the key is: 256 bits, so that nobody guesses it.
    pub const KEY_BYTES: usize = 32;

    /// An epoch with this key.
    #[must_use]
    pub fn new(key: [u8; Self::KEY_BYTES]) -> Self {
        Self(Arc::new(key))
    }

    /// The key, as a database gives it; `None` if it has another length.
    #[must_use]
    pub fn from_bytes(key: &[u8]) -> Option<Self> {
        key.try_into().ok().map(Self::new)
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &[u8; Self::KEY_BYTES] {
        &self.0
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Epoch([REDACTED])")
    }
}
