//! Outside tests nothing panics for want of thought: no `unwrap()`, and an `expect` says `"BUG: …"`, that is, why it
//! cannot happen. Clippy finds the first too, but not in code that a macro writes or a feature hides.

use super::Violation;
use crate::source::{SourceFile, Tree};

pub(super) fn check(tree: &Tree<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in &tree.sources {
        for offset in outside_tests(source, ".unwrap()") {
            found.push(Violation::new(
                &source.path,
                source.line(offset),
                "handle the failure, or pass it on".to_owned(),
            ));
        }
        let expect = ".expect(";
        for offset in outside_tests(source, expect) {
            // An `expect` whose argument is no string is some other method.
            let reason = source.string_at(offset + expect.len());
            if reason.is_some_and(|reason| !reason.text.starts_with("BUG: ")) {
                let text =
                    "let the text be \"BUG: …\", the proof that it cannot happen; or pass the failure on";
                found.push(Violation::new(&source.path, source.line(offset), text.to_owned()));
            }
        }
    }
    found
}

fn outside_tests<'a>(source: &'a SourceFile, call: &'a str) -> impl Iterator<Item = usize> + 'a {
    let calls = source.scan.code.match_indices(call).map(|(offset, _)| offset);
    calls.filter(|offset| !source.is_test_at(*offset))
}

#[cfg(test)]
mod tests {
    use super::super::tests::places;
    use super::*;

    const FILE: &str = "crates/a/src/b.rs";

    #[test]
    fn panics_without_a_proof_are_found() {
        let text = "fn f() {\n    a.unwrap();\n    b\n        .expect(\n            \"works\");\n}\n";
        assert_eq!(places(check, &[(FILE, text)]), [format!("{FILE}:2"), format!("{FILE}:4")]);
    }

    #[test]
    fn proofs_tests_and_other_methods_are_left_alone() {
        let text = "/// a.unwrap();\nfn f() {\n    a.expect(\"BUG: a is not empty, see above\");\n    p.expect(b'{');\n}\n\
                    #[cfg(test)]\nmod tests {\n    fn g() { a.unwrap(); }\n}\n";
        assert_eq!(
            places(check, &[(FILE, text), ("crates/a/tests/it/main.rs", "fn f() { a.unwrap() }")]),
            Vec::<String>::new()
        );
    }
}
