//! Target `v2_xml`: an arbitrary body as a message of APIv2.
//!
//! Held: what is read can be written, and reads again as the same fields; names and values keep the rules that the
//! signature rests on; a message that is read has no other markup than elements and CDATA; with a document type, an
//! entity of its own or a nested element put into it, it is refused; signed, it verifies, and changed, no longer.

use std::collections::BTreeSet;

use wechatpay::v2::{
    BYTES_MAX, FIELDS_MAX, Fields, SignError, SignType, UnwritableError, XmlError, fail_body, parse_xml,
    sign, write_xml,
};

use crate::fixture::KEYS;
use crate::{Stage, Target};

/// See the module.
pub const TARGET: Target = Target {
    name: "v2_xml",
    run,
    stages: &[
        "oversized",
        "not UTF-8",
        "doctype",
        "unknown entity",
        "not a field",
        "attribute",
        "root",
        "nested",
        "name",
        "repeated",
        "character",
        "malformed",
        "unwritable",
        "empty",
        "written",
    ],
};

/// Of how many fields each is changed in turn.
const CHANGED_MAX: usize = 16;

fn run(input: &[u8]) -> Stage {
    let fields = match parse_xml(input) {
        Ok(fields) => fields,
        Err(error) => return refused(&error, input),
    };
    let text = std::str::from_utf8(input).expect("what is read is UTF-8");
    assert!(input.len() <= BYTES_MAX && fields.len() <= FIELDS_MAX);
    names_and_values(&fields);
    no_other_markup(text);
    refused_once_it_is_made_bad(text);
    is_json(&fields);
    failure_is_told(&fields);
    match write_xml(&fields) {
        Ok(written) => {
            reads_again(&fields, &written);
            signed(fields)
        }
        Err(UnwritableError::Character { field }) => {
            assert!(fields.get(&field).is_some_and(|value| value.contains('\r')), "{field} can be written");
            "unwritable"
        }
        Err(error) => panic!("a field that was read cannot be written: {error}"),
    }
}

fn refused(error: &XmlError, input: &[u8]) -> Stage {
    assert_eq!(matches!(error, XmlError::Oversized { .. }), input.len() > BYTES_MAX);
    match error {
        XmlError::Oversized { .. } => "oversized",
        XmlError::NotUtf8 => "not UTF-8",
        XmlError::Doctype => {
            // Whatever begins like one counts.
            assert!(input.windows(3).any(|window| window.eq_ignore_ascii_case(b"<!D")), "there is none");
            "doctype"
        }
        XmlError::UnknownEntity => "unknown entity",
        XmlError::NotAField => "not a field",
        XmlError::Attribute => "attribute",
        XmlError::Root { .. } => "root",
        XmlError::Nested => "nested",
        XmlError::Name => "name",
        XmlError::Repeated { .. } => "repeated",
        XmlError::TooManyFields { .. } => "too many fields",
        XmlError::Character => "character",
        XmlError::Malformed { .. } => "malformed",
        other => panic!("an error that is not known here: {other}"),
    }
}

fn names_and_values(fields: &Fields) {
    let names: BTreeSet<&str> = fields.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), fields.len(), "a name is there twice");
    for (name, value) in fields.iter() {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        assert!((1..=64).contains(&name.len()) && name.bytes().all(is_part), "the name {name:?}");
        let is_control = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r');
        assert!(!value.contains(is_control) && !value.contains(['\u{fffe}', '\u{ffff}']), "of {name}");
    }
}

/// Outside of CDATA every `<` is markup, so that it can be looked for.
fn no_other_markup(text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        if let Some(section) = rest.strip_prefix("<![CDATA[") {
            let end = section.find("]]>").expect("what is read has an end");
            rest = &section[end + 3..];
            continue;
        }
        assert!(!rest.starts_with("<!"), "a declaration or a comment is passed over");
        assert!(!rest.starts_with("<?") || rest.starts_with("<?xml"), "an instruction is passed over");
        rest = &rest[1..];
    }
}

