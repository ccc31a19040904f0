//! Rules: chosen by what they say, thrown by the seed, switched over HTTP, refused where they say nonsense.

use payonce_simulator::{Scenario, Setup};
use serde_json::{Value, json};

use super::troubled;
use crate::receiver::Receiver;
use crate::shop::{Shop, setup};

/// Which of twelve orders were hit.
async fn hits(shop: &Shop) -> Vec<u32> {
    let receiver = Receiver::answering(204).await;
    for number in 1..=12 {
        shop.paid(&format!("ORDER{number:02}"), &receiver.url()).await;
    }
    shop.simulator.read(|books| {
        let entries = books.notices.entries().map(|(_, entry)| entry.attempts[0].heard.trouble.len());
        entries.zip(1..).filter(|(hits, _)| *hits > 0).map(|(_, number)| number).collect()
    })
}

#[tokio::test]
async fn notices_are_chosen_by_what_a_rule_says() {
    for (when, expected) in [
        ("nth = 3", vec![3]),
        ("every = 5", vec![5, 10]),
        ("order = \"ORDER0*\", nth = 9", vec![9]),
        ("order = \"*1\"", vec![1, 11]),
        ("times = 2", vec![1, 2]),
        ("merchant = \"1\"", vec![]),
        ("event = \"REFUND.SUCCESS\"", vec![]),
        ("event = \"TRANSACTION.SUCCESS\", nth = 1", vec![1]),
        ("attempt = 2", vec![]),
    ] {
        let shop = troubled(&format!("[[notices]]\nwhen = {{ {when} }}\ndo = \"headers_small\"")).await;
        assert_eq!(hits(&shop).await, expected, "{when}");
    }
}

/// The same seed hits the same notices; another seed others.
#[tokio::test]
async fn dice_fall_by_the_seed() {
    let scenario = "[[notices]]\nwhen = { percent = 50 }\ndo = \"headers_small\"";
    let thrown = async |scenario: &str, seed| {
        let scenario = Scenario::from_toml(scenario).unwrap();
        hits(&Shop::of(Setup { scenario, seed, ..setup() }).await).await
    };
    let one = thrown(scenario, 1).await;
    assert_eq!(one, thrown(scenario, 1).await);
    assert_eq!(one, thrown(&format!("seed = 1\n{scenario}"), 9).await, "a scenario may name its own");
    assert_ne!(one, thrown(scenario, 2).await);
    assert!(!one.is_empty() && one.len() < 12, "{one:?}");
}

#[tokio::test]
async fn rules_are_switched_over_http() {
    let (shop, receiver) = (Shop::open().await, Receiver::answering(204).await);
    let rule = json!({ "notices": [{ "name": "silence", "do": "never" }] });
    let put = shop.sim("PUT /_sim/trouble", rule.clone()).await;
    let expected = json!({
        "seed": 1,
        "notices": [{ "name": "silence", "when": {}, "do": "never", "fitted": 0, "hits": 0 }],
        "calls": [],
    });
    assert_eq!(put, expected);
    shop.paid("ORDER1", &receiver.url()).await;
    assert_eq!(receiver.came().len(), 0);
    let listed = shop.sim("GET /_sim/trouble", Value::Null).await;
    assert_eq!((&listed["notices"][0]["fitted"], &listed["notices"][0]["hits"]), (&json!(1), &json!(1)));

    let more = json!({ "calls": [{ "when": { "path": "/v3/*" }, "do": { "fails": { "status": 500 } } }] });
    let both = shop.sim("POST /_sim/trouble", more).await;
    assert_eq!(both["calls"][0]["name"], "call-1");
    assert_eq!(shop.post("/v3/pay/transactions/jsapi", &shop.order("ORDER2")).await.status, 500);
    shop.sim("DELETE /_sim/trouble/call-1", Value::Null).await;
    shop.place_for("ORDER2", &receiver.url()).await;
    let (status, json) = shop.control("DELETE /_sim/trouble/call-1", &Value::Null).await;
    assert_eq!((status, &json["error"]["code"]), (404, &json!("rule_unknown")));

    let again = shop.sim("POST /_sim/trouble", rule).await;
    assert_eq!(again["notices"].as_array().unwrap().len(), 1, "a name is there once");
    let cleared = shop.sim("DELETE /_sim/trouble", Value::Null).await;
    assert_eq!(cleared, json!({ "seed": 1, "notices": [], "calls": [] }));
    shop.paid("ORDER3", &receiver.url()).await;
    assert_eq!(receiver.came().len(), 1);
}

