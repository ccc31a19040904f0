//! docs/simulator.md: its examples are run, and it has every call, trouble and key that there is.

use std::path::Path;

use payonce_simulator::Scenario;
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::shop::Shop;

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/simulator.md");
    std::fs::read_to_string(path).unwrap()
}

/// The blocks of code in this language.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let fences = document.split("\n```").skip(1).step_by(2);
    let of_language = fences.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'));
    of_language.map(str::to_owned).collect()
}

/// The call and the body of an example.
fn call(curl: &str) -> (String, Value) {
    let method = curl.split_once("-X ").map_or("GET", |(_, rest)| rest.split(' ').next().unwrap());
    let path = curl.split_once("http://127.0.0.1:8090").unwrap().1.split(' ').next().unwrap();
    let body = curl.split_once("-d '").map(|(_, rest)| rest.strip_suffix('\'').unwrap());
    (format!("{method} {path}"), body.map_or(Value::Null, |body| serde_json::from_str(body).unwrap()))
}

/// In the order in which they stand, against an order ORDER1 whose backend refuses at first.
#[tokio::test]
async fn every_example_of_the_control_api_works() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(500).await);
    let document = document();
    let examples: Vec<_> = blocks(&document, "sh")
        .iter()
        .flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| line.starts_with("curl"))
        .map(|line| call(&line))
        .collect();
    assert!(examples.len() > 15, "{examples:?}");
    for (call, body) in examples {
        if call == "POST /_sim/pay" {
            shop.sim("POST /_sim/reset", Value::Null).await;
            shop.place_for("ORDER1", &receiver.url()).await;
        }
        shop.sim(&call, body).await;
    }
}

#[tokio::test]
async fn every_control_call_stands_in_the_table() {
    let document = document();
    let listed = Shop::open().await.sim("GET /_sim", Value::Null).await;
    let calls: Vec<_> = listed["calls"].as_array().unwrap().iter().map(|call| &call["call"]).collect();
    for call in &calls {
        assert!(document.contains(&format!("| `{}` |", call.as_str().unwrap())), "{call}");
    }
    let rows = document.lines().filter(|line| line.starts_with("| `") && line.contains(" /_sim")).count();
    assert_eq!(rows, calls.len(), "nothing stands there that is not");
}

#[test]
fn every_scenario_in_it_is_one() {
    let blocks = blocks(&document(), "toml");
    assert!(!blocks.is_empty());
    for block in blocks {
        Scenario::from_toml(&block).unwrap();
    }
}

/// Every example of `do` is one, and every trouble has its example.
#[test]
fn every_trouble_stands_in_the_tables() {
    let document = document();
    for (list, heading) in
        [("notices", "### What happens to a notice"), ("calls", "### What happens to a call")]
    {
        let section = document.split_once(heading).unwrap().1.split("\n#").next().unwrap();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
        let examples: Vec<_> = rows.flat_map(|row| row.split('`').skip(1).step_by(2)).collect();
        for example in examples.iter().filter(|example| **example != "do") {
            // Further changes of an answer stand by themselves.
            let whole = format!("[[{list}]]\ndo = {example}");
            let answer = format!("[[{list}]]\ndo = {{ answer = {example} }}");
            assert!(Scenario::from_toml(&whole).or(Scenario::from_toml(&answer)).is_ok(), "{whole}");
        }
        let refused = Scenario::from_toml(&format!("[[{list}]]\ndo = \"no_such_trouble\"")).unwrap_err();
        let refused = refused.to_string();
        let known =
            refused.split_once("expected one of ").unwrap().1.split_once('\n').map_or("", |(known, _)| known);
        let known: Vec<_> = known.split('`').skip(1).step_by(2).collect();
        assert!(known.len() >= 5, "{refused}");
        for name in known {
            let stands = examples.iter().any(|example| {
                *example == format!("\"{name}\"") || example.starts_with(&format!("{{ {name} = "))
            });
            assert!(stands, "{name} has no example in {heading}");
        }
    }
}

/// Each key by which a rule chooses.
#[test]
fn every_key_of_a_selector_stands_in_the_table() {
    let document = document();
    let section = document.split_once("### What a rule hits").unwrap().1.split("\n#").next().unwrap();
    for rule in [
        json!({ "notices": [{ "when": { "x": 1 }, "do": "never" }] }),
        json!({ "calls": [{ "when": { "x": 1 }, "do": "paid_meanwhile" }] }),
    ] {
        let refused = serde_json::from_value::<Scenario>(rule).unwrap_err().to_string();
        let known = refused.split_once("expected one of ").unwrap().1;
        for key in known.split('`').skip(1).step_by(2) {
            assert!(section.contains(&format!("`{key}`")), "{key}");
        }
    }
}
