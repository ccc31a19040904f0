//! A body in chunks (RFC 9112 §7.1), put together. Deliberately absent: trailers, which are not looked at.

/// `None` where it is not in chunks, or not whole. Lines may end in LF alone, as an editor leaves them.
pub(super) fn decode(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let size = std::str::from_utf8(&rest[..end]).ok()?.split(';').next()?.trim();
        if size.is_empty() || !size.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let size = usize::from_str_radix(size, 16).ok()?;
        rest = &rest[end + 1..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = &rest[size..];
        rest = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n"))?;
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn table_of_chunks() {
        for (text, body) in [
            ("0\r\n\r\n", Some("")),
            ("3\r\nabc\r\n0\r\n\r\n", Some("abc")),
            ("A;x=y\r\n0123456789\r\n1\r\n\n\r\n0\r\nTrailer: x\r\n\r\n", Some("0123456789\n")),
            ("3\nabc\n0\n\n", Some("abc")),
            ("", None),
            ("3\r\nab", None),
            ("3\r\nabc\r\n", None),
            ("3\r\nabcd\r\n0\r\n\r\n", None),
            ("-1\r\n\r\n", None),
            ("+0\r\n\r\n", None),
            ("ffffffffffffffffff\r\n\r\n", None),
            ("{}", None),
        ] {
            assert_eq!(decode(text.as_bytes()).as_deref(), body.map(str::as_bytes), "{text:?}");
        }
    }
}
