//! Each public error code `PAYnnnn` has a page `docs/errors/PAYnnnn.md`, and each page a code.
//!
//! A code counts where the product says it, in code or strings; comments and tests only speak about it.

use std::collections::BTreeMap;

use super::Violation;
use crate::source::{SourceFile, Tree};

const PAGES: &str = "docs/errors/";

pub(super) fn check(tree: &Tree<'_>) -> Vec<Violation> {
    let mut codes = BTreeMap::new();
    for source in tree.sources.iter().filter(|source| in_product(source)) {
        for (offset, code) in codes_in(source) {
            codes.entry(code).or_insert((&source.path, source.line(offset)));
        }
    }
    let pages: Vec<&str> = tree.paths.iter().filter_map(|path| page(path)).collect();
    let mut found = Vec::new();
    for (code, (path, line)) in &codes {
        if !pages.contains(&code.as_str()) {
            found.push(Violation::new(path, *line, format!("{code} has no page; write {PAGES}{code}.md")));
        }
    }
    for page in pages.into_iter().filter(|page| !codes.contains_key(*page)) {
        found.push(Violation::new(&format!("{PAGES}{page}.md"), 0, format!("nothing answers with {page}")));
    }
    found
}

fn in_product(source: &SourceFile) -> bool {
    source.path.starts_with("crates/") && source.path.contains("/src/")
}

fn codes_in(source: &SourceFile) -> Vec<(usize, String)> {
    let in_strings = source.scan.strings.iter().map(|literal| (literal.start, literal.text.as_str()));
    let places = in_strings.chain([(0, source.scan.code.as_str())]);
    let mut codes = Vec::new();
    for (start, text) in places {
        for (offset, _) in text.match_indices("PAY") {
            let code = text.get(offset..offset + 7).unwrap_or_default();
            let edge = |byte: Option<&u8>| !byte.is_some_and(u8::is_ascii_alphanumeric);
            let before = offset.checked_sub(1).and_then(|before| text.as_bytes().get(before));
            let whole = edge(before) && edge(text.as_bytes().get(offset + 7));
            if whole && is_code(code) && !source.is_test_at(start + offset) {
                codes.push((start + offset, code.to_owned()));
            }
        }
    }
    codes
}

fn page(path: &str) -> Option<&str> {
    path.strip_prefix(PAGES)?.strip_suffix(".md").filter(|name| is_code(name))
}

fn is_code(text: &str) -> bool {
    text.len() == 7
        && text.strip_prefix("PAY").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::places;
    use super::*;

    const CODE: (&str, &str) =
        ("crates/a/src/error.rs", "//! PAY9999 is not real.\nconst CODE: &str = \"PAY0001\";\n");

    #[test]
    fn a_code_without_a_page_and_a_page_without_a_code_are_found() {
        assert_eq!(places(check, &[CODE]), ["crates/a/src/error.rs:2"]);
        assert_eq!(places(check, &[("docs/errors/PAY0002.md", "")]), ["docs/errors/PAY0002.md:0"]);
    }

    #[test]
    fn a_pair_is_tidy_and_tests_do_not_count() {
        let page = ("docs/errors/PAY0001.md", "");
        let tests = ("crates/a/tests/it/main.rs", "const CODE: &str = \"PAY0003\";\n");
        let other = ("crates/a/src/b.rs", "const X: [&str; 2] = [\"PREPAY0004\", \"PAY00051\"];\n");
        assert_eq!(
            places(check, &[CODE, page, tests, other, ("docs/errors/README.md", "")]),
            Vec::<String>::new()
        );
    }
}