#[tokio::test]
async fn rules_count_anew_after_a_reset() {
    let shop = troubled("[[notices]]\nwhen = { nth = 1 }\ndo = \"headers_small\"").await;
    for _ in 0..2 {
        assert_eq!(hits(&shop).await, [1]);
        shop.sim("POST /_sim/reset", Value::Null).await;
    }
}

/// Which key or value is wrong, and which there are.
#[test]
fn nonsense_is_refused_by_name() {
    for (scenario, says) in [
        ("sed = 1", "unknown field `sed`, expected one of `seed`, `notices`, `calls`"),
        (
            "[[notices]]\nwen = {}\ndo = \"never\"",
            "unknown field `wen`, expected one of `name`, `when`, `do`",
        ),
        (
            "[[notices]]\nwhen = { ordr = \"A\" }\ndo = \"never\"",
            "unknown field `ordr`, expected one of `order`, `merchant`",
        ),
        ("[[notices]]\nwhen = {}", "missing field `do`"),
        ("[[notices]]\ndo = \"explode\"", "unknown variant `explode`, expected one of `never`, `late`"),
        (
            "[[notices]]\ndo = { late = { minutes = 1 } }",
            "unexpected keys in table: minutes, available keys: seconds",
        ),
        ("[[notices]]\nwhen = { nth = 0 }\ndo = \"never\"", "nonzero"),
        ("[[notices]]\nwhen = { percent = 101 }\ndo = \"never\"", "rule 1 of notices: percent is 1 to 100"),
        (
            "[[notices]]\ndo = { concurrent = { copies = 1 } }",
            "rule 1 of notices: concurrent copies are 2 to 100",
        ),
        (
            "[[notices]]\ndo = \"never\"\n[[notices]]\ndo = { other_amount = { by_fen = 0 } }",
            "rule 2 of notices: by_fen",
        ),
        ("[[notices]]\nwhen = { attempt = 2, every_attempt = true }\ndo = \"never\"", "exclude each other"),
        (
            "[[calls]]\nwhen = { event = \"A\" }\ndo = \"paid_meanwhile\"",
            "unknown field `event`, expected one of `method`",
        ),
        (
            "[[calls]]\ndo = { fails = { status = 200 } }",
            "rule 1 of calls: a status that fails is 400 to 599",
        ),
        (
            "[[calls]]\ndo = { answer = \"eaten\" }",
            "unknown variant `eaten`, expected one of `signature_probe`",
        ),
        (
            "[[notices]]\nname = \"a\"\ndo = \"never\"\n[[calls]]\nname = \"a\"\ndo = \"paid_meanwhile\"",
            "rule 1 of notices: two rules have this name",
        ),
        (
            "[[notices]]\ndo = { hang_up = { millis = 5001 } }",
            "rule 1 of notices: hang_up millis are 0 to 5000",
        ),
        (
            "[[notices]]\ndo = { header_missing = { header = \"Wechatpay-Nonse\" } }",
            "rule 1 of notices: header is Content-Type",
        ),
        (
            "[[notices]]\ndo = { other_field = { path = \"amount\", value = 1 } }",
            "rule 1 of notices: path is a JSON pointer",
        ),
        ("[[notices]]\ndo = { resource_nonce = { chars = 12 } }", "rule 1 of notices: chars is another"),
        ("seed = ", "line 1"),
    ] {
        let error = Scenario::from_toml(scenario).unwrap_err().to_string();
        assert!(error.contains(says), "{scenario}\n{error}");
    }
}

/// A rule without a name is called by its place, and takes nobody else's name.
#[tokio::test]
async fn a_name_that_is_made_up_is_free() {
    let shop = Shop::open().await;
    shop.sim("POST /_sim/trouble", json!({ "notices": [{ "name": "notice-2", "do": "never" }] })).await;
    let rules = json!({ "notices": [
        { "do": "never" }, { "name": "notice-3", "do": "never" }, { "do": "never" },
    ] });
    let added = shop.sim("POST /_sim/trouble", rules).await;
    let names: Vec<_> = added["notices"].as_array().unwrap().iter().map(|rule| &rule["name"]).collect();
    assert_eq!(names, ["notice-2", "notice-4", "notice-3", "notice-5"]);
}
