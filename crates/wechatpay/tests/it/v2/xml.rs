//! XML: what is read, what is refused, what is written.

use proptest::prelude::*;
use wechatpay::v2::{
    BYTES_MAX, Callback, FIELDS_MAX, Fields, UnwritableError, XmlError, fail_body, parse_xml, write_xml,
};

use super::of;

fn read(text: &str) -> Result<Vec<(String, String)>, XmlError> {
    let fields = parse_xml(text.as_bytes())?;
    Ok(fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

#[test]
fn table_of_what_is_read() {
    for (text, expected) in [
        ("<xml></xml>", None),
        ("<xml/>", None),
        (" <xml> \n\t</xml>\r\n", None),
        ("\u{feff}<xml><a>1</a></xml>", Some("1")),
        ("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<xml><a>1</a></xml>", Some("1")),
        ("<?xml version='1.0'?><xml><a>1</a></xml>", Some("1")),
        ("<xml><a/></xml>", Some("")),
        ("<xml><a></a></xml>", Some("")),
        ("<xml><a ></a ></xml>", Some("")),
        ("<xml><a><![CDATA[]]></a></xml>", Some("")),
        ("<xml><a> x \r\n</a></xml>", Some(" x \r\n")),
        ("<xml><a>x<![CDATA[<y>&amp;]]>z</a></xml>", Some("x<y>&amp;z")),
        ("<xml><a><![CDATA[]]]]><![CDATA[>]]></a></xml>", Some("]]>")),
        ("<xml><a><![CDATA[<![CDATA[]]></a></xml>", Some("<![CDATA[")),
        ("<xml><a><![CDATA[</a></xml>]]></a></xml>", Some("</a></xml>")),
        ("<xml><a>&lt;&gt;&amp;&quot;&apos;</a></xml>", Some("<>&\"'")),
        ("<xml><a>&#65;&#x42;&#x684C;&#128512;</a></xml>", Some("AB桌😀")),
        ("<xml><a>{\"b\":[1]}</a></xml>", Some("{\"b\":[1]}")),
    ] {
        let expected = expected.map(|value| vec![("a".to_owned(), value.to_owned())]).unwrap_or_default();
        assert_eq!(read(text), Ok(expected), "{text}");
    }
}

/// WeChat Pay's warning of 2018: whoever expands entities hands out files and keys.
#[test]
fn xxe_battery() {
    for doctype in [
        "<!DOCTYPE xml>",
        "<!doctype xml>",
        "<!DOCTYPE xml SYSTEM \"http://127.0.0.1/x.dtd\">",
        "<!DOCTYPE xml PUBLIC \"-//A//B\" \"http://127.0.0.1/x.dtd\">",
        "<!DOCTYPE xml [<!ENTITY a \"b\">]>",
        "<!DOCTYPE xml [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>",
        "<!DOCTYPE xml [<!ENTITY % p SYSTEM \"http://127.0.0.1/x.dtd\"> %p;]>",
        "<!DOCTYPE xml [<!ENTITY l \"lol\"><!ENTITY l2 \"&l;&l;&l;&l;&l;&l;&l;&l;&l;&l;\">]>",
        "<!DOCTYPE xml [<!ELEMENT xml ANY><!ATTLIST xml a CDATA \"b\">]>",
        "<!DOCTYPE xml [",
    ] {
        for text in [
            format!("{doctype}<xml><a>&a;</a></xml>"),
            format!("<?xml version=\"1.0\"?>\n{doctype}<xml><a>1</a></xml>"),
            format!("<xml>{doctype}<a>1</a></xml>"),
            format!("<xml><a>{doctype}</a></xml>"),
            format!("<xml><a>1</a></xml>{doctype}"),
        ] {
            assert_eq!(read(&text), Err(XmlError::Doctype), "{text}");
        }
    }
    let billion_laughs =
        (1..10).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10)));
    let billion_laughs: String = billion_laughs.collect();
    let text = format!("<!DOCTYPE xml [<!ENTITY l0 \"lol\">{billion_laughs}]><xml><a>&l9;</a></xml>");
    assert_eq!(read(&text), Err(XmlError::Doctype));
}

