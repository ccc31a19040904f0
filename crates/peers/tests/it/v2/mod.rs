//! APIv2. The Python SDK has nothing of it but the HMAC sign; the Node SDK has all of it.

mod notice;
mod req_info;
mod sign;
mod xml;

use std::collections::BTreeMap;

use rand::Rng as _;
use rand::rngs::StdRng;
use serde_json::{Map, Value};
use wechatpay::v2::Fields;

use crate::generate;

/// Some of the real names, and names that sort before, between and behind them, upper case first.
const NAMES: [&str; 11] = [
    "appid",
    "attach",
    "mch_id",
    "nonce_str",
    "out_trade_no",
    "sub_mch_id",
    "total_fee",
    "Zone",
    "a",
    "a_1",
    "z-9.x",
];

/// Fields of a message. Texts neither begin nor end with white space and hold nothing that XML has no place for.
fn fields(rng: &mut StdRng, number: usize) -> Fields {
    let mut fields = Fields::default();
    for name in NAMES {
        if rng.random_range(0..4) > 0 {
            fields.insert(name, value(rng, number));
        }
    }
    fields.insert("out_trade_no", generate::alphanumeric(rng, 20));
    fields
}

fn value(rng: &mut StdRng, number: usize) -> String {
    match rng.random_range(0..6) {
        0 => String::new(),
        1 => rng.random_range(0..1_000_000).to_string(),
        2 => format!("00{}.50", rng.random_range(0..100)),
        3 => format!("{}\n{}", generate::alphanumeric(rng, 3), generate::alphanumeric(rng, 3)),
        _ => generate::text(rng, number).trim().to_owned(),
    }
}

fn to_json(fields: &Fields) -> Value {
    fields.iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect::<Map<_, _>>().into()
}

/// By name, without the empty ones, between which and absent ones APIv2 makes no difference.
fn by_name(fields: &Fields) -> BTreeMap<String, String> {
    let there = fields.iter().filter(|(_, value)| !value.is_empty());
    there.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn json_by_name(fields: &Value) -> BTreeMap<String, String> {
    let texts = fields
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
    texts.filter(|(_, value)| !value.is_empty()).collect()
}
