//! A scanner that tells Rust's code from its comments and strings, and nothing more: no syntax tree.
//!
//! Invariant: the masked texts have the length of the source, so that an offset means the same place in each.

/// A source text, taken apart. In `code` and `comments` everything else is blank, newlines excepted.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) code: String,
    pub(crate) comments: String,
    pub(crate) strings: Vec<Literal>,
}

/// A string literal: where it starts (its prefix or quote) and what stands between the quotes, escapes untouched.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    pub(crate) start: usize,
    pub(crate) text: String,
}

enum Kind {
    Code,
    Comment,
    /// The offsets of what stands between the quotes.
    Str(usize, usize),
    Char,
}

/// Takes `source` apart. Text that is not Rust yields something harmless, never a panic.
pub(crate) fn scan(source: &str) -> Scan {
    let bytes = source.as_bytes();
    let blank: Vec<u8> = bytes.iter().map(|byte| if *byte == b'\n' { b'\n' } else { b' ' }).collect();
    let (mut code, mut comments, mut strings) = (blank.clone(), blank, Vec::new());
    let mut at = 0;
    while at < bytes.len() {
        let (kind, end) = token(bytes, at);
        match kind {
            Kind::Code => code[at..end].copy_from_slice(&bytes[at..end]),
            Kind::Comment => comments[at..end].copy_from_slice(&bytes[at..end]),
            Kind::Str(from, to) => {
                let text = String::from_utf8_lossy(&bytes[from..to]).into_owned();
                strings.push(Literal { start: at, text });
            }
            Kind::Char => {}
        }
        at = end;
    }
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Scan { code: text(&code), comments: text(&comments), strings }
}

/// What starts at `at`, and where it ends.
fn token(bytes: &[u8], at: usize) -> (Kind, usize) {
    let rest = &bytes[at..];
    match rest {
        [b'/', b'/', ..] => {
            (Kind::Comment, at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()))
        }
        [b'/', b'*', ..] => (Kind::Comment, at + block_comment(rest)),
        [b'"', ..] => quoted(bytes, at + 1),
        [b'\'', ..] => (Kind::Char, at + char_literal(rest)),
        [first, ..] if is_word(*first) => word(bytes, at),
        _ => (Kind::Code, at + 1),
    }
}

/// An identifier or number, or a string or byte whose prefix looks like one.
fn word(bytes: &[u8], at: usize) -> (Kind, usize) {
    let end = at + bytes[at..].iter().take_while(|byte| is_word(**byte)).count();
    match (&bytes[at..end], bytes.get(end)) {
        (b"r" | b"br" | b"cr", Some(b'"' | b'#')) => raw(bytes, end).unwrap_or((Kind::Code, end)),
        (b"b" | b"c", Some(b'"')) => quoted(bytes, end + 1),
        (b"b", Some(b'\'')) => (Kind::Char, end + char_literal(&bytes[end..])),
        _ => (Kind::Code, end),
    }
}

/// A string with escapes; `from` is the offset after its opening quote.
fn quoted(bytes: &[u8], from: usize) -> (Kind, usize) {
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return (Kind::Str(from, at), at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    (Kind::Str(from, bytes.len()), bytes.len())
}

/// A raw string; `at` is the offset after its `r`. `None` for a raw identifier, which has a hash but no quote.
fn raw(bytes: &[u8], at: usize) -> Option<(Kind, usize)> {
    let hashes = bytes[at..].iter().take_while(|byte| **byte == b'#').count();
    let from = at + hashes + 1;
    if bytes.get(from - 1) != Some(&b'"') {
        return None;
    }
    let close = [b"\"", "#".repeat(hashes).as_bytes()].concat();
    let to = bytes[from..].windows(close.len()).position(|window| window == close);
    Some(match to {
        Some(length) => (Kind::Str(from, from + length), from + length + close.len()),
        None => (Kind::Str(from, bytes.len()), bytes.len()),
    })
}

/// The length of a block comment, which may hold others.
fn block_comment(rest: &[u8]) -> usize {
    let (mut at, mut depth) = (2, 1);
    while at < rest.len() && depth > 0 {
        match &rest[at..] {
            [b'/', b'*', ..] => (at, depth) = (at + 2, depth + 1),
            [b'*', b'/', ..] => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
    }
    at
}

/// The length of a character literal; 1, the quote alone, for a lifetime.
fn char_literal(rest: &[u8]) -> usize {
    let escaped = rest.get(1) == Some(&b'\\');
    // `'\''` closes at its last quote, and no other literal reaches further than `'\u{10FFFF}'` does.
    let first = if escaped { 3 } else { 2 };
    let reach = if escaped { 12 } else { 5 };
    let close =
        rest.iter().take(reach).skip(first).position(|byte| *byte == b'\'').map(|found| found + first);
    let inner =
        |close: usize| std::str::from_utf8(&rest[1..close]).is_ok_and(|text| text.chars().count() == 1);
    match close {
        Some(close) if escaped || inner(close) => close + 1,
        _ => 1,
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The offset after the brace that closes the one at `open`, in masked code; the end if there is none.
pub(crate) fn matching_brace(code: &str, open: usize) -> usize {
    let mut depth = 0usize;
    for (offset, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth <= 1 => return offset + 1,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The code alone, blanks squeezed.
    fn code(source: &str) -> String {
        scan(source).code.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn strings(source: &str) -> Vec<String> {
        scan(source).strings.into_iter().map(|literal| literal.text).collect()
    }

    #[test]
    fn code_is_what_is_neither_comment_nor_literal() {
        for (source, expected) in [
            ("a // b { \"c\"\nd", "a d"),
            ("a /* b /* c */ d */ e", "a e"),
            (r#"f("}", b"\"}", c"{") g"#, "f( , , ) g"),
            (r###"f(r"\", r#"a"b}"#, br##"x"#y"##) g"###, "f( , , ) g"),
            (
                r"match x { '{' => 1, '\'' => 2, b'}' => 3, '\u{7d}' => 4, '界' => 5 }",
                "match x { => 1, => 2, => 3, => 4, => 5 }",
            ),
            ("fn f<'a>(x: &'a str, y: &'a str)", "fn f< a>(x: & a str, y: & a str)"),
            ("let r#type = bar;", "let r#type = bar;"),
            ("\"never closed", ""),
            ("/* never closed", ""),
            ("r#\"never closed\"", ""),
        ] {
            assert_eq!(code(source), expected, "{source}");
        }
    }

    #[test]
    fn offsets_are_kept() {
        let source = "/// é\nfn f() { g(\"é{\", 'é'); } // ü";
        let scan = scan(source);
        assert_eq!((scan.code.len(), scan.comments.len()), (source.len(), source.len()));
        assert_eq!(scan.code.find("g("), source.find("g("));
        assert_eq!(scan.comments.find("// ü"), source.find("// ü"));
        assert_eq!(scan.strings[0].start, source.find('"').unwrap());
    }

    #[test]
    fn strings_are_read_between_their_quotes() {
        assert_eq!(strings(r##"f("a\"b", r#"c"d"#); // "e""##), [r#"a\"b"#, "c\"d"]);
    }

    #[test]
    fn braces_are_matched() {
        assert_eq!(matching_brace("a { b { } c } d", 2), 13);
        assert_eq!(matching_brace("a { b", 2), 5);
    }
}
