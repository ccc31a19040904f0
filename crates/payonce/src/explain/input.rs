//! A callback as somebody saved it: which of the forms it has, and how far it goes.
//!
//! Invariant: the body is taken byte by byte as it was saved; what had to be undone to get at it is said in a note.

use std::{io::Read as _, path::Path};

use wechatpay::UnixSeconds;

use super::{http, json};

/// A callback as JSON with escapes takes six times as much as its body at the most.
const INPUT_BYTES_MAX: u64 = 8 << 20;

/// The path of callbacks, before the merchant.
const NOTIFY_PATHS: [&str; 2] = ["/notify/v3/", "/notify/v2/"];

/// A callback that was saved.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Saved {
    /// Where it was found, for people.
    pub(super) source: String,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    /// As far as `Content-Length` says.
    pub(super) body: Vec<u8>,
    /// Body and what came behind it, if something did.
    pub(super) whole: Option<Vec<u8>>,
    pub(super) path: Option<String>,
    pub(super) merchant: Option<String>,
    pub(super) received_at: Option<UnixSeconds>,
    /// What is worth knowing beside the checks.
    pub(super) notes: Vec<String>,
}

/// What is no callback in any form. Each text says what to give instead.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("it is empty: save the request with its headers and its body")]
    Empty,
    #[error("it has more than {INPUT_BYTES_MAX} bytes: save one callback alone")]
    TooLarge,
    #[error(
        "it is neither an HTTP request nor JSON: save the request line, the headers, an empty line and the body, or \
         {{\"headers\": {{…}}, \"body\": \"…\"}}"
    )]
    NotACallback,
    #[error("it is an answer, not a request: save what WeChat Pay sent")]
    AnAnswer,
    #[error("line {line} is neither a header (`Name: value`) nor the empty line before the body")]
    NotAHeader { line: usize },
    #[error("there is no empty line behind the headers: save the body as well")]
    NoBody,
    #[error("it is the body alone: the signature is in the headers, save them as well")]
    BodyAlone,
    #[error("the JSON is not as expected: {0}; write {{\"headers\": {{…}}, \"body\": \"…\"}}")]
    Json(#[from] serde_json::Error),
    #[error("the JSON has neither body nor body_base64, or both")]
    JsonBody,
    #[error("body_base64 is not base64")]
    JsonBase64,
    #[error("received_at is no time: write Unix seconds, or like 2025-06-15T23:06:40+08:00")]
    JsonTime,
}

/// Reads a file, or standard input for `-`.
pub(super) fn read(path: &Path) -> anyhow::Result<Saved> {
    let (source, bytes) = if path == Path::new("-") {
        ("standard input".to_owned(), limited(std::io::stdin().lock()))
    } else {
        (path.display().to_string(), std::fs::File::open(path).and_then(limited))
    };
    let bytes = bytes.map_err(|error| anyhow::anyhow!("cannot read {source}: {error}"))?;
    let saved = parse(&bytes).map_err(|error| anyhow::anyhow!("{source}: {error}"))?;
    Ok(Saved { source, ..saved })
}

fn limited(reader: impl std::io::Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(INPUT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn parse(bytes: &[u8]) -> Result<Saved, Unreadable> {
    if bytes.len() as u64 > INPUT_BYTES_MAX {
        return Err(Unreadable::TooLarge);
    }
    // An editor's mark. A body has its own behind the headers.
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let content = bytes.trim_ascii_start();
    match content.first() {
        None => Err(Unreadable::Empty),
        Some(b'{') => json::parse(content),
        // A notice of APIv2 needs no headers.
        Some(b'<') => Ok(Saved { body: bytes.to_vec(), ..Saved::default() }),
        Some(_) => http::parse(content),
    }
}

/// The merchant that a path ends in.
pub(super) fn merchant_in(path: &str) -> Option<String> {
    let path = path.split(['?', '#']).next()?;
    let ends = NOTIFY_PATHS.iter().filter_map(|prefix| Some(path.split_once(prefix)?.1));
    let merchant = ends.min_by_key(|end| end.len())?.trim_end_matches('/');
    (!merchant.is_empty() && !merchant.contains('/')).then(|| merchant.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_of_paths() {
        for (path, merchant) in [
            ("/notify/v3/1900000001", Some("1900000001")),
            ("/notify/v2/1900000001", Some("1900000001")),
            ("/pay/notify/v3/1900000001/?x=/notify/v3/2", Some("1900000001")),
            ("https://pay.example.com/notify/v3/1900000001", Some("1900000001")),
            ("/notify/v3/", None),
            ("/notify/v3/1/2", None),
            ("/wechat/callback", None),
            ("", None),
        ] {
            assert_eq!(merchant_in(path).as_deref(), merchant, "{path}");
        }
    }

    #[test]
    fn table_of_what_is_no_callback() {
        for (bytes, error) in [
            (&b""[..], "it is empty"),
            (b" \r\n\t", "it is empty"),
            (b"\xEF\xBB\xBF\n", "it is empty"),
            (b"\x00\x01\x02\xFF", "it is neither"),
            (b"hello", "it is neither"),
            (b"HTTP/1.1 200 OK\n\n", "it is an answer"),
            (b"POST /x HTTP/1.1\nHost: a", "there is no empty line"),
            (b"POST /x HTTP/1.1\nHost\n\n", "line 2 is neither"),
            (b"POST /x HTTP/1.1\nHost: a\n{}\n", "line 3 is neither"),
            (b"{", "the JSON is not as expected"),
            (b"{}", "the JSON is not as expected"),
            (br#"{"headers": {}}"#, "the JSON has neither"),
            (br#"{"headers": {}, "body": "", "body_base64": ""}"#, "the JSON has neither"),
            (br#"{"headers": {}, "body_base64": "!"}"#, "body_base64 is not"),
            (br#"{"headers": {}, "body": "", "received_at": "noon"}"#, "received_at is no time"),
            (br#"{"headers": 1, "body": ""}"#, "the JSON is not as expected"),
            (br#"{"id": "1", "resource": {"ciphertext": ""}}"#, "it is the body alone"),
        ] {
            let said = parse(bytes).map_err(|error| error.to_string());
            assert!(said.as_ref().is_err_and(|said| said.starts_with(error)), "{said:?}, not {error}");
        }
        let large = vec![b'x'; INPUT_BYTES_MAX as usize + 1];
        assert!(matches!(parse(&large), Err(Unreadable::TooLarge)));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_saved_does_no_harm(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }

        #[test]
        fn a_body_behind_a_head_is_taken_byte_by_byte(body: Vec<u8>, end in "\r?\n") {
            let head = format!("POST /notify/v3/1 HTTP/1.1{end}A: b{end}{end}");
            let saved = parse(&[head.as_bytes(), &body].concat()).expect("it is a request");
            proptest::prop_assert_eq!(saved.body, body);
        }

        #[test]
        fn whatever_looks_like_a_request_or_json_does_no_harm(
            text in "(POST /[a-z/]{0,9}( HTTP/1.1)?\r?\n)?([A-Za-z-]{1,17}: ?(chunked|[0-9]{0,20})\r?\n){0,4}\r?\n?[0-9a-f]{0,3}(\r\n)?.{0,9}",
            json in "\\{\"headers\": ?(\\{\\}|\\[\\]|[0-9]),? ?(\"body\": ?[{}\"a]{0,4})?,?(\"received_at\": [0-9]{1,19})?\\}?",
        ) {
            let _ = parse(text.as_bytes());
            let _ = parse(json.as_bytes());
        }
    }
}
