//! The file format: a heading without marks, rows whose cells begin with a backtick, a summary's heading, its row.
//!
//! Invariant: what a merchant wrote cannot end a cell or a row. Amounts are in yuan.

/// Begins the file, as the live service's do.
const BYTE_ORDER_MARK: char = '\u{feff}';

const LINE_END: &str = "\r\n";

/// A file on its way.
pub(super) struct Csv(String);

impl Csv {
    pub(super) fn new(headings: &str) -> Self {
        Self(format!("{BYTE_ORDER_MARK}{headings}{LINE_END}"))
    }

    pub(super) fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) {
        for (place, cell) in cells.into_iter().enumerate() {
            self.0.push_str(if place == 0 { "`" } else { ",`" });
            self.0.push_str(cell);
        }
        self.0.push_str(LINE_END);
    }

    pub(super) fn finish<'a>(mut self, headings: &str, summary: impl IntoIterator<Item = &'a str>) -> String {
        self.0.push_str(headings);
        self.0.push_str(LINE_END);
        self.row(summary);
        self.0
    }
}

/// A text of the merchant's.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            ',' => escaped.push_str("\\ "),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Yuan with two decimals.
pub(super) fn yuan(fen: i64) -> String {
    let (sign, fen) = (if fen < 0 { "-" } else { "" }, fen.unsigned_abs());
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

/// A fee: yuan with five decimals.
pub(super) fn fee(fen: i64) -> String {
    format!("{}000", yuan(fen))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_texts_are_written_as_wechats() {
        assert_eq!(
            [yuan(5990), yuan(-7), yuan(0), fee(36), fee(-12)],
            ["59.90", "-0.07", "0.00", "0.36000", "-0.12000"]
        );
        assert_eq!(escaped("a,b\"c\\d\r\n"), "a\\ b\\\"c\\\\d\\r\\n");
    }
}
