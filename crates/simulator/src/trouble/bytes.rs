//! What somebody on the way does to a request: proxies that mean well, frameworks that parse and write anew.

use std::fmt::Write as _;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wechatpay::v2::parse_xml;

use super::Fate;
use crate::deliver::Posted;

/// One thing that is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Change {
    Reserialised,
    KeysSorted,
    Charset,
    Truncated,
    HeaderMissing(String),
    HeaderDoubled(String),
    HeaderSpaced(String),
}

impl Fate {
    /// The request as it arrives.
    pub(crate) fn changed(&self, mut posted: Posted) -> Posted {
        posted.carriage = self.carriage;
        for change in &self.changes {
            match change {
                Change::Reserialised => posted.body = reserialised(&posted.body),
                Change::KeysSorted => posted.body = keys_sorted(&posted.body),
                Change::Charset => posted.body = recoded(&posted.body),
                Change::Truncated => posted.body.truncate(posted.body.len() * 3 / 4),
                Change::HeaderMissing(name) => {
                    posted.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
                }
                Change::HeaderDoubled(name) => {
                    let found = posted.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
                    posted.headers.extend(found.cloned());
                }
                Change::HeaderSpaced(name) => {
                    for (_, value) in
                        posted.headers.iter_mut().filter(|(known, _)| known.eq_ignore_ascii_case(name))
                    {
                        *value = format!("  {value}  ");
                    }
                }
            }
        }
        posted
    }
}

/// Parsed and written anew by another library. What is neither JSON nor APIv2's XML stays as it is.
fn reserialised(body: &Bytes) -> Bytes {
    match (serde_json::from_slice::<Value>(body), parse_xml(body)) {
        (Ok(_), _) => json_with_blanks(&String::from_utf8_lossy(body)).into(),
        (Err(_), Ok(fields)) => escaped_xml(fields.iter()).into(),
        (Err(_), Err(_)) => body.clone(),
    }
}

/// As Python's `json.dumps` writes it: blanks behind colons and commas, and everything beyond ASCII escaped.
fn json_with_blanks(text: &str) -> String {
    let (mut written, mut in_text, mut escaped) = (String::new(), false, false);
    for char in text.chars() {
        let mut units = [0; 2];
        match char {
            '"' if !escaped => {
                in_text = !in_text;
                written.push(char);
            }
            ':' | ',' if !in_text => {
                written.push(char);
                written.push(' ');
            }
            _ if char.is_ascii() => written.push(char),
            _ => {
                for unit in char.encode_utf16(&mut units) {
                    // Writing to a String does not fail.
                    let _ = write!(written, "\\u{unit:04x}");
                }
            }
        }
        escaped = char == '\\' && !escaped;
    }
    written
}

/// An element a line, and escapes instead of CDATA: it says the same, and its sign is good.
fn escaped_xml<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut written = "<xml>\n".to_owned();
    for (name, value) in fields {
        let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        written.extend(["  <", name, ">", &value, "</", name, ">\n"]);
    }
    written + "</xml>\n"
}

/// By a library whose objects have no order of their own.
fn keys_sorted(body: &Bytes) -> Bytes {
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        return value.to_string().into();
    }
    let Ok(fields) = parse_xml(body) else { return body.clone() };
    let mut sorted: Vec<_> = fields.iter().collect();
    sorted.sort_unstable();
    escaped_xml(sorted.into_iter()).into()
}

/// Bytes beyond ASCII are taken for characters of Latin-1, and written as UTF-8.
fn recoded(body: &Bytes) -> Bytes {
    body.iter().map(|byte| char::from(*byte)).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_change_as_they_do_on_the_way() {
        let body = Bytes::from(r#"{"b":"支, \":付","a":[1,2]}"#);
        assert_eq!(reserialised(&body), r#"{"b": "\u652f, \":\u4ed8", "a": [1, 2]}"#);
        assert_eq!(keys_sorted(&body), r#"{"a":[1,2],"b":"支, \":付"}"#);
        assert_eq!(recoded(&Bytes::from("é")), "Ã©");
        let xml = Bytes::from("<xml><b><![CDATA[a:b,c<&>]]></b><a>支</a></xml>");
        assert_eq!(reserialised(&xml), "<xml>\n  <b>a:b,c&lt;&amp;&gt;</b>\n  <a>支</a>\n</xml>\n");
        assert_eq!(keys_sorted(&xml), "<xml>\n  <a>支</a>\n  <b>a:b,c&lt;&amp;&gt;</b>\n</xml>\n");
        assert_eq!(parse_xml(&reserialised(&xml)).unwrap(), parse_xml(&xml).unwrap(), "it says the same");
        assert_eq!(reserialised(&Bytes::from("a:b")), "a:b");
        let same: [Value; 2] =
            [&body, &reserialised(&body)].map(|body| serde_json::from_slice(body).unwrap());
        assert_eq!(same[0], same[1], "it says the same");
    }
}
