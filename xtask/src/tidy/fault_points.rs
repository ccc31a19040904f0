//! Crash proofs walk through the lists in `crates/core/src/fault.rs` (`POINTS` of a callback, `COPY_POINTS` of a copy),
//! so these must be the truth: each `fault!("…")` is in one of them once, each entry has a place, and no crate has two places of one name. Two crates may share
//! a name: the stores die between the same two steps, and one process runs one store.

use std::collections::{BTreeMap, BTreeSet};

use super::Violation;
use crate::source::{SourceFile, Tree};

const LIST: &str = "crates/core/src/fault.rs";

pub(super) fn check(tree: &Tree<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut listed = BTreeMap::new();
    for (name, line) in tree.source(LIST).map(points).unwrap_or_default() {
        if listed.insert(name, line).is_some() {
            found.push(Violation::new(LIST, line, format!("\"{name}\" is listed twice")));
        }
    }
    let mut placed = BTreeSet::new();
    for source in &tree.sources {
        for (name, line) in faults(source) {
            if !listed.contains_key(name) {
                found.push(Violation::new(&source.path, line, format!("add \"{name}\" to a list in {LIST}")));
            }
            if !placed.insert((name, crate_of(&source.path))) {
                let text =
                    format!("\"{name}\" names another place of this crate; a crash reaches only one of them");
                found.push(Violation::new(&source.path, line, text));
            }
        }
    }
    for (name, line) in listed.iter().filter(|(name, _)| !placed.iter().any(|(other, _)| other == *name)) {
        found.push(Violation::new(
            LIST,
            *line,
            format!("no fault!(\"{name}\") stands anywhere; remove the entry"),
        ));
    }
    found
}

/// The entries of the lists and their lines.
fn points(file: &SourceFile) -> Vec<(&str, usize)> {
    let code = &file.scan.code;
    let lists = code.match_indices("POINTS: ").filter_map(|(name, _)| {
        let start = name + code[name..].find('=')?;
        Some(start..start + code[start..].find(';')?)
    });
    let lists: Vec<_> = lists.collect();
    let listed = |start: usize| lists.iter().any(|list| list.contains(&start));
    let entries = file.scan.strings.iter().filter(|literal| listed(literal.start));
    entries.map(|literal| (literal.text.as_str(), file.line(literal.start))).collect()
}

/// The folder of a file's crate.
fn crate_of(path: &str) -> &str {
    path.split_once("/src/").map_or(path, |(folder, _)| folder)
}

/// The fault points that stand in `source`, tests excepted: they arm points, or make up their own.
fn faults(source: &SourceFile) -> Vec<(&str, usize)> {
    let call = "fault!(";
    let calls = source.scan.code.match_indices(call).filter(|(offset, _)| !source.is_test_at(*offset));
    let named = calls.filter_map(|(offset, _)| source.string_at(offset + call.len()));
    named.map(|literal| (literal.text.as_str(), source.line(literal.start))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::places;
    use super::*;

    const POINTS: (&str, &str) =
        (LIST, "//! \npub const POINTS: &[&str] = &[\n    \"a: before\",\n    \"a: after\",\n];\n");
    const PLACES: (&str, &str) = (
        "crates/a/src/lib.rs",
        "fn a() {\n    fault!(\"a: before\");\n    fault!(\n        \"a: after\"\n    );\n}\n",
    );

    #[test]
    fn list_and_places_agree() {
        let tests = ("crates/a/tests/it/main.rs", "fn a() { fault!(\"made up\"); }");
        assert_eq!(places(check, &[POINTS, PLACES, tests]), Vec::<String>::new());
    }

    #[test]
    fn a_point_that_is_not_listed_is_found() {
        assert_eq!(places(check, &[PLACES]), ["crates/a/src/lib.rs:2", "crates/a/src/lib.rs:4"]);
    }

    #[test]
    fn an_entry_without_a_place_is_found() {
        assert_eq!(places(check, &[POINTS]), [format!("{LIST}:4"), format!("{LIST}:3")]);
    }

    #[test]
    fn a_name_used_or_listed_twice_is_found() {
        let twice = ("crates/a/src/b.rs", "fn b() { fault!(\"a: after\"); }");
        assert_eq!(places(check, &[POINTS, PLACES, twice]), ["crates/a/src/b.rs:1"]);
        let other_crate = ("crates/b/src/lib.rs", "fn b() { fault!(\"a: after\"); }");
        assert_eq!(places(check, &[POINTS, PLACES, other_crate]), Vec::<String>::new());
        let two_lists = (
            LIST,
            "pub const POINTS: &[&str] = &[\"a: before\", \"a: after\"];\nconst B_POINTS: &[&str] = &[\n\"b\"];\n",
        );
        assert_eq!(places(check, &[two_lists, PLACES]), [format!("{LIST}:3")]);
        let doubled = (LIST, "pub const POINTS: &[&str] = &[\"a: before\", \"a: after\",\n\"a: after\"];\n");
        assert_eq!(places(check, &[doubled, PLACES]), [format!("{LIST}:2")]);
    }
}
