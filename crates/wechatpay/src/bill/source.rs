//! The lines of a file that comes in pieces, compressed or not.
//!
//! Invariants: the lines are the same however the file was cut into pieces; what is held is bounded by the longest line
//! and a block, once what was pushed has been taken. Deliberately absent: what a line says.

use std::ops::Range;

use super::BillError;
use super::gunzip::{Gunzip, MAGIC};

/// The longest line. The longest real ones, with a remark of 2,048 characters, have some 8 KiB.
pub(super) const LINE_BYTES_MAX: usize = 64 * 1024;

/// Some systems put it at the beginning of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) struct Source {
    input: Input,
    text: Vec<u8>,
    /// Where the next line begins.
    start: usize,
    /// How far it has been looked through for its end.
    searched: usize,
    line: u64,
    is_terminated: bool,
}

enum Input {
    /// Too few bytes to tell.
    Unknown,
    Plain,
    Gzip(Box<Gunzip>),
}

impl Source {
    pub(super) fn new() -> Self {
        let text = Vec::new();
        Self { input: Input::Unknown, text, start: 0, searched: 0, line: 0, is_terminated: true }
    }

    /// The number of the line that was taken last, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Whether the line that was taken last had an end of line.
    pub(super) fn is_terminated(&self) -> bool {
        self.is_terminated
    }

    pub(super) fn bytes(&self, line: Range<usize>) -> &[u8] {
        &self.text[line]
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if let Input::Gzip(gunzip) = &mut self.input {
            return gunzip.push(bytes);
        }
        // Each byte is moved once on average, even if little is taken between pushes.
        if self.start >= self.text.len() / 2 {
            self.drop_taken();
        }
        self.text.extend_from_slice(bytes);
        if matches!(self.input, Input::Unknown) && self.text.len() >= MAGIC.len() {
            self.input = if self.text.starts_with(MAGIC) {
                Input::Gzip(Box::new(Gunzip::new(std::mem::take(&mut self.text))))
            } else {
                Input::Plain
            };
        }
    }

    /// The next line that is not blank, without blanks before it and without its end; `None` if it is not whole yet. At
    /// the end of the input, what is left is a line too.
    pub(super) fn next_line(&mut self, is_end: bool) -> Result<Option<Range<usize>>, BillError> {
        if is_end && matches!(self.input, Input::Unknown) {
            self.input = Input::Plain;
        }
        loop {
            let line = match self.find_line()? {
                Some(line) => line,
                None if self.refill()? => continue,
                None if !is_end => return Ok(None),
                None => {
                    if let Input::Gzip(gunzip) = &self.input {
                        gunzip.end()?;
                    }
                    if self.start == self.text.len() {
                        return Ok(None);
                    }
                    self.take_line(self.text.len(), false)
                }
            };
            let line = self.trimmed(line);
            if !line.is_empty() {
                return Ok(Some(line));
            }
        }
    }

    fn find_line(&mut self) -> Result<Option<Range<usize>>, BillError> {
        // As long as two bytes may be all, they may be the beginning of gzip.
        if matches!(self.input, Input::Unknown) {
            return Ok(None);
        }
        let end = memchr::memchr(b'\n', &self.text[self.searched..]).map(|end| self.searched + end);
        self.searched = end.unwrap_or(self.text.len());
        if self.searched - self.start > LINE_BYTES_MAX {
            return Err(BillError::LineTooLong { line: self.line + 1, bytes_max: LINE_BYTES_MAX });
        }
        Ok(end.map(|end| self.take_line(end, true)))
    }

    fn take_line(&mut self, end: usize, is_terminated: bool) -> Range<usize> {
        let line = self.start..end;
        self.start = end + usize::from(is_terminated);
        self.searched = self.start;
        self.line += 1;
        self.is_terminated = is_terminated;
        line
    }

    /// Inflates some more, where the input is compressed; `false` if there is nothing more to be had now.
    fn refill(&mut self) -> Result<bool, BillError> {
        if !matches!(self.input, Input::Gzip(_)) {
            return Ok(false);
        }
        self.drop_taken();
        match &mut self.input {
            Input::Gzip(gunzip) => gunzip.inflate(&mut self.text),
            Input::Plain | Input::Unknown => Ok(false),
        }
    }

    fn drop_taken(&mut self) {
        self.text.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
    }

    fn trimmed(&self, line: Range<usize>) -> Range<usize> {
        let Range { mut start, mut end } = line;
        if self.line == 1 && self.text[start..end].starts_with(BYTE_ORDER_MARK) {
            start += BYTE_ORDER_MARK.len();
        }
        if self.text[start..end].ends_with(b"\r") {
            end -= 1;
        }
        let blanks = self.text[start..end].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        start + blanks..end
    }
}
