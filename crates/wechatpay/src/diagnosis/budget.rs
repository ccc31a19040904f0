//! How much work a search may do.
//!
//! Invariant: once it is spent it stays spent, and whatever draws on it ends. Whoever makes a body pays for its bytes,
//! also where it turns out to be one that was seen before: 432 ways to write a document may come to one text.

use std::cell::Cell;

/// Signatures that are checked at the most: the 86,400 orders of an envelope's members and some room; 2 s on one core.
const SIGNATURES_MAX: usize = 100_000;

/// Bytes that are hashed for signatures at the most: less than 1 s on one core.
const HASHED_BYTES_MAX: usize = 256 << 20;

/// Bytes of bodies that are written at the most, about 1 s on one core. Every way to write an envelope, with every
/// change undone before, comes to a few MiB.
const WRITTEN_BYTES_MAX: usize = 64 << 20;

/// What is left.
pub(super) struct Budget {
    signatures: Cell<usize>,
    hashed: Cell<usize>,
    written: Cell<usize>,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self::of(SIGNATURES_MAX, HASHED_BYTES_MAX, WRITTEN_BYTES_MAX)
    }

    pub(super) fn of(signatures: usize, hashed: usize, written: usize) -> Self {
        Self { signatures: Cell::new(signatures), hashed: Cell::new(hashed), written: Cell::new(written) }
    }

    /// Pays for a signature over so many bytes; `None` if it is not to be checked any more.
    pub(super) fn verify(&self, bytes: usize) -> Option<()> {
        self.draw(&self.signatures, 1)?;
        self.draw(&self.hashed, bytes)
    }

    /// Pays for a body of so many bytes; `None` if no more are to be made.
    pub(super) fn write(&self, bytes: usize) -> Option<()> {
        self.draw(&self.written, bytes)
    }

    fn draw(&self, left: &Cell<usize>, amount: usize) -> Option<()> {
        match left.get().checked_sub(amount) {
            Some(rest) if !self.is_spent() => {
                left.set(rest);
                Some(())
            }
            _ => {
                // All of it: what draws on another part ends as well.
                [&self.signatures, &self.hashed, &self.written].iter().for_each(|left| left.set(0));
                None
            }
        }
    }

    pub(super) fn is_spent(&self) -> bool {
        self.signatures.get() == 0 || self.hashed.get() == 0 || self.written.get() == 0
    }
}
