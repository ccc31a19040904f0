//! Bodies that were read in the wrong charset.
//!
//! What was read as Latin-1 or Windows-1252 can be undone exactly. Other charsets cannot without their tables, and what
//! became `?` cannot at all; but the only text beyond ASCII in an envelope is its `summary`, which WeChat Pay takes from
//! a short list.

/// What WeChat Pay writes as `summary`: payments, refunds, shares, transfers.
const SUMMARIES: [&str; 8] =
    ["支付成功", "退款成功", "退款异常", "退款关闭", "分账", "分账回退", "支付失败", "商家转账成功"];

/// The characters of Windows-1252 from 0x80 to 0x9F; those that it lacks stand for themselves.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

pub(super) fn from_latin1(body: &[u8]) -> Option<Vec<u8>> {
    undone(body, |character| u8::try_from(u32::from(character)).ok())
}

pub(super) fn from_windows_1252(body: &[u8]) -> Option<Vec<u8>> {
    undone(body, |character| {
        let at = WINDOWS_1252.iter().position(|known| *known == character);
        let byte = at.and_then(|at| u8::try_from(0x80 + at).ok());
        byte.or_else(|| u8::try_from(u32::from(character)).ok())
    })
}

/// One byte a character; only what then is UTF-8 can have been read so.
fn undone(body: &[u8], byte: impl Fn(char) -> Option<u8>) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    if text.is_ascii() {
        return None;
    }
    let bytes: Vec<u8> = text.chars().map(byte).collect::<Option<_>>()?;
    std::str::from_utf8(&bytes).is_ok().then_some(bytes)
}

/// The body with each of the known texts in the place of its summary, unless it has one of them, be it escaped.
pub(super) fn with_summaries(body: &[u8]) -> Vec<Vec<u8>> {
    let Some((before, summary, behind)) = summary(body) else { return Vec::new() };
    let text: Option<String> = serde_json::from_slice(&[b"\"", summary, b"\""].concat()).ok();
    if text.is_some_and(|text| SUMMARIES.contains(&text.as_str())) {
        return Vec::new();
    }
    SUMMARIES.iter().map(|known| [before, known.as_bytes(), behind].concat()).collect()
}

/// What stands before the summary's text, that text as it is written, and what stands behind it.
fn summary(body: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    const NAME: &[u8] = b"\"summary\"";
    let name = body.windows(NAME.len()).position(|window| window == NAME)?;
    let behind_name = &body[name + NAME.len()..];
    let quote = behind_name.iter().position(|byte| !matches!(byte, b':' | b' ' | b'\t' | b'\r' | b'\n'))?;
    if behind_name[quote] != b'"' {
        return None;
    }
    let start = name + NAME.len() + quote + 1;
    // Not every `\` in a text of another charset is one: the first quote ends it, as none of the texts has one.
    let end = start + body[start..].iter().position(|byte| *byte == b'"')?;
    Some((&body[..start], &body[start..end], &body[end..]))
}
