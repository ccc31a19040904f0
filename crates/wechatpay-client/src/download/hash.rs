//! SHA-1 of a file's uncompressed bytes, whether they come compressed or not: what a statement's hash is of.
//!
//! Invariant: nothing is kept but the hash's state and the decompressor's window. Deliberately absent: comparing.

use std::io::{self, Write};

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use flate2::write::GzDecoder;

/// The first bytes of a gzip file (RFC 1952).
const GZIP: &[u8] = &[0x1f, 0x8b];

/// The hash of what was pushed so far.
pub(crate) struct Hash(State);

enum State {
    /// Fewer bytes than would tell.
    Beginning(Vec<u8>),
    Plain(Sha1),
    Gzip(Box<GzDecoder<Sha1>>),
}

struct Sha1(Context);

impl Write for Sha1 {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Hash {
    pub(crate) fn new() -> Self {
        Self(State::Beginning(Vec::new()))
    }

    /// # Errors
    /// Where it begins as gzip does and does not go on so.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            State::Beginning(begun) => {
                begun.extend_from_slice(bytes);
                if begun.len() < GZIP.len() {
                    return Ok(());
                }
                let (begun, sha1) = (std::mem::take(begun), Sha1(Context::new(&SHA1_FOR_LEGACY_USE_ONLY)));
                self.0 = if begun.starts_with(GZIP) {
                    State::Gzip(Box::new(GzDecoder::new(sha1)))
                } else {
                    State::Plain(sha1)
                };
                self.push(&begun)
            }
            State::Plain(sha1) => {
                sha1.0.update(bytes);
                Ok(())
            }
            State::Gzip(gzip) => gzip.write_all(bytes),
        }
    }

    /// In hex.
    ///
    /// # Errors
    /// Where it is gzip that is not whole.
    pub(crate) fn finish(self) -> io::Result<String> {
        let sha1 = match self.0 {
            State::Beginning(begun) => {
                let mut sha1 = Sha1(Context::new(&SHA1_FOR_LEGACY_USE_ONLY));
                sha1.0.update(&begun);
                sha1
            }
            State::Plain(sha1) => sha1,
            State::Gzip(gzip) => gzip.finish()?,
        };
        Ok(sha1.0.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}