fn refused_once_it_is_made_bad(text: &str) {
    let Some(root) = text.find("<xml") else { panic!("read without its root") };
    if text.len() + 100 > BYTES_MAX {
        return;
    }
    let (before, message) = text.split_at(root);
    for doctype in ["<!DOCTYPE xml>", "<!DOCTYPE xml [<!ENTITY a \"b\">]>", "<!DOCTYPE xml SYSTEM \"x\">"] {
        let bad = format!("{before}{doctype}{message}");
        assert_eq!(parse(&bad), Err(XmlError::Doctype));
    }
    let Some(end) = text.rfind("</xml") else { return };
    let (message, behind) = text.split_at(end);
    let with = |bad: &str| parse(&format!("{message}{bad}{behind}"));
    if message.matches('<').count() < FIELDS_MAX && !message.contains("<x_new") {
        assert_eq!(with("<x_new>&a;</x_new>"), Err(XmlError::UnknownEntity));
        assert_eq!(with("<x_new><b>1</b></x_new>"), Err(XmlError::Nested));
        assert_eq!(with("<x_new a=\"1\">1</x_new>"), Err(XmlError::Attribute));
        assert_eq!(with("<!-- x -->"), Err(XmlError::NotAField));
        let more = with("<x_new>1</x_new>").expect("one good field more");
        assert_eq!(more.get("x_new"), Some("1"));
        assert!(matches!(with("<x_new>1</x_new><x_new>1</x_new>"), Err(XmlError::Repeated { .. })));
    }
}

fn parse(text: &str) -> Result<Fields, XmlError> {
    parse_xml(text.as_bytes())
}

fn is_json(fields: &Fields) {
    let json: serde_json::Value = serde_json::from_str(&fields.to_json()).expect("it is JSON");
    let members = json.as_object().expect("it is an object");
    for (name, value) in fields.iter() {
        let is_left_out = value.is_empty() || name == "sign" || name == "nonce_str";
        assert_eq!(members.get(name).and_then(serde_json::Value::as_str), (!is_left_out).then_some(value));
    }
}

/// Whatever text a refusal carries, its body is read.
fn failure_is_told(fields: &Fields) {
    for (_, value) in fields.iter() {
        let told = parse(&fail_body(value)).expect("the body of a refusal is a message");
        assert_eq!(told.get("return_code"), Some("FAIL"));
    }
}

/// Empty fields, which no sign covers, are left out.
fn reads_again(fields: &Fields, written: &str) {
    // Escaping makes a message longer, at the limit too long.
    if written.len() > BYTES_MAX {
        return;
    }
    let again = parse(written).expect("what was written is read");
    let kept: Vec<_> = fields.iter().filter(|(_, value)| !value.is_empty()).collect();
    assert_eq!(again.iter().collect::<Vec<_>>(), kept);
    assert_eq!(write_xml(&again).as_deref(), Ok(written), "it is written in two ways");
}

fn signed(mut fields: Fields) -> Stage {
    if fields.is_empty() {
        return "empty";
    }
    for sign_type in [SignType::Md5, SignType::HmacSha256] {
        fields.insert("sign_type", sign_type.as_str());
        fields.insert("sign", sign(&fields, sign_type, &KEYS.apiv2));
        let verified = fields.clone().verify(&KEYS.apiv2, Some(sign_type));
        assert!(verified.is_ok(), "what was signed does not verify");
        assert_eq!(fields.clone().verify(&KEYS.other_apiv2, None), Err(SignError::Mismatch));
        let names = fields.iter().map(|(name, _)| name.to_owned());
        let names = names.filter(|name| name != "sign" && name != "sign_type");
        for name in names.take(CHANGED_MAX).collect::<Vec<_>>() {
            let mut changed = fields.clone();
            changed.insert(&name, format!("{}0", fields.get(&name).unwrap_or_default()));
            assert_eq!(changed.verify(&KEYS.apiv2, None), Err(SignError::Mismatch), "{name} is not signed");
        }
    }
    "written"
}
