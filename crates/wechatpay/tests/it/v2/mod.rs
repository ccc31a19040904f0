//! APIv2 against vectors made by openssl and Python (`v2.json`), and against every kind of damage.

mod calls;
mod damage;
mod notices;
mod pains;
mod refunds;
mod sign;
mod xml;

use serde_json::Value;
use wechatpay::v2::{ApiV2Key, Callback, Caller, Fields, SignType, VerifiedFields, sign, write_xml};

use crate::fixture::vectors;

fn key() -> ApiV2Key {
    ApiV2Key::new(vectors("v2")["apiv2_key"].as_str().unwrap()).unwrap()
}

fn other_key() -> ApiV2Key {
    ApiV2Key::new("00000000000000000000000000000000").unwrap()
}

fn of<const N: usize>(fields: [(&str, &str); N]) -> Fields {
    let mut all = Fields::default();
    fields.into_iter().for_each(|(name, value)| all.insert(name, value));
    all
}

/// Fields of a vector's JSON object.
fn of_json(object: &Value) -> Fields {
    let mut all = Fields::default();
    for (name, value) in object.as_object().unwrap() {
        all.insert(name, value.as_str().unwrap_or_default());
    }
    all
}

/// The vector of this name in a list of `v2.json`.
fn vector(list: &str, name: &str) -> Value {
    let all = vectors("v2");
    let found = all[list].as_array().unwrap().iter().find(|vector| vector["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {list}")).clone()
}

/// Signed XML.
fn signed(mut fields: Fields, sign_type: SignType) -> String {
    fields.insert("sign", sign(&fields, sign_type, &key()));
    write_xml(&fields).unwrap()
}

fn verified(fields: Fields) -> VerifiedFields {
    let body = signed(fields, SignType::Md5);
    let Callback::Signed(callback) = Callback::parse(body.as_bytes()).unwrap() else { panic!("{body}") };
    callback.verify(&key(), None).unwrap()
}

/// The merchant of the vectors.
fn caller() -> Caller {
    Caller::merchant("wx0123456789abcdef", "1900000001")
}

/// A payment notice's fields, those of the vectors.
fn payment() -> Fields {
    of_json(&vector("notices", "cdata, MD5")["fields"])
}
