//! A raw HTTP/1.1 request as it was captured.
//!
//! Deliberately lenient: heads may end in LF, the request line may be missing. Deliberately absent: HTTP/2 frames and
//! compressed bodies.

use super::{
    chunked,
    input::{Saved, Unreadable},
};

pub(super) fn parse(bytes: &[u8]) -> Result<Saved, Unreadable> {
    let mut saved = Saved::default();
    let mut rest = bytes;
    let mut number = 0;
    loop {
        let Some((line, behind)) = next_line(rest) else { return Err(unfinished(number)) };
        (rest, number) = (behind, number + 1);
        if line.is_empty() && number > 1 {
            break;
        }
        if number == 1 && is_start_line(line, &mut saved)? {
            continue;
        }
        add_header(line, &mut saved, number)?;
    }
    take_body(rest, &mut saved);
    Ok(saved)
}

/// A line without its end, and what comes behind it.
fn next_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = &bytes[..end];
    Some((line.strip_suffix(b"\r").unwrap_or(line), &bytes[end + 1..]))
}

fn unfinished(lines: usize) -> Unreadable {
    if lines == 0 { Unreadable::NotACallback } else { Unreadable::NoBody }
}

/// Whether the first line is a request's. If it is a header, there is no request line.
fn is_start_line(line: &[u8], saved: &mut Saved) -> Result<bool, Unreadable> {
    let text = std::str::from_utf8(line).map_err(|_| Unreadable::NotACallback)?;
    if text.starts_with("HTTP/") {
        return Err(Unreadable::AnAnswer);
    }
    let words: Vec<_> = text.split(' ').collect();
    let is_method = !words[0].is_empty() && words[0].bytes().all(|byte| byte.is_ascii_uppercase());
    match words[..] {
        [method, target] | [method, target, _] if is_method && target.contains('/') => {
            saved.path = Some(target.to_owned());
            if method != "POST" {
                saved
                    .notes
                    .push(format!("it is a {method}; WeChat Pay sends POST, anything else is answered 405"));
            }
            Ok(true)
        }
        _ if text.contains(':') => Ok(false),
        _ => Err(Unreadable::NotACallback),
    }
}

fn add_header(line: &[u8], saved: &mut Saved, number: usize) -> Result<(), Unreadable> {
    if line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'))
        && let Some((_, value)) = saved.headers.last_mut()
    {
        // A folded line (RFC 9112 §5.2): its end and the blanks are one blank.
        value.push(b' ');
        value.extend_from_slice(line.trim_ascii());
        return Ok(());
    }
    let not_a_header = || Unreadable::NotAHeader { line: number };
    let colon = line.iter().position(|byte| *byte == b':').ok_or_else(not_a_header)?;
    let name = std::str::from_utf8(&line[..colon]).map_err(|_| not_a_header())?.trim_end();
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(not_a_header());
    }
    // HTTP takes the blanks around a value away (RFC 9112 §5).
    saved.headers.push((name.to_owned(), line[colon + 1..].trim_ascii().to_vec()));
    Ok(())
}

fn take_body(rest: &[u8], saved: &mut Saved) {
    let header = |name: &str| saved.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    let value = |name| header(name).and_then(|(_, value)| std::str::from_utf8(value).ok());
    if value("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked")) {
        match chunked::decode(rest) {
            Some(body) => {
                saved.body = body;
                saved.notes.push("the body came in chunks, which were put together".to_owned());
            }
            None => {
                saved.body = rest.to_vec();
                let note =
                    "Transfer-Encoding says chunked, but the body is not in chunks: it was taken as it is";
                saved.notes.push(note.to_owned());
            }
        }
        return;
    }
    let announced = value("content-length").and_then(|value| value.parse::<usize>().ok());
    match announced {
        Some(announced) if announced < rest.len() => {
            let behind = rest.len() - announced;
            saved.notes.push(format!(
                "the file goes {behind} bytes beyond the {announced} that Content-Length says; an editor may have \
                 added them"
            ));
            saved.body = rest[..announced].to_vec();
            saved.whole = Some(rest.to_vec());
        }
        _ => saved.body = rest.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Saved {
        parse(text.as_bytes()).expect("it is a request")
    }

    #[test]
    fn heads_end_in_either_way_and_the_body_stays_as_it_is() {
        for end in ["\r\n", "\n"] {
            let text = format!("POST /notify/v3/1 HTTP/1.1{end}A:  b {end}c-D: e: f{end}{end}{{}}\r\n\n");
            let saved = parsed(&text);
            assert_eq!(saved.path.as_deref(), Some("/notify/v3/1"));
            let headers = [("A".to_owned(), b"b".to_vec()), ("c-D".to_owned(), b"e: f".to_vec())];
            assert_eq!((saved.headers, saved.body), (headers.to_vec(), b"{}\r\n\n".to_vec()));
            assert_eq!((saved.whole, saved.notes), (None, vec![]));
        }
    }

    #[test]
    fn without_request_line_and_folded() {
        let saved = parsed("A: b\n  c\n\td\n\nbody");
        assert_eq!((saved.path, saved.headers), (None, vec![("A".to_owned(), b"b c d".to_vec())]));
        assert_eq!(saved.body, b"body");
    }

    #[test]
    fn the_body_goes_as_far_as_its_length_says() {
        let saved = parsed("POST / HTTP/1.1\ncontent-length: 2\n\n{}\n");
        assert_eq!((saved.body, saved.whole), (b"{}".to_vec(), Some(b"{}\n".to_vec())));
        assert_eq!(saved.notes.len(), 1);
        for length in ["3", "9", "x", "-1"] {
            let saved = parsed(&format!("POST / HTTP/1.1\ncontent-length: {length}\n\n{{}}\n"));
            assert_eq!((saved.body, saved.whole), (b"{}\n".to_vec(), None), "{length}");
        }
    }

    #[test]
    fn chunks_are_put_together_where_they_are_chunks() {
        let head = "POST / HTTP/1.1\nTransfer-Encoding: Chunked\n\n";
        assert_eq!(parsed(&format!("{head}1\r\n{{\r\n1\r\n}}\r\n0\r\n\r\n")).body, b"{}");
        let saved = parsed(&format!("{head}{{}}"));
        assert_eq!((saved.body, saved.notes.len()), (b"{}".to_vec(), 1));
    }

    #[test]
    fn another_method_is_noted() {
        let saved = parsed("GET /notify/v3/1 HTTP/1.1\nA: b\n\n");
        assert_eq!((saved.notes.len(), saved.body.len()), (1, 0));
    }
}