#[test]
fn table_of_what_is_refused() {
    for (text, expected) in [
        ("<xml><a>&b;</a></xml>", XmlError::UnknownEntity),
        ("<xml><a>&nbsp;</a></xml>", XmlError::UnknownEntity),
        ("<xml><a>&AMP;</a></xml>", XmlError::UnknownEntity),
        ("<xml><a>&#0;</a></xml>", XmlError::Character),
        ("<xml><a>&#x1F;</a></xml>", XmlError::Character),
        ("<xml><a>&#xD800;</a></xml>", XmlError::Character),
        ("<xml><a>&#xFFFE;</a></xml>", XmlError::Character),
        ("<xml><a>&#x110000;</a></xml>", XmlError::Character),
        ("<xml><a>&#99999999999999999999;</a></xml>", XmlError::Character),
        ("<xml><a>&#;</a></xml>", XmlError::Character),
        ("<xml><a>&#-1;</a></xml>", XmlError::Character),
        ("<xml><a>\0</a></xml>", XmlError::Character),
        ("<xml><a><![CDATA[\u{b}]]></a></xml>", XmlError::Character),
        ("<xml><a>\u{ffff}</a></xml>", XmlError::Character),
        ("<?php ?><xml></xml>", XmlError::NotAField),
        ("<?xml-stylesheet href=\"http://127.0.0.1\"?><xml></xml>", XmlError::NotAField),
        ("<xml><?a b?></xml>", XmlError::NotAField),
        ("<xml><a>1<?a b?></a></xml>", XmlError::NotAField),
        ("<!-- c --><xml></xml>", XmlError::NotAField),
        ("<xml><total_fee>1<!-- -->00</total_fee></xml>", XmlError::NotAField),
        ("<xml xmlns=\"u\"></xml>", XmlError::Attribute),
        ("<xml><a b=\"c\">1</a></xml>", XmlError::Attribute),
        ("<xml><a b></a></xml>", XmlError::Attribute),
        ("<xml><a><b>1</b></a></xml>", XmlError::Nested),
        ("<xml><a>1<b/></a></xml>", XmlError::Nested),
        ("<xml><xml><a>1</a></xml></xml>", XmlError::Nested),
        ("<root><a>1</a></root>", XmlError::Root { expected: "xml" }),
        ("<XML><a>1</a></XML>", XmlError::Root { expected: "xml" }),
        ("<html><body></body></html>", XmlError::Root { expected: "xml" }),
        ("<xml><xi:include href=\"file:///etc/passwd\"/></xml>", XmlError::Name),
        ("<xml><a=b>1</a=b></xml>", XmlError::Name),
        ("<xml><a&b>1</a&b></xml>", XmlError::Name),
        ("<xml><桌>1</桌></xml>", XmlError::Name),
        ("<xml><1>1</1></xml>", XmlError::Name),
        ("<xml><>1</></xml>", XmlError::Name),
        ("<xml><a>1</a><b>2</b><a>1</a></xml>", XmlError::Repeated { field: "a".to_owned() }),
        ("<xml><sign>1</sign><sign/></xml>", XmlError::Repeated { field: "sign".to_owned() }),
        ("<?xml version=\"1.0\" encoding=\"GBK\"?><xml></xml>", XmlError::NotUtf8),
        ("<?xml version=\"1.0\" encoding=\"UTF-16\"?><xml></xml>", XmlError::NotUtf8),
    ] {
        assert_eq!(read(text), Err(expected), "{text}");
    }
}

