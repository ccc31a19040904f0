//! What somebody on the way does to a request: proxies that mean well, frameworks that parse and write anew.

use std::fmt::Write as _;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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

/// As Python's `json.dumps` writes it: blanks behind colons and commas, and everything beyond ASCII escaped. A body that
/// is no JSON stays as it is.
fn reserialised(body: &Bytes) -> Bytes {
    let Ok(text) = std::str::from_utf8(body) else { return body.clone() };
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
    written.into()
}

/// By a library whose objects have no order of their own.
fn keys_sorted(body: &Bytes) -> Bytes {
    serde_json::from_slice::<Value>(body).map_or_else(|_| body.clone(), |value| value.to_string().into())
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
        let same: [Value; 2] =
            [&body, &reserialised(&body)].map(|body| serde_json::from_slice(body).unwrap());
        assert_eq!(same[0], same[1], "it says the same");
    }
}
