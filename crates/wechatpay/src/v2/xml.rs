//! The XML of APIv2: one element that holds flat fields, in text or CDATA.
//!
//! Invariants of reading (WeChat Pay's warning of 2018: handlers of notices were attackable through XXE): nothing is
//! fetched or expanded; a DTD, an entity that is not predefined, an attribute, a comment, a processing instruction, a
//! nested or a repeated field is refused, not passed over; so are bodies beyond [`BYTES_MAX`] and [`FIELDS_MAX`].
//! Values are raw: not trimmed, and their line ends stay, since the sign is over them. Invariant of writing: what is
//! read back is what was given. Deliberately absent: namespaces, and every encoding but UTF-8.

use std::collections::HashSet;

use quick_xml::Reader;
use quick_xml::errors::SyntaxError;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};

use super::{Fields, UnwritableError, XmlError};

/// Bytes of a message: notices have some 2,000, the answer with ten refunds and their coupons some 20,000.
pub const BYTES_MAX: usize = 64 * 1024;

/// Fields of a message: ten refunds with ten coupons each, the most that an answer shows, come to some 400.
pub const FIELDS_MAX: usize = 1024;

/// Bytes of a field's name: `settlement_refund_fee_9`, among the longest, has 23.
const NAME_BYTES_MAX: usize = 64;

/// The outermost element of every message.
pub(super) const ROOT: &str = "xml";

/// Reads a message, whose outermost element is `<xml>`.
///
/// # Errors
/// Where it is not the flat XML of APIv2.
pub fn parse_xml(body: &[u8]) -> Result<Fields, XmlError> {
    parse(body, ROOT)
}

/// Reads a document whose outermost element goes by this name.
pub(super) fn parse(body: &[u8], root: &'static str) -> Result<Fields, XmlError> {
    if body.len() > BYTES_MAX {
        return Err(XmlError::Oversized { bytes: body.len(), bytes_max: BYTES_MAX });
    }
    let text = std::str::from_utf8(body).map_err(|_| XmlError::NotUtf8)?;
    if !text.chars().all(is_xml) {
        return Err(XmlError::Character);
    }
    let mut document = Document { reader: Reader::from_str(text), root, fields: Vec::new() };
    document.reader.config_mut().expand_empty_elements = true;
    document.read()?;
    let mut names = HashSet::new();
    if let Some((field, _)) = document.fields.iter().find(|(name, _)| !names.insert(name.as_str())) {
        return Err(XmlError::Repeated { field: field.clone() });
    }
    Ok(Fields::of_unique(document.fields))
}

struct Document<'a> {
    reader: Reader<&'a [u8]>,
    root: &'static str,
    fields: Vec<(String, String)>,
}

impl<'a> Document<'a> {
    fn read(&mut self) -> Result<(), XmlError> {
        self.prolog()?;
        self.root()?;
        match self.next()? {
            Event::Eof => Ok(()),
            _ => Err(self.malformed()),
        }
    }

    /// An XML declaration at most, then the root's start.
    fn prolog(&mut self) -> Result<(), XmlError> {
        let mut event = self.next()?;
        if let Event::Decl(declaration) = &event {
            self.check_declaration(declaration)?;
            event = self.next()?;
        }
        let Event::Start(start) = event else { return Err(self.malformed()) };
        if name(&start)? != self.root {
            return Err(XmlError::Root { expected: self.root });
        }
        Ok(())
    }

    /// The fields, up to the root's end.
    fn root(&mut self) -> Result<(), XmlError> {
        loop {
            match self.next()? {
                Event::Start(start) => {
                    if self.fields.len() == FIELDS_MAX {
                        return Err(XmlError::TooManyFields { fields_max: FIELDS_MAX });
                    }
                    let name = name(&start)?.to_owned();
                    let value = self.value()?;
                    self.fields.push((name, value));
                }
                Event::End(_) => return Ok(()),
                _ => return Err(self.malformed()),
            }
        }
    }

