//! What happens to bodies on their way, and how to undo it.
//!
//! Each [`BodyChange`] has an inverse, which is tried on what came: a few of them one after the other, then, where the
//! result is JSON, every usual way of writing it. Invariant: fewest changes first, no body twice.

mod charset;
mod json;
mod order;
mod wrapping;

pub(super) use wrapping::percent_decode;

use std::collections::HashSet;
use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};

use super::budget::Budget;

/// What was done to the body that WeChat Pay signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BodyChange {
    /// A newline was added to its end.
    NewlineAdded,
    /// The newline at its end was dropped.
    NewlineDropped,
    /// Blanks or newlines were added around it.
    BlanksAdded,
    /// Line ends became CR LF.
    LineEndsToCrLf,
    /// Line ends became LF.
    LineEndsToLf,
    /// A byte order mark was added.
    BomAdded,
    /// The byte order mark was dropped.
    BomDropped,
    /// UTF-8 was read as Latin-1 and written as UTF-8 once more.
    ReadAsLatin1,
    /// UTF-8 was read as Windows-1252 and written as UTF-8 once more.
    ReadAsWindows1252,
    /// It was converted to another charset, or characters of it were lost; found by the summary.
    CharsetConverted,
    /// It was decoded as a form: `+` became a blank.
    FormDecoded,
    /// It was read as the name of a form's field: `=` came behind it.
    FormField,
    /// It was percent-encoded.
    PercentEncoded,
    /// It was put into a JSON string.
    JsonString,
    /// It was escaped as HTML.
    HtmlEscaped,
    /// JSON written anew: other blanks between its parts.
    JsonBlanks,
    /// JSON written anew: `/` escaped, or no longer.
    JsonSlashes,
    /// JSON written anew: characters beyond ASCII escaped, or no longer, or in other letters.
    JsonUnicode,
    /// JSON written anew: `<`, `>`, `&`, `=` or `'` escaped, or no longer.
    JsonHtml,
    /// JSON written anew: its members in another order.
    JsonOrder,
}

impl BodyChange {
    /// A stable name for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NewlineAdded => "newline_added",
            Self::NewlineDropped => "newline_dropped",
            Self::BlanksAdded => "blanks_added",
            Self::LineEndsToCrLf => "line_ends_to_crlf",
            Self::LineEndsToLf => "line_ends_to_lf",
            Self::BomAdded => "bom_added",
            Self::BomDropped => "bom_dropped",
            Self::ReadAsLatin1 => "read_as_latin1",
            Self::ReadAsWindows1252 => "read_as_windows_1252",
            Self::CharsetConverted => "charset_converted",
            Self::FormDecoded => "body_form_decoded",
            Self::FormField => "body_form_field",
            Self::PercentEncoded => "body_percent_encoded",
            Self::JsonString => "body_json_string",
            Self::HtmlEscaped => "body_html_escaped",
            Self::JsonBlanks => "json_blanks",
            Self::JsonSlashes => "json_slashes",
            Self::JsonUnicode => "json_unicode",
            Self::JsonHtml => "json_html",
            Self::JsonOrder => "json_order",
        }
    }
}

impl fmt::Display for BodyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NewlineAdded => "a newline was added to the body's end",
            Self::NewlineDropped => "the newline at the body's end was dropped",
            Self::BlanksAdded => "blanks or newlines were added around the body",
            Self::LineEndsToCrLf => "the body's line ends became CR LF",
            Self::LineEndsToLf => "the body's line ends became LF",
            Self::BomAdded => "a byte order mark was put before the body",
            Self::BomDropped => "the byte order mark before the body was dropped",
            Self::ReadAsLatin1 => "the body, UTF-8, was read as Latin-1 and encoded once more",
            Self::ReadAsWindows1252 => "the body, UTF-8, was read as Windows-1252 and encoded once more",
            Self::CharsetConverted => {
                "the body was converted to another charset (GBK, for example) or characters of it were lost"
            }
            Self::FormDecoded => "the body was decoded as a form, which makes a blank of `+`",
            Self::FormField => "the body was read as the name of a form's field, which put `=` behind it",
            Self::PercentEncoded => "the body was percent-encoded",
            Self::JsonString => "the body was put into a JSON string",
            Self::HtmlEscaped => "the body was escaped as HTML",
            Self::JsonBlanks => {
                "the body was parsed and written anew as JSON: its blanks and newlines differ"
            }
            Self::JsonSlashes => "the body was parsed and written anew as JSON: its escapes of `/` differ",
            Self::JsonUnicode => {
                "the body was parsed and written anew as JSON: its escapes of characters beyond ASCII differ"
            }
            Self::JsonHtml => {
                "the body was parsed and written anew as JSON: its escapes of `<`, `>`, `&`, `=`, `'` differ"
            }
            Self::JsonOrder => "the body was parsed and written anew as JSON: its members have another order",
        })
    }
}

