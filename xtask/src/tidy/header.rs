//! Every Rust file opens with `//!`: what it is, its invariants, what is deliberately absent.

use super::Violation;
use crate::source::Tree;

pub(super) fn check(tree: &Tree<'_>) -> Vec<Violation> {
    let headless = tree.sources.iter().filter(|source| {
        let first = source.text.lines().next().unwrap_or_default();
        first.strip_prefix("//!").is_none_or(|words| words.trim().is_empty())
    });
    let text = "open it with `//!` and a sentence on what the file is";
    headless.map(|source| Violation::new(&source.path, 1, text.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::places;
    use super::*;

    #[test]
    fn a_file_without_a_sentence_at_its_head_is_found() {
        for text in ["", "//!\n", "\n//! Late.\n", "// Not a doc comment.\n", "use a::b;\n"] {
            assert_eq!(places(check, &[("crates/a/src/b.rs", text)]), ["crates/a/src/b.rs:1"], "{text:?}");
        }
        assert_eq!(places(check, &[("crates/a/src/b.rs", "//! Said.\n")]), Vec::<String>::new());
    }
}
