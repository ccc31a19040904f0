//! JSON that was parsed and written anew: every usual way of writing the same document.
//!
//! Invariant: members keep their order and repeated names both stay, unless a way of writing sorts them. Numbers are
//! written as `serde_json` does; an envelope has none.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::BodyChange;
use crate::diagnosis::budget::Budget;

/// A document in the order in which it was written.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// `null`, `true`, a number: written as it is.
    Bare(String),
    Text(String),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// How blanks are set.
#[derive(Clone, Copy, Debug)]
enum Blanks {
    /// None: nearly everybody.
    None,
    /// `, ` and `: `: Python's default.
    Inline,
    /// `: ` alone.
    BehindNames,
    /// Lines with this indentation.
    Lines(&'static str),
}

/// Which characters beyond ASCII are escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unicode {
    Raw,
    /// `\u652f`: Python, PHP.
    Lower,
    /// `\u652F`
    Upper,
}

/// A way of writing.
#[derive(Clone, Copy, Debug)]
struct Style {
    blanks: Blanks,
    unicode: Unicode,
    /// `\/`: PHP's default.
    slashes: bool,
    /// Characters of HTML that are escaped as `\u003c`: Go has three by default, Gson five.
    html: &'static str,
}

const BLANKS: [Blanks; 6] = [
    Blanks::None,
    Blanks::Inline,
    Blanks::Lines("  "),
    Blanks::Lines("    "),
    Blanks::Lines("\t"),
    Blanks::BehindNames,
];

/// The orders in which WeChat Pay's envelopes have been seen.
const ORDERS: [&[&str]; 3] = [
    &[
        "id",
        "create_time",
        "resource_type",
        "event_type",
        "summary",
        "resource",
        "original_type",
        "algorithm",
        "ciphertext",
        "associated_data",
        "nonce",
    ],
    &[
        "id",
        "create_time",
        "event_type",
        "resource_type",
        "resource",
        "summary",
        "algorithm",
        "ciphertext",
        "nonce",
        "associated_data",
        "original_type",
    ],
    &[
        "id",
        "create_time",
        "resource_type",
        "event_type",
        "resource",
        "summary",
        "algorithm",
        "ciphertext",
        "nonce",
        "original_type",
        "associated_data",
    ],
];

/// Calls `check` with every usual way of writing the document, until it says to stop or the budget is spent. None if it
/// is no JSON.
pub(super) fn writings<T>(
    text: &str,
    budget: &Budget,
    mut check: impl FnMut(&str) -> Option<T>,
) -> Option<T> {
    let node = parse(text)?;
    let sorted = node.ordered(&|name| (0, name.to_owned()));
    let seen = ORDERS.iter().map(|order| {
        node.ordered(&|name| {
            let place = order.iter().position(|known| *known == name).unwrap_or(order.len());
            (place, String::new())
        })
    });
    let orders: Vec<Node> = [node.clone()].into_iter().chain(seen).chain([sorted]).collect();
    for style in styles() {
        for node in &orders {
            let mut written = String::with_capacity(text.len());
            node.write(style, 0, &mut written);
            budget.write(written.len())?;
            if let Some(found) = check(&written) {
                return Some(found);
            }
        }
    }
    None
}

/// A byte order mark before it is passed over.
pub(super) fn parse(text: &str) -> Option<Node> {
    serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()
}

/// The usual ones first.
fn styles() -> impl Iterator<Item = Style> {
    BLANKS.into_iter().flat_map(|blanks| {
        ["", "<>&", "<>&='"].into_iter().flat_map(move |html| {
            [Unicode::Raw, Unicode::Lower, Unicode::Upper].into_iter().flat_map(move |unicode| {
                [false, true].into_iter().map(move |slashes| Style { blanks, unicode, slashes, html })
            })
        })
    })
}

impl Node {
    /// The same with the members of every object in the order of `key`; those that are equal stay as they were.
    fn ordered(&self, key: &dyn Fn(&str) -> (usize, String)) -> Self {
        match self {
            Self::Object(members) => {
                let members = members.iter().map(|(name, node)| (name.clone(), node.ordered(key)));
                let mut members: Vec<_> = members.collect();
                members.sort_by_key(|(name, _)| key(name));
                Self::Object(members)
            }
            Self::Array(nodes) => Self::Array(nodes.iter().map(|node| node.ordered(key)).collect()),
            other => other.clone(),
        }
    }

    fn write(&self, style: Style, depth: usize, out: &mut String) {
        match self {
            Self::Bare(text) => out.push_str(text),
            Self::Text(text) => write_text(text, style, out),
            Self::Array(nodes) => {
                out.push('[');
                style.each(nodes, depth, out, |node, out| node.write(style, depth + 1, out));
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                style.each(members, depth, out, |(name, node), out| {
                    write_text(name, style, out);
                    out.push_str(if matches!(style.blanks, Blanks::None) { ":" } else { ": " });
                    node.write(style, depth + 1, out);
                });
                out.push('}');
            }
        }
    }

