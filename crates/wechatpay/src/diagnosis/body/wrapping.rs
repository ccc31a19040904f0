//! Bodies around which something was put, or that were encoded as a whole.

use serde_json::Value;

const BOM: &[u8] = b"\xEF\xBB\xBF";

pub(super) fn without_newline(body: &[u8]) -> Option<Vec<u8>> {
    let shorter = body.strip_suffix(b"\r\n").or_else(|| body.strip_suffix(b"\n"))?;
    Some(shorter.to_vec())
}

pub(super) fn with_newline(body: &[u8]) -> Option<Vec<u8>> {
    Some([body, b"\n"].concat())
}

pub(super) fn with_crlf(body: &[u8]) -> Option<Vec<u8>> {
    Some([body, b"\r\n"].concat())
}

pub(super) fn trimmed(body: &[u8]) -> Option<Vec<u8>> {
    changed(body, body.trim_ascii().to_vec())
}

pub(super) fn crlf_to_lf(body: &[u8]) -> Option<Vec<u8>> {
    let mut converted = Vec::with_capacity(body.len());
    for (at, byte) in body.iter().enumerate() {
        if *byte != b'\r' || body.get(at + 1) != Some(&b'\n') {
            converted.push(*byte);
        }
    }
    changed(body, converted)
}

pub(super) fn lf_to_crlf(body: &[u8]) -> Option<Vec<u8>> {
    if body.contains(&b'\r') {
        return None;
    }
    let converted = body.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]);
    changed(body, converted)
}

pub(super) fn without_bom(body: &[u8]) -> Option<Vec<u8>> {
    Some(body.strip_prefix(BOM)?.to_vec())
}

pub(super) fn with_bom(body: &[u8]) -> Option<Vec<u8>> {
    (!body.starts_with(BOM)).then(|| [BOM, body].concat())
}

/// Blanks within JSON's strings: base64 has `+` and no blanks.
pub(super) fn blanks_to_plus(body: &[u8]) -> Option<Vec<u8>> {
    let (mut in_string, mut escaped) = (false, false);
    let converted = body.iter().map(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b' ' if in_string => return b'+',
            _ => {}
        }
        *byte
    });
    changed(body, converted.collect())
}

pub(super) fn without_equals(body: &[u8]) -> Option<Vec<u8>> {
    let shorter = body.strip_suffix(b"=")?;
    Some(shorter.to_vec())
}

/// Only a body that was encoded whole: its braces are.
pub(super) fn percent_decoded(body: &[u8]) -> Option<Vec<u8>> {
    let is_encoded = body.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(b"%7B"));
    is_encoded.then(|| percent_decode(body))?
}

/// `None` if nothing is encoded in it.
pub(in crate::diagnosis) fn percent_decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        let byte = match (first, behind) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        decoded.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &behind[2..] } else { behind };
    }
    changed(text, decoded)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// `"{\"id\":…}"`, as logs write it.
pub(super) fn json_unquoted(body: &[u8]) -> Option<Vec<u8>> {
    match serde_json::from_slice(body).ok()? {
        Value::String(text) => Some(text.into_bytes()),
        _ => None,
    }
}

/// `{\"id\":…}`, the same without its quotes.
pub(super) fn json_unescaped(body: &[u8]) -> Option<Vec<u8>> {
    body.starts_with(b"{\\\"").then(|| json_unquoted(&[b"\"", body, b"\""].concat()))?
}

pub(super) fn html_unescaped(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    let text = text.replace("&quot;", "\"").replace("&#34;", "\"").replace("&#39;", "'");
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    changed(body, text.into_bytes())
}

fn changed(before: &[u8], after: Vec<u8>) -> Option<Vec<u8>> {
    (after != before).then_some(after)
}
