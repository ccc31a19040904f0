//! MD5 and HMAC-SHA256 signs of APIv2: what is signed is built by us, the published sign must fit it.

use aws_lc_rs::hmac;
use md5::{Digest as _, Md5};
use serde_json::Value;
use wechatpay::KeyError;
use wechatpay::v2::{ApiV2Key, Fields, SignError, SignType, parse_xml, sign, sign_message};

use super::{entries, load, text};

/// Keys of SDK tests that no merchant has, and their length. Refused as keys; that the vectors are sound is shown with
/// the algorithm itself over the string that we build.
const REFUSED_AS_KEYS: [(&str, usize); 11] = [
    ("v2-05", 18),
    ("v2-06", 18),
    ("v2-07", 9),
    ("v2-08", 9),
    ("v2-09", 9),
    ("v2-11", 3),
    ("v2-12", 3),
    ("v2-16", 3),
    ("v2-17", 3),
    ("v2-18", 3),
    ("v2-24", 3),
];

/// Rules about the string alone: which fields, and in which order.
const STRINGS: [&str; 4] = ["v2-85", "v2-86", "v2-87", "v2-88"];
const ORDERS: [&str; 2] = ["v2-89", "v2-90"];

/// The ending of the string, hashed alone; `&secret=` is another product's, which we do not sign for.
const ENDINGS: &str = "v2-91";

#[test]
fn every_entry() {
    let Some(file) = load("v2_sign.json") else { return };
    let (mut fitted, mut misfits, mut refused, mut rules) = (0, 0, 0, 0);
    for entry in entries(&file, 63, 5) {
        let id = text(entry, "id");
        if id == ENDINGS {
            endings(entry);
            rules += 1;
        } else if STRINGS.contains(&id) {
            let expected = text(&entry["expected"], "string_without_key");
            assert_eq!(sign_message(&params(entry)), expected, "{id}");
            rules += 1;
        } else if ORDERS.contains(&id) {
            order(entry);
            rules += 1;
        } else if let Some((_, bytes)) = REFUSED_AS_KEYS.iter().find(|(named, _)| *named == id) {
            let key = ApiV2Key::new(text(entry, "key"));
            assert!(matches!(key, Err(KeyError::ApiV2KeyLength { bytes: told }) if told == *bytes), "{id}");
            sound(entry);
            refused += 1;
        } else if entry["case"] == "positive" {
            fits(entry);
            fitted += 1;
        } else {
            does_not_fit(entry);
            misfits += 1;
        }
    }
    assert_eq!((fitted, misfits, refused, rules), (47, 3, 11, 7));
}

fn params(entry: &Value) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in entry["params"].as_object().unwrap() {
        fields.insert(name, value.as_str().unwrap_or_default());
    }
    fields
}

fn sign_type(entry: &Value) -> SignType {
    match text(entry, "sign_type") {
        "MD5" => SignType::Md5,
        "HMAC-SHA256" => SignType::HmacSha256,
        other => panic!("{other}"),
    }
}

/// The string of the entry, less what only the key's own code may know.
fn string_is_ours(entry: &Value, fields: &Fields) {
    let expected = text(entry, "string_to_sign");
    assert_eq!(format!("{}&key={}", sign_message(fields), text(entry, "key")), expected, "{}", entry["id"]);
}

fn fits(entry: &Value) {
    let (id, mut fields, sign_type) = (text(entry, "id"), params(entry), sign_type(entry));
    let (key, expected) = (ApiV2Key::new(text(entry, "key")).unwrap(), text(&entry["expected"], "sign"));
    string_is_ours(entry, &fields);
    assert!(sign(&fields, sign_type, &key).eq_ignore_ascii_case(expected), "{id}");
    fields.insert("sign", expected);
    let told = fields.get("sign_type") == Some(sign_type.as_str());
    let untold = fields.get("sign_type").is_none();
    assert!(told || untold, "{id}");
    fields.clone().verify(&key, None).unwrap_or_else(|error| panic!("{id}: {error}"));
    fields.clone().verify(&key, Some(sign_type)).unwrap();
    if let Some(xml) = entry["xml"].as_str() {
        let read = parse_xml(xml.as_bytes()).unwrap_or_else(|error| panic!("{id}: {error}"));
        for (name, value) in read.iter() {
            assert_eq!(fields.get(name).unwrap_or_default(), value, "{id}: {name}");
        }
        read.verify(&key, None).unwrap_or_else(|error| panic!("{id}: {error}"));
    }
}

fn does_not_fit(entry: &Value) {
    let (id, mut fields, sign_type) = (text(entry, "id"), params(entry), sign_type(entry));
    let key = ApiV2Key::new(text(entry, "key")).unwrap();
    string_is_ours(entry, &fields);
    assert_eq!(sign(&fields, sign_type, &key), text(&entry["expected"], "computed"), "{id}");
    fields.insert("sign", text(&entry["expected"], "sign_is_not"));
    assert_eq!(fields.verify(&key, None), Err(SignError::Mismatch), "{id}");
    if let Some(xml) = entry["xml"].as_str() {
        assert_eq!(parse_xml(xml.as_bytes()).unwrap().verify(&key, None), Err(SignError::Mismatch), "{id}");
    }
}

/// An entry whose key we refuse.
fn sound(entry: &Value) {
    let (fields, expected) = (params(entry), &entry["expected"]);
    let any_key = ApiV2Key::new("00000000000000000000000000000000").unwrap();
    if expected["error"] == "sign missing" {
        assert_eq!(fields.verify(&any_key, None), Err(SignError::Missing));
        return;
    }
    string_is_ours(entry, &fields);
    let (string, key) = (text(entry, "string_to_sign").as_bytes(), text(entry, "key").as_bytes());
    let made = match sign_type(entry) {
        SignType::Md5 => hex(&Md5::digest(string)),
        SignType::HmacSha256 => hex(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), string).as_ref()),
    };
    let published = expected["sign"].as_str().or_else(|| expected["computed"].as_str());
    assert_eq!(Some(made.to_ascii_uppercase()), published.map(str::to_ascii_uppercase), "{}", entry["id"]);
    if let Some(wrong) = expected["sign_is_not"].as_str() {
        assert_ne!(wrong.to_ascii_uppercase(), made.to_ascii_uppercase());
    }
    if let Some(xml) = entry["xml"].as_str() {
        assert_eq!(sign_message(&parse_xml(xml.as_bytes()).unwrap()), sign_message(&fields));
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn order(entry: &Value) {
    let message = sign_message(&params(entry));
    let names: Vec<_> = message.split('&').map(|field| field.split_once('=').unwrap().0).collect();
    assert_eq!(serde_json::to_value(names).unwrap(), entry["expected"]["sorted_names"], "{}", entry["id"]);
}

fn endings(entry: &Value) {
    let expected = entry["expected"].as_object().unwrap();
    assert_eq!(expected.len(), 2);
    for (what, digest) in expected {
        let ending = what.strip_prefix("md5(\"").and_then(|rest| rest.strip_suffix("\")")).unwrap();
        assert_eq!(hex(&Md5::digest(ending)), digest.as_str().unwrap());
    }
    // Ours is the first: of no fields at all, the string is its ending.
    let key = "192006250b4c09247ec02edce69f6a2d";
    let own = sign(&Fields::default(), SignType::Md5, &ApiV2Key::new(key).unwrap());
    assert_eq!(own, hex(&Md5::digest(format!("&key={key}"))).to_ascii_uppercase());
}
