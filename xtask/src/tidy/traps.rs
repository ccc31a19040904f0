//! Each trap that others fell into has its test, `trap_…`, and `docs/verification.md` names it: no test without its line,
//! no line without its test. Each test that a table of faults names there (`| fault | tests |`) exists.
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
    let is_written = |name: &str| {
        let function = format!("fn {name}(");
        tree.sources.iter().any(|source| source.scan.code.contains(&function))
    };
    // What begins with `trap_` was looked for above.
    let faults = tests_of_faults(&tree.verification).filter(|(_, name)| !name.starts_with("trap_"));
    for (line, name) in faults.filter(|(_, name)| !is_written(name)) {
        found.push(Violation::new(VERIFICATION, line, format!("there is no test {name}")));
    }
    found
}

/// The names in the last column of each table of faults, with their lines.
fn tests_of_faults(page: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_inside = false;
    let rows = (1..).zip(page.lines()).filter(move |(_, text)| {
        is_inside = *text == "| fault | tests |" || is_inside && text.starts_with('|');
        is_inside
    });
    rows.flat_map(|(line, text)| {
        let cells = text.trim_end_matches('|');
        let tests = cells.rsplit_once('|').map_or("", |(_, tests)| tests);
        tests.split('`').skip(1).step_by(2).map(move |name| (line, name))
    })
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
    fn a_fault_whose_test_is_gone_is_found() {
        let page = "| fault | tests |\n|---|---|\n| `x` | `trap_one_two`, `hangs` |\n\n| a | `other` |\n";
        assert_eq!(places(check, &[TEST, (VERIFICATION, page)]), ["docs/verification.md:3"]);
        let hangs = ("crates/a/tests/it/hangs.rs", "//! Hangs.\n\n#[test]\nasync fn hangs() {}\n");
        assert_eq!(places(check, &[TEST, hangs, (VERIFICATION, page)]), Vec::<String>::new());
    }

    #[test]
    fn a_pair_is_tidy() {
        let page = (VERIFICATION, "| one | `trap_one_two`, and a trap_ in words |\n");
        assert_eq!(places(check, &[TEST, page]), Vec::<String>::new());
    }
}
