//! Texts and JSON, drawn at random from a seeded source: what a body, a name or a field may hold.

use rand::distr::Alphanumeric;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, RngCore as _};
use serde_json::{Map, Number, Value};

/// Characters of one, two, three and four bytes: those that XML, JSON, URLs and signing strings could trip over, Chinese,
/// right to left, combined, and outside the first plane.
const CHARACTERS: &str = "azAZ09 _-.:/?&=+%#<>'\"\\|~,;{}[]()é߀中文支付汉字名汤圆，。！“”…ＡӁעברית🎉👩‍👩‍👧‍👦🇨🇳𠮷\u{301}\u{2028}\u{a0}\u{fffd}";

/// What only raw bodies hold.
const CONTROL: &str = "\n\r\t\0\u{1}\u{7f}\u{feff}";

/// Characters of the longest bodies.
const LONG: usize = 30_000;

pub(crate) fn alphanumeric(rng: &mut StdRng, length: usize) -> String {
    (0..length).map(|_| char::from(rng.sample(Alphanumeric))).collect()
}

/// `length` characters without controls.
pub(crate) fn text(rng: &mut StdRng, length: usize) -> String {
    characters(rng, CHARACTERS, length)
}

fn characters(rng: &mut StdRng, from: &str, length: usize) -> String {
    let from: Vec<char> = from.chars().collect();
    (0..length).map(|_| *from.choose(rng).unwrap()).collect()
}

/// A body of a request or a callback, each number of another kind; none is beyond UTF-8.
pub(crate) fn body(rng: &mut StdRng, number: usize) -> String {
    let length = rng.random_range(1..200);
    match number % 8 {
        0 => String::new(),
        1 => rng.next_u64().to_string(),
        2 => json(rng, 4).to_string(),
        3 => serde_json::to_string_pretty(&json(rng, 4)).unwrap(),
        4 => text(rng, length),
        5 => characters(rng, &format!("{CHARACTERS}{CONTROL}"), length),
        6 => format!("\u{feff} {}\r\n", json(rng, 2)),
        _ => text(rng, LONG),
    }
}

/// The JSON of a resource, an object; long every tenth time.
pub(crate) fn object(rng: &mut StdRng, number: usize) -> String {
    let length = if number % 10 == 9 { LONG } else { 20 };
    let mut object = Map::new();
    object.insert("attach".to_owned(), text(rng, length).into());
    object.insert("金额".to_owned(), json(rng, 3));
    let object = Value::Object(object);
    if number.is_multiple_of(2) { object.to_string() } else { serde_json::to_string_pretty(&object).unwrap() }
}

fn json(rng: &mut StdRng, depth: u32) -> Value {
    let kinds = if depth == 0 { 5 } else { 7 };
    let length = rng.random_range(0..6);
    match rng.random_range(0..kinds) {
        0 => Value::Null,
        1 => Value::Bool(rng.random()),
        2 => Value::from(rng.random::<i64>()),
        3 => Value::from(Number::from_f64(rng.random::<f64>() * 1e9).unwrap()),
        4 => Value::from(characters(rng, &format!("{CHARACTERS}{CONTROL}"), 4 * length)),
        5 => (0..length).map(|_| json(rng, depth - 1)).collect(),
        _ => Value::Object((0..length).map(|_| (text(rng, 5), json(rng, depth - 1))).collect()),
    }
}
