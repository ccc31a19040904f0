//! No path of the machine that the code was written on: outside tests, no string or comment names such a folder.

use super::Violation;
use crate::source::Tree;

/// First components of paths that exist on somebody's machine only.
const FOLDERS: &[&str] = &["home", "root", "Users", "work"];

pub(super) fn check(tree: &Tree<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in &tree.sources {
        let strings = source.scan.strings.iter().map(|literal| (literal.start, literal.text.as_str()));
        for (start, text) in strings.chain([(0, source.scan.comments.as_str())]) {
            for (offset, folder) in machine_paths(text) {
                if !source.is_test_at(start + offset) {
                    let text = format!("/{folder}/… exists on one machine; take the path as an argument");
                    found.push(Violation::new(&source.path, source.line(start + offset), text));
                }
            }
        }
    }
    found
}

/// Where `text` names such a folder at the start of a path.
fn machine_paths(text: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        for (offset, _) in text.match_indices(&format!("/{folder}/")) {
            let before = text[..offset].chars().next_back();
            if !before.is_some_and(|c| c.is_alphanumeric() || "._-~*}/".contains(c)) {
                found.push((offset, *folder));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::places;
    use super::*;

    #[test]
    fn a_path_of_one_machine_is_found_in_strings_and_comments() {
        let text = "//! See /home/me/notes.\n\nconst A: &str = \"/root/key.pem\";\nconst B: &str = \"at /Users/x\";\n";
        let file = "crates/a/src/b.rs";
        assert_eq!(
            places(check, &[(file, text)]),
            [format!("{file}:3"), format!("{file}:4"), format!("{file}:1")]
        );
    }

    #[test]
    fn other_paths_and_tests_are_left_alone() {
        let text = "const A: [&str; 2] = [\"/v1/home/1\", \"crates/root/x\"];\n#[cfg(test)]\nconst B: &str = \"/root/x\";\n";
        assert_eq!(places(check, &[("crates/a/src/b.rs", text)]), Vec::<String>::new());
    }
}