/// How many inverses are tried one after the other before the ways to write JSON are.
const UNDONE_MAX: usize = 2;

/// Bytes of bodies to go on from that are kept at a time.
const KEPT_BYTES_MAX: usize = 32 << 20;

/// An inverse: what the body may have been, if that differs.
type Undo = fn(&[u8]) -> Option<Vec<u8>>;

/// Every inverse that gives one body. The likelier ones come first.
const UNDOS: [(BodyChange, Undo); 16] = [
    (BodyChange::NewlineAdded, wrapping::without_newline),
    (BodyChange::NewlineDropped, wrapping::with_newline),
    (BodyChange::NewlineDropped, wrapping::with_crlf),
    (BodyChange::BlanksAdded, wrapping::trimmed),
    (BodyChange::LineEndsToCrLf, wrapping::crlf_to_lf),
    (BodyChange::LineEndsToLf, wrapping::lf_to_crlf),
    (BodyChange::BomAdded, wrapping::without_bom),
    (BodyChange::BomDropped, wrapping::with_bom),
    (BodyChange::ReadAsLatin1, charset::from_latin1),
    (BodyChange::ReadAsWindows1252, charset::from_windows_1252),
    (BodyChange::FormDecoded, wrapping::blanks_to_plus),
    (BodyChange::FormField, wrapping::without_equals),
    (BodyChange::PercentEncoded, wrapping::percent_decoded),
    (BodyChange::JsonString, wrapping::json_unquoted),
    (BodyChange::JsonString, wrapping::json_unescaped),
    (BodyChange::HtmlEscaped, wrapping::html_unescaped),
];

/// A body that WeChat Pay may have signed, and what was then done to it.
#[derive(Clone, Debug)]
struct Candidate {
    bytes: Vec<u8>,
    changes: Vec<BodyChange>,
}

/// Calls `check` with one body after the other that may have been before it became `body`, until it says to stop by
/// `Some` or the budget is spent. The body itself is not among them. Returns what `check` found, and the changes.
pub(super) fn candidates<T>(
    body: &[u8],
    budget: &Budget,
    mut check: impl FnMut(&[u8]) -> Option<T>,
) -> Option<(T, Vec<BodyChange>)> {
    let mut seen = HashSet::from([fingerprint(body)]);
    let mut level = vec![Candidate { bytes: body.to_vec(), changes: Vec::new() }];
    let mut all = level.clone();
    let mut kept = body.len();
    for _ in 0..UNDONE_MAX {
        let mut next = Vec::new();
        for base in &level {
            for (change, bytes) in undone(&base.bytes) {
                budget.write(bytes.len())?;
                if !seen.insert(fingerprint(&bytes)) {
                    continue;
                }
                let changes = base.changes.iter().copied().chain([change]).collect();
                if let Some(found) = check(&bytes) {
                    return Some((found, changes));
                }
                kept += bytes.len();
                if kept <= KEPT_BYTES_MAX {
                    next.push(Candidate { bytes, changes });
                }
            }
        }
        all.extend(next.iter().cloned());
        level = next;
    }
    let mut documents = HashSet::new();
    all.iter().find_map(|base| {
        // Changes around a document, and of how it is written, come to the same document: once is enough.
        let document = json::parse(std::str::from_utf8(&base.bytes).ok()?)?.compact();
        let is_new = documents.insert(fingerprint(document.as_bytes()));
        is_new.then(|| written_anew(base, budget, &mut seen, &mut check))?
    })
}

