//! Headers and body as JSON, as a log or a script wrote them.
//!
//! Unknown members are left alone. Invariant: a body that stands there as JSON and not as a text is taken byte by byte
//! as it stands there.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    input::{Saved, Unreadable},
    time,
};

#[derive(Deserialize)]
struct Document<'a> {
    headers: Headers,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    body_base64: Option<String>,
    #[serde(alias = "url")]
    path: Option<String>,
    merchant: Option<Text>,
    received_at: Option<Text>,
}

/// `{"name": "value"}`, `[["name", "value"]]`, or as HAR files have them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Headers {
    Named(BTreeMap<String, Values>),
    Pairs(Vec<(String, String)>),
    Har(Vec<NameValue>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct NameValue {
    name: String,
    value: String,
}

/// Numbers may stand without quotes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Number(i64),
    Text(String),
}

/// Tells a notification's body from a document around it.
#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "resource")]
    _resource: serde::de::IgnoredAny,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Saved, Unreadable> {
    let document: Document<'_> = serde_json::from_slice(bytes).map_err(|error| {
        let is_body = serde_json::from_slice::<Envelope>(bytes).is_ok();
        if is_body { Unreadable::BodyAlone } else { Unreadable::Json(error) }
    })?;
    let mut saved = Saved { headers: document.headers.flat(), path: document.path, ..Saved::default() };
    saved.merchant = document.merchant.map(|merchant| match merchant {
        Text::Number(number) => number.to_string(),
        Text::Text(text) => text,
    });
    saved.received_at = match document.received_at {
        None => None,
        Some(Text::Number(number)) => Some(time::of_number(number)),
        Some(Text::Text(text)) => Some(time::parse(&text).map_err(|_| Unreadable::JsonTime)?),
    };
    saved.body = match (document.body, document.body_base64) {
        (Some(body), None) => match serde_json::from_str::<String>(body.get()) {
            Ok(text) => text.into_bytes(),
            Err(_) => {
                let note = "the body stands there as JSON, not as a text: it was taken as it stands";
                saved.notes.push(note.to_owned());
                body.get().as_bytes().to_vec()
            }
        },
        (None, Some(base64)) => STANDARD.decode(base64).map_err(|_| Unreadable::JsonBase64)?,
        (Some(_), Some(_)) | (None, None) => return Err(Unreadable::JsonBody),
    };
    Ok(saved)
}

impl Headers {
    fn flat(self) -> Vec<(String, Vec<u8>)> {
        let pairs: Vec<(String, String)> = match self {
            Self::Pairs(pairs) => pairs,
            Self::Har(pairs) => pairs.into_iter().map(|NameValue { name, value }| (name, value)).collect(),
            Self::Named(named) => named.into_iter().flat_map(|(name, values)| values.under(&name)).collect(),
        };
        pairs.into_iter().map(|(name, value)| (name, value.into_bytes())).collect()
    }
}

impl Values {
    fn under(self, name: &str) -> Vec<(String, String)> {
        let values = match self {
            Self::One(value) => vec![value],
            Self::Many(values) => values,
        };
        values.into_iter().map(|value| (name.to_owned(), value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use wechatpay::UnixSeconds;

    use super::*;

    #[test]
    fn headers_in_every_form() {
        for headers in [
            r#"{"A": "1", "B": "2"}"#,
            r#"{"A": ["1"], "B": "2"}"#,
            r#"[["A", "1"], ["B", "2"]]"#,
            r#"[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]"#,
        ] {
            let text = format!(r#"{{"headers": {headers}, "body": "x", "more": 1}}"#);
            let saved = parse(text.as_bytes()).expect("it is a callback");
            let expected = [("A".to_owned(), b"1".to_vec()), ("B".to_owned(), b"2".to_vec())];
            assert_eq!((saved.headers, saved.body), (expected.to_vec(), b"x".to_vec()), "{headers}");
        }
    }

    #[test]
    fn bodies_in_every_form() {
        for (body, expected, notes) in [
            (r#""body": "{\"a\": 1}\n""#, &b"{\"a\": 1}\n"[..], 0),
            (r#""body": {"a":  1}"#, b"{\"a\":  1}", 1),
            (r#""body_base64": "AP8=""#, b"\x00\xFF", 0),
        ] {
            let saved =
                parse(format!(r#"{{"headers": {{}}, {body}}}"#).as_bytes()).expect("it is a callback");
            assert_eq!((saved.body.as_slice(), saved.notes.len()), (expected, notes), "{body}");
        }
    }

    #[test]
    fn what_else_is_known() {
        for (time, merchant) in [("1750000000", "1"), ("\"2025-06-15T23:06:40+08:00\"", "\"1\"")] {
            let rest = format!(r#""path": "/p", "merchant": {merchant}, "received_at": {time}"#);
            let saved = parse(format!(r#"{{"headers": {{}}, "body": "", {rest}}}"#).as_bytes());
            let saved = saved.expect("it is a callback");
            assert_eq!(saved.received_at, Some(UnixSeconds(1_750_000_000)));
            assert_eq!((saved.path.as_deref(), saved.merchant.as_deref()), (Some("/p"), Some("1")));
        }
    }
}
