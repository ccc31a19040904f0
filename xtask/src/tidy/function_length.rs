//! A function has at most 70 lines, from its `fn` to its closing brace: one screen.

use super::Violation;
use crate::source::{SourceFile, Tree, matching_brace};

const LINES_MAX: usize = 70;

pub(super) fn check(tree: &Tree<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in &tree.sources {
        for (name, start, end) in functions(source) {
            let line = source.line(start);
            let lines = source.line(end - 1) + 1 - line;
            if lines > LINES_MAX {
                found.push(Violation::new(
                    &source.path,
                    line,
                    format!("`{name}` has {lines} lines, at most {LINES_MAX}"),
                ));
            }
        }
    }
    found
}

/// The functions that have a body: name, offset of `fn`, offset after the closing brace.
fn functions(source: &SourceFile) -> Vec<(&str, usize, usize)> {
    let code = source.scan.code.as_str();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut functions = Vec::new();
    for (start, keyword) in code.match_indices("fn ") {
        let rest = &code[start + keyword.len()..];
        let name = &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())];
        // A declaration in a trait ends with a semicolon; one inside brackets belongs to an array type.
        let body = rest.char_indices().scan(0i32, |depth, (offset, c)| {
            *depth += i32::from(matches!(c, '(' | '[')) - i32::from(matches!(c, ')' | ']'));
            Some((*depth, offset, c))
        });
        let open = body.into_iter().find(|(depth, _, c)| *depth == 0 && matches!(c, '{' | ';'));
        let whole_word = !code[..start].ends_with(is_word);
        if let (true, false, Some((_, offset, '{'))) = (whole_word, name.is_empty(), open) {
            functions.push((name, start, matching_brace(code, start + keyword.len() + offset)));
        }
    }
    functions
}

#[cfg(test)]
mod tests {
    use super::super::tests::places;
    use super::*;

    fn function(inner_lines: usize) -> String {
        format!(
            "trait T {{ fn t(x: [u8; 2]); }}\nfn long(\n    x: [u8; 2],\n) {{\n{}}}\nfn short() {{}}\n",
            "    //\n".repeat(inner_lines)
        )
    }

    #[test]
    fn the_limit_is_70_lines() {
        assert_eq!(places(check, &[("crates/a/src/b.rs", &function(66))]), Vec::<String>::new());
        assert_eq!(places(check, &[("crates/a/src/b.rs", &function(67))]), ["crates/a/src/b.rs:2"]);
    }

    #[test]
    fn braces_in_strings_and_comments_do_not_count() {
        let text = format!("fn f() {{\n    // }}\n    g(\"}}\", '}}');\n{}}}\n", "    h();\n".repeat(70));
        assert_eq!(places(check, &[("crates/a/src/b.rs", &text)]), ["crates/a/src/b.rs:1"]);
    }
}