#[test]
fn what_is_not_well_formed_is_refused_by_its_place() {
    for text in [
        "",
        " ",
        "{\"a\":1}",
        "a=1&b=2",
        "xml",
        // Found by the fuzz target `v2_xml`: whatever stood in a declaration was passed over.
        "<?xml?><xml></xml>",
        "<?xml encoding=\"UTF-8\"?><xml></xml>",
        "<?xml version=\"2.0\"?><xml></xml>",
        "<?xml version=\"1.0<?php 1\"?><xml></xml>",
        "<?xml version=\"1.0\" <!DOCTYPE xml>?><xml></xml>",
        "<?xml version=\"1.0\" a=\"&b;\"?><xml></xml>",
        "<?xml version=\"1.0\" encoding=\"UTF-8?><xml></xml>",
        "<xml>",
        "</xml>",
        "<xml><a>",
        "<xml><a>1</a>",
        "<xml><a>1</b></xml>",
        "<xml><a>1</xml></a>",
        "<xml>text</xml>",
        "<xml><![CDATA[x]]></xml>",
        "<xml>&amp;</xml>",
        "<xml><a>1</a></xml><xml></xml>",
        "<xml><a>1</a></xml>x",
        "x<xml></xml>",
        "<xml><a><![CDATA[1</a></xml>",
        "<xml><a>&amp</a></xml>",
        "<xml><a>&</a></xml>",
        "<xml><a>1</a",
        "<xml><a>1<",
        "<xml><!ENTITY a 'b'></xml>",
        "<xml></xml><?xml version=\"1.0\"?>",
        "<?xml version=\"1.0\"?><?xml version=\"1.0\"?><xml></xml>",
        "<?xml version=\"1.0\"",
    ] {
        assert!(matches!(read(text), Err(XmlError::Malformed { .. })), "{text}: {:?}", read(text));
    }
    assert_eq!(parse_xml(b"<xml><a>\xb7\xb7</a></xml>"), Err(XmlError::NotUtf8));
}

#[test]
fn size_and_number_are_limited() {
    let sized =
        |bytes: usize| format!("<xml><a>{}</a></xml>", "x".repeat(bytes - "<xml><a></a></xml>".len()));
    assert!(read(&sized(BYTES_MAX)).is_ok());
    let bytes = BYTES_MAX + 1;
    assert_eq!(read(&sized(bytes)), Err(XmlError::Oversized { bytes, bytes_max: BYTES_MAX }));
    let many = |count: usize| {
        let fields: String = (0..count).map(|n| format!("<a{n}/>")).collect();
        read(&format!("<xml>{fields}</xml>")).map(|fields| fields.len())
    };
    assert_eq!(many(FIELDS_MAX), Ok(FIELDS_MAX));
    assert_eq!(many(FIELDS_MAX + 1), Err(XmlError::TooManyFields { fields_max: FIELDS_MAX }));
    let deep = "<a>".repeat(BYTES_MAX / 3 - 9);
    assert_eq!(read(&format!("<xml>{deep}</xml>")), Err(XmlError::Nested));
    let named =
        |bytes: usize| read(&format!("<xml><{0}/></xml>", "a".repeat(bytes))).map(|fields| fields.len());
    assert_eq!((named(64), named(65)), (Ok(1), Err(XmlError::Name)));
}

#[test]
fn what_xml_does_not_keep_is_not_written() {
    for value in ["\0", "a\u{1b}", "\r\n", "\u{fffe}", "\u{ffff}"] {
        assert_eq!(write_xml(&of([("a", value)])), Err(UnwritableError::Character { field: "a".to_owned() }));
    }
    for name in ["", "a b", "a>", "a:b", "桌", "1"] {
        assert_eq!(write_xml(&of([(name, "1")])), Err(UnwritableError::Name { field: name.to_owned() }));
    }
    let written = write_xml(&of([("a", "]]>"), ("b", ""), ("c", "<&\n😀")]));
    let expected = "<xml><a><![CDATA[]]]]><![CDATA[>]]></a><c><![CDATA[<&\n😀]]></c></xml>";
    assert_eq!(written.as_deref(), Ok(expected));
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        values in prop::collection::btree_map("[A-Za-z_][A-Za-z0-9_.-]{0,63}", "(\\PC|[\\]><&\t\n]){1,40}", 0..20),
    ) {
        let mut fields = Fields::default();
        values.iter().for_each(|(name, value)| fields.insert(name, value.as_str()));
        match write_xml(&fields) {
            Ok(text) => prop_assert_eq!(parse_xml(text.as_bytes()), Ok(fields)),
            Err(UnwritableError::Character { field }) => {
                let value = fields.get(&field).unwrap_or_default();
                prop_assert!(value.contains(['\u{fffe}', '\u{ffff}']), "{:?}", value);
            }
            Err(other) => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn a_refusal_is_always_readable(message in ".*") {
        let body = fail_body(&message);
        let Ok(Callback::Failed(failed)) = Callback::parse(body.as_bytes()) else { panic!("{body}") };
        prop_assert_eq!(failed.unverified_return_msg.chars().count(), message.chars().count());
    }
}
