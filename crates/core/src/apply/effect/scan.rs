//! Reads SQL as far as a parameter must be told from a text, a name or a comment that looks like one.
//!
//! Invariant: what the databases would read in different ways is refused, with what to write instead. So a statement
//! means the same whichever it is sent to, and none needs to be named here.

use super::StatementError;

/// A part of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Goes to the database as it is.
    Text(&'a str),
    /// The name of a parameter.
    Parameter(&'a str),
}

/// A statement in its parts, with its first word.
pub(super) fn scan(sql: &str) -> Result<(Vec<Piece<'_>>, &str), StatementError> {
    if sql.contains('\0') {
        return Err(StatementError::Nul);
    }
    let mut scanner = Scanner { sql, at: 0, pieces: Vec::new(), piece_start: 0, first_word: None, end: None };
    while scanner.at < sql.len() {
        scanner.step()?;
    }
    scanner.text_until(scanner.end.unwrap_or(sql.len()));
    let first_word = scanner.first_word.ok_or(StatementError::Empty)?;
    Ok((scanner.pieces, first_word))
}

struct Scanner<'a> {
    sql: &'a str,
    at: usize,
    pieces: Vec<Piece<'a>>,
    /// Where the text began that is no piece yet.
    piece_start: usize,
    first_word: Option<&'a str>,
    /// Where a semicolon stands.
    end: Option<usize>,
}

fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

fn is_word(byte: u8) -> bool {
    is_word_start(byte) || byte.is_ascii_digit()
}

impl<'a> Scanner<'a> {
    fn byte(&self, ahead: usize) -> u8 {
        self.sql.as_bytes().get(self.at + ahead).copied().unwrap_or(b' ')
    }

    fn step(&mut self) -> Result<(), StatementError> {
        let (byte, next) = (self.byte(0), self.byte(1));
        match (byte, next) {
            (b'-', b'-') => return self.line_comment(),
            (b'/', b'*') => return self.block_comment(),
            _ if byte.is_ascii_whitespace() => self.at += 1,
            _ if self.end.is_some() => return Err(StatementError::Second),
            (b'\'' | b'"' | b'`', _) => return self.quoted(byte),
            (b';', _) => {
                self.end = Some(self.at);
                self.at += 1;
            }
            (b':', b':' | b'=') => self.at += 2,
            (b':', _) if next.is_ascii_alphabetic() || next == b'_' => self.parameter(),
            (b'#', b'>') => self.at += 2,
            (b'#', _) => return Err(StatementError::Comment),
            (b'?', _) => return Err(StatementError::Placeholder { written: "?".to_owned() }),
            (b'$', _) => return Err(StatementError::Placeholder { written: "$".to_owned() }),
            (b'@', _) if is_word_start(next) || matches!(next, b'\'' | b'"' | b'`') => {
                return Err(StatementError::Placeholder { written: "@".to_owned() });
            }
            _ if is_word(byte) => self.word(),
            _ => self.at += 1,
        }
        Ok(())
    }

    /// A word, a name without quotes or a number.
    fn word(&mut self) {
        let start = self.at;
        while self.at < self.sql.len() && (is_word(self.byte(0)) || self.byte(0) == b'$') {
            self.at += 1;
        }
        if self.first_word.is_none() {
            self.first_word = Some(&self.sql[start..self.at]);
        }
    }

    fn parameter(&mut self) {
        self.text_until(self.at);
        self.at += 1;
        let start = self.at;
        while self.at < self.sql.len() && (self.byte(0).is_ascii_alphanumeric() || self.byte(0) == b'_') {
            self.at += 1;
        }
        self.pieces.push(Piece::Parameter(&self.sql[start..self.at]));
        self.piece_start = self.at;
    }

    fn text_until(&mut self, end: usize) {
        if self.piece_start < end {
            self.pieces.push(Piece::Text(&self.sql[self.piece_start..end]));
        }
    }

    /// A text or a quoted name, in which a doubled quote stands for one.
    fn quoted(&mut self, quote: u8) -> Result<(), StatementError> {
        let mut backslashes = 0;
        self.at += 1;
        while self.at < self.sql.len() {
            let (byte, next) = (self.byte(0), self.byte(1));
            if byte == quote {
                // To MySQL the quote is part of the text then, to the others it ends it.
                if backslashes % 2 == 1 && quote != b'`' {
                    return Err(StatementError::Backslash);
                }
                self.at += 1;
                if next != quote {
                    return Ok(());
                }
            }
            backslashes = if byte == b'\\' { backslashes + 1 } else { 0 };
            self.at += 1;
        }
        Err(StatementError::Unterminated { opened_by: char::from(quote).to_string() })
    }

    fn line_comment(&mut self) -> Result<(), StatementError> {
        // To MySQL it is two minus signs then.
        if !self.byte(2).is_ascii_whitespace() {
            return Err(StatementError::Comment);
        }
        self.at = self.sql[self.at..].find('\n').map_or(self.sql.len(), |newline| self.at + newline);
        Ok(())
    }

    fn block_comment(&mut self) -> Result<(), StatementError> {
        // MySQL executes some comments, and PostgreSQL alone lets one stand in another.
        let inside = &self.sql[self.at + 2..];
        if inside.starts_with('!') || inside.starts_with("M!") {
            return Err(StatementError::Comment);
        }
        let Some(length) = inside.find("*/") else {
            return Err(StatementError::Unterminated { opened_by: "/*".to_owned() });
        };
        if inside[..length].contains("/*") {
            return Err(StatementError::Comment);
        }
        self.at += 2 + length + 2;
        Ok(())
    }
}
