//! Each trap that others fell into has its test, `trap_…`, and `docs/verification.md` names it: no test without its line,
//! no line without its test.
//!
//! A list that nothing holds to the code goes stale with the first test that is renamed.

use std::collections::BTreeMap;

use super::Violation;
use crate::source::{Tree, VERIFICATION};

pub(super) fn check(tree: &Tree<'_>) -> Vec<Violation> {
    let mut tests = BTreeMap::new();
    for source in &tree.sources {
        for (offset, _) in source.scan.code.match_indices("fn trap_") {
            let name = name_at(&source.scan.code[offset + "fn ".len()..]);
            tests.insert(name, (source.path.as_str(), source.line(offset)));
        }
    }
    let mut named = BTreeMap::new();
    for (line, text) in (1..).zip(tree.verification.lines()) {
        for (offset, _) in text.match_indices("`trap_") {
            named.entry(name_at(&text[offset + 1..])).or_insert(line);
        }
    }
    let mut found = Vec::new();
    for (name, (path, line)) in tests.iter().filter(|(name, _)| !named.contains_key(*name)) {
        found.push(Violation::new(path, *line, format!("{VERIFICATION} does not name {name}; add its line")));
    }
    for (name, line) in named.iter().filter(|(name, _)| !tests.contains_key(*name)) {
        found.push(Violation::new(VERIFICATION, *line, format!("there is no test {name}")));
    }
    found
}

fn name_at(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::super::tests::places;
    use super::*;

    const TEST: (&str, &str) = ("crates/a/tests/it/main.rs", "//! Traps.\n\n#[test]\nfn trap_one_two() {}\n");

    #[test]
    fn a_trap_without_a_line_and_a_line_without_a_trap_are_found() {
        assert_eq!(places(check, &[TEST]), ["crates/a/tests/it/main.rs:4"]);
        let page = (VERIFICATION, "# Traps\n| one | `trap_one` |\n");
        assert_eq!(places(check, &[TEST, page]), ["crates/a/tests/it/main.rs:4", "docs/verification.md:2"]);
    }

    #[test]
    fn a_pair_is_tidy() {
        let page = (VERIFICATION, "| one | `trap_one_two`, and a trap_ in words |\n");
        assert_eq!(places(check, &[TEST, page]), Vec::<String>::new());
    }
}
