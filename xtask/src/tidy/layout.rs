//! The shape of `src/`: at most 14 entries in a folder, at most 3 levels, and no name that could hold anything.

use std::collections::{BTreeMap, BTreeSet};

use super::Violation;
use crate::source::Tree;

const ENTRIES_MAX: usize = 14;
const DEPTH_MAX: usize = 3;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] =
    &["common", "helper", "helpers", "manager", "misc", "type", "types", "util", "utils"];

pub(super) fn check(tree: &Tree<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut folders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut empty_names = BTreeSet::new();
    for path in &tree.paths {
        if let Some((_, inside)) = path.split_once("/src/") {
            let src = path.len() - inside.len();
            let levels = inside.split('/').count();
            if levels > DEPTH_MAX {
                found.push(Violation::new(
                    path,
                    0,
                    format!("{levels} levels under src/, at most {DEPTH_MAX}"),
                ));
            }
            for (slash, _) in path.match_indices('/').filter(|(slash, _)| slash + 1 >= src) {
                let entry = path[slash + 1..].split('/').next().unwrap_or_default();
                folders.entry(&path[..slash]).or_default().insert(entry);
            }
        }
        empty_names.extend(empty_name(path));
    }
    for (folder, entries) in folders.into_iter().filter(|(_, entries)| entries.len() > ENTRIES_MAX) {
        let text = format!("{} entries, at most {ENTRIES_MAX}; group what belongs together", entries.len());
        found.push(Violation::new(folder, 0, text));
    }
    for place in empty_names {
        found.push(Violation::new(place, 0, "name it after what it does".to_owned()));
    }
    found
}

/// The first file or folder on the way to `path` whose name is empty of meaning.
fn empty_name(path: &str) -> Option<&str> {
    let mut end = 0;
    for part in path.split('/') {
        end += part.len();
        if EMPTY_NAMES.contains(&part.strip_suffix(".rs").unwrap_or(part)) {
            return Some(&path[..end]);
        }
        end += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::tests::places;
    use super::*;

    fn found(paths: &[&str]) -> Vec<String> {
        places(check, &paths.iter().map(|path| (*path, "")).collect::<Vec<_>>())
    }

    #[test]
    fn a_folder_of_15_entries_is_found() {
        let names: Vec<String> = (0..14).map(|n| format!("crates/a/src/b/{n}.rs")).collect();
        let mut paths: Vec<&str> = names.iter().map(String::as_str).collect();
        paths.extend(["crates/a/src/lib.rs", "crates/a/tests/it/main.rs"]);
        assert_eq!(found(&paths), Vec::<String>::new());
        paths.push("crates/a/src/b/c/d.rs");
        assert_eq!(found(&paths), ["crates/a/src/b:0"]);
    }

    #[test]
    fn a_fourth_level_is_found() {
        assert_eq!(found(&["crates/a/src/b/c/d.rs"]), Vec::<String>::new());
        assert_eq!(found(&["crates/a/src/b/c/d/e.rs"]), ["crates/a/src/b/c/d/e.rs:0"]);
    }

    #[test]
    fn names_without_meaning_are_found_once() {
        assert_eq!(found(&["crates/a/src/util/b.rs", "crates/a/src/util/c.rs"]), ["crates/a/src/util:0"]);
        assert_eq!(found(&["crates/a/tests/it/helpers.rs"]), ["crates/a/tests/it/helpers.rs:0"]);
        assert_eq!(found(&["crates/a/src/utility.rs"]), Vec::<String>::new());
    }
}
