//! Bodies that were changed on their way.

use serde_json::Value;
use wechatpay::diagnosis::Class;

use super::{check, genuine};
use crate::fixture::Sent;

/// What was signed, what came, and what is said of it. The body that was signed is the genuine one changed by `signed`.
type Row = (&'static str, fn(&str) -> String, fn(&str) -> Vec<u8>, &'static [&'static str]);

fn same(body: &str) -> String {
    body.to_owned()
}

fn python(body: &str) -> String {
    // Nothing in an envelope has these signs within a text.
    body.replace("\":", "\": ").replace(",\"", ", \"")
}

fn pretty(body: &str) -> String {
    let (mut out, mut depth) = (String::new(), 0);
    let mut in_string = false;
    for character in body.chars() {
        if character == '"' {
            in_string = !in_string;
        }
        match character {
            '{' if !in_string => {
                depth += 1;
                out.push_str(&format!("{{\n{}", "  ".repeat(depth)));
            }
            '}' if !in_string => {
                depth -= 1;
                out.push_str(&format!("\n{}}}", "  ".repeat(depth)));
            }
            ',' if !in_string => out.push_str(&format!(",\n{}", "  ".repeat(depth))),
            ':' if !in_string => out.push_str(": "),
            other => out.push(other),
        }
    }
    out
}

fn unicode_escaped(body: &str) -> String {
    let escape = |character: char| match character.is_ascii() {
        true => character.to_string(),
        false => format!("\\u{:04x}", u32::from(character)),
    };
    body.chars().map(escape).collect()
}

fn slashes_escaped(body: &str) -> String {
    body.replace('/', "\\/")
}

fn sorted(body: &str) -> String {
    serde_json::from_str::<Value>(body).unwrap().to_string()
}

fn latin1(body: &str) -> Vec<u8> {
    body.bytes().map(char::from).collect::<String>().into_bytes()
}

/// 支付成功 in GBK.
fn gbk(body: &str) -> Vec<u8> {
    let (before, behind) = body.split_once("支付成功").unwrap();
    [before.as_bytes(), &[0xD6, 0xA7, 0xB8, 0xB6, 0xB3, 0xC9, 0xB9, 0xA6], behind.as_bytes()].concat()
}

fn windows_1252(body: &str) -> Vec<u8> {
    // The bytes of 支付成功 that Windows-1252 reads otherwise than Latin-1.
    let text = String::from_utf8(latin1(body)).unwrap();
    text.replace('\u{94}', "”")
        .replace('\u{98}', "˜")
        .replace('\u{9F}', "Ÿ")
        .replace('\u{8A}', "Š")
        .into_bytes()
}

const TABLE: [Row; 32] = [
    ("unsigned newline", same, |body| format!("{body}\n").into(), &["newline_added"]),
    ("unsigned CR LF", same, |body| format!("{body}\r\n").into(), &["newline_added"]),
    ("newline dropped", |body| format!("{body}\n"), |body| body.trim_end().into(), &["newline_dropped"]),
    ("CR LF dropped", |body| format!("{body}\r\n"), |body| body.trim_end().into(), &["newline_dropped"]),
    ("blanks around", same, |body| format!("  {body} \n").into(), &["blanks_added"]),
    ("LF to CR LF", pretty, |body| body.replace('\n', "\r\n").into(), &["line_ends_to_crlf"]),
    (
        "CR LF to LF",
        |body| pretty(body).replace('\n', "\r\n"),
        |body| body.replace('\r', "").into(),
        &["line_ends_to_lf"],
    ),
    ("BOM added", same, |body| format!("\u{feff}{body}").into(), &["bom_added"]),
    ("read as Latin-1", same, latin1, &["read_as_latin1"]),
    ("read as Windows-1252", same, windows_1252, &["read_as_windows_1252"]),
    ("converted to GBK", same, gbk, &["charset_converted"]),
    ("characters lost", same, |body| body.replace("支付成功", "????").into(), &["charset_converted"]),
    (
        "replacement characters",
        same,
        |body| body.replace("支付成功", "\u{fffd}\u{fffd}").into(),
        &["charset_converted"],
    ),
    ("form decoded", same, |body| body.replacen('+', " ", 9999).into(), &["body_form_decoded"]),
    ("a form's field", same, |body| format!("{body}=").into(), &["body_form_field"]),
    (
        "percent-encoded",
        same,
        |body| body.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>().into(),
        &["body_percent_encoded"],
    ),
    ("JSON string", same, |body| Value::from(body).to_string().into(), &["body_json_string"]),
    (
        "JSON string without quotes",
        same,
        |body| Value::from(body).to_string().trim_matches('"').into(),
        &["body_json_string"],
    ),
    ("HTML", same, |body| body.replace('"', "&quot;").into(), &["body_html_escaped"]),
    ("Python", same, |body| python(body).into(), &["json_blanks"]),
    ("signed by Python", python, |body| sorted(body).into(), &["json_blanks", "json_order"]),
    ("pretty", same, |body| pretty(body).into(), &["json_blanks"]),
    (
        "compacted",
        pretty,
        |body| body.replace("\n", "").replace("  ", "").replace(": ", ":").into(),
        &["json_blanks"],
    ),
    ("slashes escaped", same, |body| slashes_escaped(body).into(), &["json_slashes"]),
    ("slashes no longer escaped", slashes_escaped, |body| body.replace("\\/", "/").into(), &["json_slashes"]),
    ("unicode escaped", same, |body| unicode_escaped(body).into(), &["json_unicode"]),
    (
        "unicode no longer escaped",
        unicode_escaped,
        |body| sorted(body).into(),
        &["json_unicode", "json_order"],
    ),
    ("HTML signs escaped", same, |body| body.replace('=', "\\u003d").into(), &["json_html"]),
    ("sorted", same, |body| sorted(body).into(), &["json_order"]),
    (
        "Python's default",
        same,
        |body| python(&unicode_escaped(body)).into(),
        &["json_blanks", "json_unicode"],
    ),
    (
        "PHP's default",
        same,
        |body| slashes_escaped(&unicode_escaped(body)).into(),
        &["json_slashes", "json_unicode"],
    ),
    (
        "sorted, and saved by an editor",
        same,
        |body| format!("{}\n", sorted(body)).into(),
        &["newline_added", "json_order"],
    ),
];

#[test]
fn trap_body_changed_on_its_way_and_nobody_could_tell_how() {
    let body = String::from_utf8(genuine().body).unwrap();
    assert!(
        body.contains("支付成功") && body.contains('+') && body.contains('/') && body.contains('='),
        "{body}"
    );
    for (what, signed, came, causes) in TABLE {
        let signed = signed(&body);
        let mut sent = Sent::signed(signed.clone());
        assert_eq!(check(what, &sent, Class::Accepted, &[]).causes, [], "{what}");
        sent.body = came(&signed);
        let found = check(what, &sent, Class::Changed, causes);
        assert!(found.causes.iter().all(|cause| cause.is_proved()), "{what}");
        assert!(found.notification.is_some(), "{what}: it opens once it is mended");
    }
}

/// WeChat Pay signs none; whoever does is found out, and what they signed is no JSON.
#[test]
fn a_byte_order_mark_that_was_dropped() {
    let body = String::from_utf8(genuine().body).unwrap();
    let mut sent = Sent::signed(format!("\u{feff}{body}"));
    sent.body = body.into();
    check("BOM dropped", &sent, Class::Changed, &["bom_dropped", "not_a_notification"]);
}

/// WeChat Pay's order is not fixed: an order that nobody has seen is found all the same.
#[test]
fn an_order_of_members_that_nobody_knows() {
    let body = String::from_utf8(genuine().body).unwrap();
    let value: Value = serde_json::from_str(&body).unwrap();
    let text = |name: &str| value[name].to_string();
    let resource = |name: &str| value["resource"][name].to_string();
    let strange = format!(
        r#"{{"summary":{},"resource":{{"nonce":{},"ciphertext":{},"original_type":{},"associated_data":{},"algorithm":{}}},"event_type":{},"id":{},"resource_type":{},"create_time":{}}}"#,
        text("summary"),
        resource("nonce"),
        resource("ciphertext"),
        resource("original_type"),
        resource("associated_data"),
        resource("algorithm"),
        text("event_type"),
        text("id"),
        text("resource_type"),
        text("create_time"),
    );
    let mut sent = Sent::signed(strange);
    sent.body = pretty(&body).into();
    check("a strange order", &sent, Class::Changed, &["json_blanks", "json_order"]);
}

#[test]
fn a_cut_body_is_told_by_its_length() {
    let mut sent = genuine();
    sent.headers.push(("content-length".to_owned(), sent.body.len().to_string().into()));
    sent.body.truncate(sent.body.len() - 40);
    check("cut", &sent, Class::Unverified, &["body_truncated"]);
}

#[test]
fn a_forgery_is_not_explained() {
    let mut sent = genuine();
    let amount = sent.body.iter().position(|byte| *byte == b'T').unwrap();
    sent.body[amount] = b'U';
    let found = check("forged", &sent, Class::Unverified, &["none_found"]);
    assert!(found.notification.is_none() && !found.causes[0].is_proved());
}
