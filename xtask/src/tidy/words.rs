//! Words that must not stand in the source: marks of unfinished work, tests that are switched off or wait on time,
//! and floats near money.

use super::Violation;
use crate::source::{SourceFile, Tree};

struct Ban {
    word: &'static str,
    text: Text,
    scope: Scope,
    instead: &'static str,
}

#[derive(Clone, Copy)]
enum Text {
    Code,
    Comments,
}

#[derive(Clone, Copy)]
enum Scope {
    Everywhere,
    Tests,
    /// The crates through which amounts pass.
    Money,
}

const BANS: &[Ban] = &[
    Ban::mark("TODO"),
    Ban::mark("FIXME"),
    Ban::mark("XXX"),
    Ban::everywhere("todo!", "finish it"),
    Ban::everywhere("unimplemented!", "finish it"),
    Ban::everywhere("dbg!", "remove it, or log through tracing"),
    Ban::everywhere("#[ignore", "mend the test or delete it"),
    Ban { word: "sleep(", text: Text::Code, scope: Scope::Tests, instead: "wait on a signal, not on time" },
    Ban { word: "f32", text: Text::Code, scope: Scope::Money, instead: "money is fen, an i64" },
    Ban { word: "f64", text: Text::Code, scope: Scope::Money, instead: "money is fen, an i64" },
];

impl Ban {
    const fn mark(word: &'static str) -> Self {
        Self { word, text: Text::Comments, scope: Scope::Everywhere, instead: "do it, or open an issue" }
    }

    const fn everywhere(word: &'static str, instead: &'static str) -> Self {
        Self { word, text: Text::Code, scope: Scope::Everywhere, instead }
    }
}

impl Scope {
    fn covers(self, source: &SourceFile, offset: usize) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Tests => source.is_test_at(offset),
            Self::Money => {
                ["crates/core/", "crates/store-"].iter().any(|crates| source.path.starts_with(crates))
            }
        }
    }
}

pub(super) fn check(tree: &Tree<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in &tree.sources {
        for Ban { word, text, scope, instead } in BANS {
            let text = match text {
                Text::Code => &source.scan.code,
                Text::Comments => &source.scan.comments,
            };
            for (offset, _) in text.match_indices(word) {
                if stands_alone(text, offset, word) && scope.covers(source, offset) {
                    let line = source.line(offset);
                    found.push(Violation::new(&source.path, line, format!("`{word}`: {instead}")));
                }
            }
        }
    }
    found
}

/// Whether the word at `offset` is not a part of a longer one.
fn stands_alone(text: &str, offset: usize, word: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let before = word.starts_with(is_word) && text[..offset].ends_with(is_word);
    let after = word.ends_with(is_word) && text[offset + word.len()..].starts_with(is_word);
    !before && !after
}

#[cfg(test)]
mod tests {
    use super::super::tests::places;
    use super::*;

    /// Where each word is refused: in ordinary code, in a test, in a money crate.
    #[test]
    fn each_word_is_found_in_its_scope() {
        for (text, code, test, money) in [
            ("// TODO later", true, true, true),
            ("/* FIXME */", true, true, true),
            ("//! XXX", true, true, true),
            ("fn f() { todo!() }", true, true, true),
            ("fn f() { unimplemented!() }", true, true, true),
            ("fn f() { dbg!(1); }", true, true, true),
            ("#[ignore = \"slow\"] fn f() {}", true, true, true),
            ("fn f() { std::thread::sleep(x); }", false, true, false),
            ("fn f(x: f32) {}", false, false, true),
            ("fn f() { 1 as f64; }", false, false, true),
            ("// todo!(), dbg!(), f64, sleep(1)", false, false, false),
            ("fn f() { g(\"TODO f64 dbg!\"); }", false, false, false),
            ("// wxXXX, TODOS", false, false, false),
            ("fn f() { not_asleep(1); }", false, false, false),
        ] {
            let found = |path| !places(check, &[(path, text)]).is_empty();
            let verdicts = (
                found("crates/server/src/a.rs"),
                found("crates/server/tests/it/main.rs"),
                found("crates/core/src/a.rs"),
            );
            assert_eq!(verdicts, (code, test, money), "{text}");
        }
    }
}
