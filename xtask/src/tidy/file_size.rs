//! A Rust file has at most 600 lines, a file of tests 800: what is longer holds more than one thought.

use super::Violation;
use crate::source::Tree;

const LINES_MAX: usize = 600;
const TEST_LINES_MAX: usize = 800;

pub(super) fn check(tree: &Tree<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in &tree.sources {
        let lines = source.text.lines().count();
        let max = if source.is_test() { TEST_LINES_MAX } else { LINES_MAX };
        if lines > max {
            found.push(Violation::new(
                &source.path,
                0,
                format!("{lines} lines, at most {max}; split it by thought"),
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::places;
    use super::*;

    #[test]
    fn the_limits_are_600_and_800_lines() {
        let (just, over) = ("\n".repeat(600), "\n".repeat(601));
        assert_eq!(places(check, &[("crates/a/src/b.rs", &just)]), Vec::<String>::new());
        assert_eq!(places(check, &[("crates/a/src/b.rs", &over)]), ["crates/a/src/b.rs:0"]);
        assert_eq!(places(check, &[("crates/a/src/b/tests.rs", &over)]), Vec::<String>::new());
        assert_eq!(
            places(check, &[("crates/a/src/tests.rs", &"\n".repeat(801))]),
            ["crates/a/src/tests.rs:0"]
        );
    }
}
