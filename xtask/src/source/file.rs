//! One Rust file: its texts, and which of its places are test code.
//!
//! Test code is a file below a `tests` folder, a `tests.rs`, the conformance suite, the bodies of fuzz targets, or what
//! follows `#[cfg(test)]`.

use std::ops::Range;

use super::scan::{Literal, Scan, matching_brace, scan};

/// The path is relative to the workspace and has forward slashes.
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) scan: Scan,
    tests: Vec<Range<usize>>,
}

/// Crates that are nothing but tests, though cargo does not know.
const SUITES: [&str; 2] = ["crates/store-conformance/", "crates/fuzz-targets/"];

impl SourceFile {
    pub(crate) fn new(path: String, text: String) -> Self {
        let scan = scan(&text);
        let tests = test_items(&scan.code);
        Self { path, text, scan, tests }
    }

    /// Whether the whole file is test code.
    pub(crate) fn is_test(&self) -> bool {
        let in_folder = self.path.split('/').any(|part| part == "tests" || part == "tests.rs");
        let in_suite = SUITES.iter().any(|suite| self.path.starts_with(suite));
        in_folder || in_suite || self.scan.code.contains("#![cfg(test)]")
    }

    /// Whether the code at `offset` is test code.
    pub(crate) fn is_test_at(&self, offset: usize) -> bool {
        self.is_test() || self.tests.iter().any(|item| item.contains(&offset))
    }

    /// The line of an offset, counted from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        1 + self.text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count()
    }

    /// The string literal that stands at `offset`, blanks before it skipped.
    pub(crate) fn string_at(&self, offset: usize) -> Option<&Literal> {
        let rest = &self.text[offset..];
        let start = offset + rest.len() - rest.trim_start().len();
        self.scan.strings.iter().find(|literal| literal.start == start)
    }
}

/// The items behind `#[cfg(test)]`, each from its attribute to its end.
fn test_items(code: &str) -> Vec<Range<usize>> {
    let attribute = "#[cfg(test)]";
    let starts = code.match_indices(attribute).map(|(start, _)| start);
    starts.map(|start| start..item_end(code, start + attribute.len())).collect()
}

/// An item ends with its first semicolon, or with the brace that closes its first block.
fn item_end(code: &str, from: usize) -> usize {
    let mut depth = 0i32;
    for (offset, byte) in code.bytes().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b';' if depth == 0 => return offset + 1,
            b'{' if depth == 0 => return matching_brace(code, offset),
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile::new(path.to_owned(), text.to_owned())
    }

    #[test]
    fn test_files_are_known_by_their_path() {
        for path in [
            "crates/a/tests/it/main.rs",
            "crates/a/src/b/tests.rs",
            "crates/store-conformance/src/lib.rs",
            "crates/fuzz-targets/src/xml.rs",
        ] {
            assert!(file(path, "").is_test(), "{path}");
        }
        for path in ["crates/a/src/lib.rs", "xtask/src/test.rs"] {
            assert!(!file(path, "").is_test(), "{path}");
        }
        assert!(file("crates/a/src/b.rs", "//! b\n#![cfg(test)]\n").is_test());
    }

    #[test]
    fn test_items_end_where_their_block_ends() {
        let text =
            "fn a() {}\n#[cfg(test)]\n#[expect(x, reason = \"{\")]\nmod tests { fn b() { } }\nfn c() {}\n";
        let file = file("crates/a/src/lib.rs", text);
        let at = |name: &str| file.is_test_at(text.find(name).unwrap());
        assert!(!at("a()") && at("b()") && !at("c()"));
        assert_eq!(file.line(text.find("b()").unwrap()), 4);
    }

    #[test]
    fn a_test_module_in_a_file_of_its_own_ends_with_its_semicolon() {
        let text = "#[cfg(test)]\nmod tests;\nfn a() {}\n";
        assert!(!file("crates/a/src/lib.rs", text).is_test_at(text.find("a()").unwrap()));
    }
}