    /// A field's text, up to its end.
    fn value(&mut self) -> Result<String, XmlError> {
        let mut value = String::new();
        loop {
            match self.event()? {
                Event::Text(text) => value.push_str(&text),
                Event::CData(text) => value.push_str(&text),
                Event::GeneralRef(reference) => value.push(resolve(&reference)?),
                Event::Start(_) | Event::Empty(_) => return Err(XmlError::Nested),
                Event::End(_) => return Ok(value),
                _ => return Err(self.malformed()),
            }
        }
    }

    /// The next event that is not white space between elements.
    fn next(&mut self) -> Result<Event<'a>, XmlError> {
        loop {
            match self.event()? {
                Event::Text(text) if text.bytes().all(|byte| byte.is_ascii_whitespace()) => (),
                event => return Ok(event),
            }
        }
    }

    /// The next event, unless it is of a kind that no message has.
    fn event(&mut self) -> Result<Event<'a>, XmlError> {
        match self.reader.read_event() {
            Ok(Event::DocType(_)) | Err(quick_xml::Error::Syntax(SyntaxError::UnclosedDoctype)) => {
                Err(XmlError::Doctype)
            }
            Ok(Event::PI(_) | Event::Comment(_)) => Err(XmlError::NotAField),
            Ok(event) => Ok(event),
            Err(_) => Err(XmlError::Malformed { position: self.reader.error_position() }),
        }
    }

    /// A version of XML 1, and UTF-8 where an encoding is named. Nothing that is markup elsewhere hides in it.
    fn check_declaration(&self, declaration: &BytesDecl<'_>) -> Result<(), XmlError> {
        let is_1 = declaration.version().is_ok_and(|version| matches!(&*version, "1.0" | "1.1"));
        if !is_1 || declaration.contains(['<', '&']) {
            return Err(self.malformed());
        }
        match declaration.encoding() {
            None => Ok(()),
            Some(Ok(encoding)) if encoding.eq_ignore_ascii_case("UTF-8") => Ok(()),
            Some(Ok(_)) => Err(XmlError::NotUtf8),
            Some(Err(_)) => Err(self.malformed()),
        }
    }

    fn malformed(&self) -> XmlError {
        XmlError::Malformed { position: self.reader.buffer_position() }
    }
}

fn name<'a>(start: &'a BytesStart<'_>) -> Result<&'a str, XmlError> {
    let name = start.name().into_inner();
    if !is_name(name) {
        return Err(XmlError::Name);
    }
    if !start.attributes_raw().bytes().all(|byte| byte.is_ascii_whitespace()) {
        return Err(XmlError::Attribute);
    }
    Ok(name)
}

/// Whether it is a name that a field may have: nothing that could be taken for the `=` or `&` of what is signed.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let start = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    name.len() <= NAME_BYTES_MAX && name.as_bytes().first().is_some_and(start) && name.bytes().all(allowed)
}

fn resolve(reference: &BytesRef<'_>) -> Result<char, XmlError> {
    match &**reference {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => match reference.resolve_char_ref() {
            Ok(Some(character)) if is_xml(character) => Ok(character),
            Ok(None) => Err(XmlError::UnknownEntity),
            Ok(Some(_)) | Err(_) => Err(XmlError::Character),
        },
    }
}

/// Whether XML 1.0 allows the character.
fn is_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Whether the character is read as it is written: a reader may make a newline of a carriage return.
pub(super) fn is_kept(character: char) -> bool {
    is_xml(character) && character != '\r'
}

/// Writes fields as a message, each value in CDATA; empty ones, which no sign covers, are left out.
///
/// # Errors
/// [`UnwritableError::Name`], [`UnwritableError::Character`].
pub fn write_xml(fields: &Fields) -> Result<String, UnwritableError> {
    let mut xml = format!("<{ROOT}>");
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        if !is_name(name) {
            return Err(UnwritableError::Name { field: name.to_owned() });
        }
        if !value.chars().all(is_kept) {
            return Err(UnwritableError::Character { field: name.to_owned() });
        }
        // `]]>` would end the section: it is divided between two.
        let value = value.replace("]]>", "]]]]><![CDATA[>");
        xml.extend(["<", name, "><![CDATA[", &value, "]]></", name, ">"]);
    }
    xml.extend(["</", ROOT, ">"]);
    Ok(xml)
}
