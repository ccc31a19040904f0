//! A request as the corpus has it: lines `Name: value`, an empty line, the body.
//!
//! Invariant: every byte of a value and of the body is kept. Deliberately absent: a request line, HTTP's rules.

use super::lines;

pub(crate) struct Capture<'a> {
    pub(crate) headers: Vec<(&'a str, &'a [u8])>,
    pub(crate) body: &'a [u8],
}

impl<'a> Capture<'a> {
    /// Names that are not UTF-8, which no HTTP library hands on, are left out.
    pub(crate) fn read(input: &'a [u8]) -> Self {
        let (mut headers, mut rest) = (Vec::new(), input);
        loop {
            let (line, behind) = lines::first(rest);
            if line.is_empty() {
                return Self { headers, body: behind };
            }
            rest = behind;
            let colon = line.windows(2).position(|pair| pair == b": ");
            let (name, value) = colon.map_or((line, &[][..]), |at| (&line[..at], &line[at + 2..]));
            if let Ok(name) = std::str::from_utf8(name) {
                headers.push((name, value));
            }
        }
    }

    /// The value of the first header of exactly this name, which is taken out: it is for the target.
    pub(crate) fn take(&mut self, name: &str) -> Option<&'a [u8]> {
        let at = self.headers.iter().position(|(known, _)| *known == name)?;
        Some(self.headers.remove(at).1)
    }

    /// All values of a header, whatever the letters' case of its name.
    pub(crate) fn values(&self, name: &str) -> Vec<&'a [u8]> {
        let named = self.headers.iter().filter(|(known, _)| known.to_ascii_lowercase() == name);
        named.map(|(_, value)| *value).collect()
    }
}