    /// Without blanks and with nothing escaped that need not be.
    pub(super) fn compact(&self) -> String {
        let style = Style { blanks: Blanks::None, unicode: Unicode::Raw, slashes: false, html: "" };
        let mut out = String::new();
        self.write(style, 0, &mut out);
        out
    }
}

impl Style {
    /// Writes the parts of an array or object with what stands between them.
    fn each<T>(self, parts: &[T], depth: usize, out: &mut String, write: impl Fn(&T, &mut String)) {
        let line = |depth: usize, out: &mut String| {
            if let Blanks::Lines(indentation) = self.blanks {
                out.push('\n');
                out.push_str(&indentation.repeat(depth));
            }
        };
        for (number, part) in parts.iter().enumerate() {
            if number > 0 {
                out.push_str(if matches!(self.blanks, Blanks::Inline) { ", " } else { "," });
            }
            line(depth + 1, out);
            write(part, out);
        }
        if !parts.is_empty() {
            line(depth, out);
        }
    }
}

fn write_text(text: &str, style: Style, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '/' if style.slashes => out.push_str("\\/"),
            '\0'..='\u{1f}' => escape(character, false, out),
            _ if style.html.contains(character) => escape(character, false, out),
            _ if !character.is_ascii() && style.unicode != Unicode::Raw => {
                escape(character, style.unicode == Unicode::Upper, out);
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

fn escape(character: char, upper: bool, out: &mut String) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        out.push_str(&if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") });
    }
}

/// What differs between two ways of writing one document. The original has no blanks around it.
pub(super) fn differences(received: &str, original: &str) -> impl Iterator<Item = BodyChange> {
    let inner = received.trim_ascii();
    let around = match received.strip_prefix(inner) {
        Some("") => None,
        Some("\n" | "\r\n") => Some(BodyChange::NewlineAdded),
        Some(_) | None => Some(BodyChange::BlanksAdded),
    };
    let (received, original) = (Marks::of(inner), Marks::of(original));
    let order = received.names != original.names;
    let blanks = if order {
        // They move along with what they stand between.
        received.blanks.len() != original.blanks.len()
    } else {
        received.blanks != original.blanks
    };
    let written = [
        (blanks, BodyChange::JsonBlanks),
        (received.slashes != original.slashes, BodyChange::JsonSlashes),
        (received.unicode != original.unicode, BodyChange::JsonUnicode),
        (received.html != original.html, BodyChange::JsonHtml),
        (order, BodyChange::JsonOrder),
    ];
    let written = written.into_iter().filter_map(|(differs, change)| differs.then_some(change));
    around.into_iter().chain(written)
}

/// By what ways of writing can be told apart.
struct Marks {
    /// Blanks outside of strings, with the place of each among the signs there.
    blanks: Vec<(usize, u8)>,
    slashes: usize,
    /// Bytes beyond ASCII, and escapes of such in lower and upper case.
    unicode: (usize, usize, usize),
    html: usize,
    names: Vec<String>,
}

impl Marks {
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let (mut blanks, mut signs, mut in_string, mut escaped) = (Vec::new(), 0, false, false);
        let (mut slashes, mut html, mut unicode) = (0, 0, (0, 0, 0));
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                _ if escaped => {
                    escaped = false;
                    let code = bytes.get(at + 1..at + 5).filter(|_| *byte == b'u');
                    match code.and_then(|code| std::str::from_utf8(code).ok()) {
                        Some("003c" | "003e" | "0026" | "003d" | "0027") => html += 1,
                        Some(code) if code.bytes().any(|digit| digit.is_ascii_uppercase()) => unicode.2 += 1,
                        Some(_) => unicode.1 += 1,
                        None => slashes += usize::from(*byte == b'/'),
                    }
                }
                b'\\' if in_string => escaped = true,
                b'"' => {
                    in_string = !in_string;
                    signs += 1;
                }
                b' ' | b'\t' | b'\r' | b'\n' if !in_string => blanks.push((signs, *byte)),
                _ if !in_string => signs += 1,
                _ => unicode.0 += usize::from(!byte.is_ascii()),
            }
        }
        let mut names = Vec::new();
        if let Some(node) = parse(text) {
            node.names(&mut names);
        }
        Self { blanks, slashes, unicode, html, names }
    }
}

impl Node {
    fn names(&self, out: &mut Vec<String>) {
        match self {
            Self::Object(members) => {
                for (name, node) in members {
                    out.push(name.clone());
                    node.names(out);
                }
            }
            Self::Array(nodes) => nodes.iter().for_each(|node| node.names(out)),
            Self::Bare(_) | Self::Text(_) => {}
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Bare("null".to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bare(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Bare(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Bare(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Bare(serde_json::Value::from(value).to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = sequence.next_element()? {
            nodes.push(node);
        }
        Ok(Node::Array(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }
}