fn undone(body: &[u8]) -> impl Iterator<Item = (BodyChange, Vec<u8>)> {
    let summaries = charset::with_summaries(body).into_iter();
    let single = UNDOS.iter().filter_map(|(change, undo)| Some((*change, undo(body)?)));
    single.chain(summaries.map(|bytes| (BodyChange::CharsetConverted, bytes)))
}

fn written_anew<T>(
    base: &Candidate,
    budget: &Budget,
    seen: &mut HashSet<[u8; 32]>,
    check: &mut impl FnMut(&[u8]) -> Option<T>,
) -> Option<(T, Vec<BodyChange>)> {
    let text = std::str::from_utf8(&base.bytes).ok()?;
    let written = json::writings(text, budget, |written| {
        let is_new = seen.insert(fingerprint(written.as_bytes()));
        let found = is_new.then(|| check(written.as_bytes()))??;
        Some((found, json::differences(text, written).collect::<Vec<_>>()))
    });
    let (found, differences) = written?;
    Some((found, base.changes.iter().copied().chain(differences).collect()))
}

/// The same with the members in any order whatever, written without blanks: the last resort, and much work.
pub(super) fn reordered<T>(
    body: &[u8],
    budget: &Budget,
    mut check: impl FnMut(&[u8]) -> Option<T>,
) -> Option<(T, Vec<BodyChange>)> {
    let text = std::str::from_utf8(body).ok()?;
    // What was changed is told once it is known to be true.
    order::permutations(text, budget, |written| {
        let found = check(written.as_bytes())?;
        Some((found, json::differences(text, written).collect()))
    })
}

fn fingerprint(bytes: &[u8]) -> [u8; 32] {
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest(&SHA256, bytes).as_ref());
    fingerprint
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An envelope with as many members as are put into every order, one of them of so many bytes.
    fn envelope(bytes: usize) -> Vec<u8> {
        let members = |name: &str, count: usize| -> String {
            (0..count).map(|number| format!("\"{name}{number}\":\"支付{number}\",")).collect()
        };
        let large = "x".repeat(bytes);
        let inner = format!("{{{}\"i\":\"/\"}}", members("i", 5));
        format!("{{{}\"o\":{inner},\"large\":\"{large}\"}}", members("o", 4)).into_bytes()
    }

    #[test]
    fn what_is_written_ends_with_the_budget() {
        let body = envelope(100 << 10);
        let (limit, mut bytes) = (4 << 20, 0);
        let budget = Budget::of(usize::MAX, usize::MAX, limit);
        let found = candidates(&body, &budget, |body| {
            bytes += body.len();
            None::<()>
        });
        assert!(found.is_none() && budget.is_spent());
        assert!(bytes > 1 << 20 && bytes <= limit, "{bytes} bytes");
    }

    #[test]
    fn orders_end_with_the_budget() {
        let body = envelope(100 << 10);
        let budget = Budget::of(1_000, 4 << 20, usize::MAX);
        let mut checked = 0;
        let found = reordered(&body, &budget, |body| {
            checked += 1;
            budget.verify(body.len())?;
            None::<()>
        });
        assert!(found.is_none() && budget.is_spent());
        // Forty bodies are paid for; the one that could not be is the last.
        assert_eq!(checked, (4 << 20) / body.len() + 1);
    }

    #[test]
    fn every_way_to_write_an_envelope_is_within_the_budget() {
        // As large as a callback of an ordinary payment.
        let mut body = envelope(1_000);
        body.extend_from_slice(b"\r\n");
        let budget = Budget::of(usize::MAX, usize::MAX, 8 << 20);
        let mut checked = 0;
        candidates(&body, &budget, |_| {
            checked += 1;
            None::<()>
        });
        assert!(!budget.is_spent() && checked > 50, "{checked}");
    }
}
