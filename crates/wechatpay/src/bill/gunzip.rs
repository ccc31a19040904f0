//! Gzip, inflated piece by piece as text is needed.
//!
//! Invariants: no more than a block is inflated at a time, however much was compressed into the input; what was inflated
//! before a damage is the same however the input was cut. Deliberately absent: zlib's own format, which bills are not
//! sent in.

use flate2::{Decompress, FlushDecompress, Status};

use super::BillError;

/// The first bytes of gzip (RFC 1952).
pub(super) const MAGIC: &[u8] = &[0x1f, 0x8b];

/// The window of deflate: 32 KiB, the largest.
const WINDOW_BITS: u8 = 15;

/// How much text is made at a time: enough that a call costs nothing, little enough to stay in a processor's cache.
const BLOCK_BYTES: usize = 64 * 1024;

/// One gzip member after another, as RFC 1952 has it.
pub(super) struct Gunzip {
    compressed: Vec<u8>,
    taken: usize,
    /// `None` between members.
    member: Option<Decompress>,
    broken: Option<BillError>,
}

impl Gunzip {
    pub(super) fn new(compressed: Vec<u8>) -> Self {
        Self { compressed, taken: 0, member: Some(Decompress::new_gzip(WINDOW_BITS)), broken: None }
    }

    pub(super) fn push(&mut self, compressed: &[u8]) {
        // Each byte is moved once on average, even if little is taken between pushes.
        if self.taken >= self.compressed.len() / 2 {
            self.compressed.drain(..self.taken);
            self.taken = 0;
        }
        self.compressed.extend_from_slice(compressed);
    }

    /// Puts some more text behind `text`; `false` if that needs more input.
    pub(super) fn inflate(&mut self, text: &mut Vec<u8>) -> Result<bool, BillError> {
        text.reserve(BLOCK_BYTES);
        let before = text.len();
        while text.len() == before {
            if let Some(broken) = &self.broken {
                return Err(broken.clone());
            }
            let input = &self.compressed[self.taken..];
            let Some(member) = &mut self.member else {
                match input.first() {
                    None => return Ok(false),
                    Some(first) if *first == MAGIC[0] => {
                        self.member = Some(Decompress::new_gzip(WINDOW_BITS))
                    }
                    Some(_) => self.broken = Some(BillError::GzipTrailing),
                }
                continue;
            };
            let consumed = member.total_in();
            let status = member.decompress_vec(input, text, FlushDecompress::None);
            let consumed = usize::try_from(member.total_in() - consumed).unwrap_or(usize::MAX);
            self.taken = self.taken.saturating_add(consumed).min(self.compressed.len());
            match status {
                Ok(Status::StreamEnd) => self.member = None,
                Ok(Status::Ok | Status::BufError) if consumed == 0 && text.len() == before => {
                    return Ok(false);
                }
                Ok(Status::Ok | Status::BufError) => {}
                // What was inflated before the damage is handed on first.
                Err(_) => self.broken = Some(BillError::Gzip),
            }
        }
        Ok(true)
    }

    /// Whether the input may end here.
    pub(super) fn end(&self) -> Result<(), BillError> {
        if self.member.is_some() { Err(BillError::GzipTruncated) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// All the text, in pieces of `size` bytes, and how it ended.
    fn inflated(compressed: &[u8], size: usize) -> (Vec<u8>, Result<(), BillError>) {
        let (mut gunzip, mut all) = (Gunzip::new(Vec::new()), Vec::new());
        for piece in compressed.chunks(size) {
            gunzip.push(piece);
            loop {
                let mut text = Vec::new();
                match gunzip.inflate(&mut text) {
                    Ok(true) => all.append(&mut text),
                    Ok(false) => break,
                    Err(error) => return (all, Err(error)),
                }
            }
        }
        (all, gunzip.end())
    }

    #[test]
    fn members_follow_each_other() {
        let text = b"`1,`2\n".repeat(50_000);
        let (first, second) = text.split_at(123_456);
        let compressed = [gzip(first), gzip(b""), gzip(second)].concat();
        for size in [1, 7, 4096, compressed.len()] {
            assert!(inflated(&compressed, size) == (text.clone(), Ok(())), "pieces of {size} bytes");
        }
    }

    #[test]
    fn every_cut_and_every_damage_is_told() {
        let text = b"`2026-03-02 09:15:07,`wx1\n".repeat(20);
        let whole = gzip(&text);
        for end in 0..whole.len() {
            assert_eq!(inflated(&whole[..end], 5).1, Err(BillError::GzipTruncated), "cut at {end}");
        }
        // Bytes 4 to 9 of the header are a time, flags and a system, which change nothing.
        for at in (0..4).chain(10..whole.len()) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            let (some, end) = inflated(&damaged, whole.len());
            match &end {
                // A bit that deflate does not use.
                Ok(()) => assert_eq!(some, text, "{at}"),
                Err(error) => {
                    assert!(matches!(error, BillError::Gzip | BillError::GzipTruncated), "{at}: {error}")
                }
            }
            assert_eq!((some, end), inflated(&damaged, 1), "{at}");
        }
    }

    #[test]
    fn what_follows_gzip_must_be_gzip() {
        for trailing in [&b"\n"[..], b"\0", b"`1,`2", b"\x1f"] {
            let expected =
                if trailing == b"\x1f" { BillError::GzipTruncated } else { BillError::GzipTrailing };
            let compressed = [&gzip(b"text"), trailing].concat();
            for size in [1, compressed.len()] {
                assert_eq!(
                    inflated(&compressed, size),
                    (b"text".to_vec(), Err(expected.clone())),
                    "{trailing:?}"
                );
            }
        }
    }
}
