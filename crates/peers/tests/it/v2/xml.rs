//! XML of APIv2: what one writes the other reads, field by field.

use serde_json::json;
use wechatpay::v2::{Fields, XmlError, parse_xml, write_xml};

use super::{by_name, fields, json_by_name, to_json};
use crate::fixture::{INPUTS, Parties, checks};

checks! {
    WechatpayAxiosPlugin in wechatpay_axios_plugin {
        what_we_write_they_read,
        what_they_write_we_read,
        where_readers_differ,
    }
}

fn what_we_write_they_read(parties: &mut Parties) {
    for number in 0..INPUTS {
        let mut fields = fields(&mut parties.rng, number);
        // In CDATA, white space and the end of CDATA too.
        fields.insert("body", " 汤圆 <&amp;> ]]> ");
        let xml = write_xml(&fields).unwrap();
        let theirs = parties.ask("v2_read", json!({ "xml": xml }));
        assert_eq!(json_by_name(&theirs), by_name(&fields), "{xml}");
    }
}

fn what_they_write_we_read(parties: &mut Parties) {
    for number in 0..INPUTS {
        let mut fields = fields(&mut parties.rng, number);
        fields.insert("body", " 汤圆 <&amp;> ");
        let xml = parties.ask_text("v2_write", json!({ "fields": to_json(&fields) }));
        assert_eq!(by_name(&parse_xml(xml.as_bytes()).unwrap()), by_name(&fields), "{xml}");
    }
}

/// Each is a choice of ours; this says when the SDK comes to make the same.
fn where_readers_differ(parties: &mut Parties) {
    let mut theirs = |xml: &str| parties.ask("v2_read", json!({ "xml": xml }))["a"].clone();
    let ours = |xml: &str| parse_xml(xml.as_bytes()).map(|fields: Fields| fields.get("a").map(str::to_owned));
    let some = |text: &str| Some(text.to_owned());

    let xml = "<xml><a> b </a></xml>";
    assert_eq!((theirs(xml), ours(xml).unwrap()), ("b".into(), some(" b ")), "signs are over raw values");
    let xml = "<xml><a>&#20013;</a></xml>";
    assert_eq!((theirs(xml), ours(xml).unwrap()), ("&#20013;".into(), some("中")), "XML 1.0 §4.1");
    let xml = "<!DOCTYPE xml [<!ENTITY e \"b\">]><xml><a>&e;</a></xml>";
    assert_eq!(theirs(xml), "b");
    assert!(matches!(ours(xml), Err(XmlError::Doctype)), "no DTD");

    let xml = parties.ask_text("v2_write", json!({ "fields": { "a": "]]>b" } }));
    assert_eq!(xml, "<xml><a><![CDATA[]]>b]]></a></xml>", "XML 1.0 §2.7: CDATA ends at the first `]]>`");
}
