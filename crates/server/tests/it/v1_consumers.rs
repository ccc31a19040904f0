//! `/v1/consumers`: offsets that payonce keeps for those who read.

use payonce_core::{
    Store as _,
    store::{ConsumerName, Position},
};
use serde_json::{Value, json};

use crate::{
    letter::Letter,
    stage::{API_KEY, Stage, merchant, payment},
    store::Trouble,
    wire::Answer,
};

async fn put(stage: &Stage, name: &str, body: Value) -> Answer {
    let letter = Letter::post(&format!("/v1/consumers/{name}"), body.to_string()).method("PUT");
    stage.api(letter.and("content-type", "application/json")).await
}

async fn moves(stage: &Stage, name: &str, body: Value) -> i64 {
    let answer = put(stage, name, body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["position"].as_i64().unwrap()
}

async fn get(stage: &Stage, path: &str) -> Value {
    let answer = stage.api(Letter::get(path)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

async fn positions(stage: &Stage, query: &str) -> Vec<i64> {
    let page = get(stage, &format!("/v1/messages?{query}")).await;
    page["messages"].as_array().unwrap().iter().map(|message| message["position"].as_i64().unwrap()).collect()
}

/// A stage on which so many messages were written.
async fn told(messages: u32) -> Stage {
    let stage = Stage::set().await;
    for number in 1..=messages {
        stage.ask(&stage.callback(payment(number))).await.assert_acknowledged();
    }
    stage
}

#[tokio::test]
async fn a_reader_goes_on_where_it_said_it_was() {
    let stage = told(5).await;
    assert_eq!(moves(&stage, "shop", json!({"position": 0, "from": 0})).await, 0);
    assert_eq!(positions(&stage, "consumer=shop&limit=2").await, [1, 2]);
    assert_eq!(positions(&stage, "consumer=shop&limit=2").await, [1, 2], "reading moves nothing");
    assert_eq!(moves(&stage, "shop", json!({"position": 2, "from": 0})).await, 2);
    assert_eq!(positions(&stage, "consumer=shop").await, [3, 4, 5]);

    let stage = stage.restarted(&[merchant()]).await;
    assert_eq!(positions(&stage, "consumer=shop").await, [3, 4, 5]);
    let shown = get(&stage, "/v1/consumers/shop").await;
    assert_eq!(
        (&shown["name"], &shown["position"], &shown["behind"]),
        (&json!("shop"), &json!(2), &json!(3))
    );
    assert!(shown["changed_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{shown}");

    assert_eq!(moves(&stage, "other", json!({"position": "newest"})).await, 5);
    let page = get(&stage, "/v1/messages?consumer=other").await;
    assert_eq!((&page["messages"], &page["next"]), (&json!([]), &json!(5)));
    assert_eq!(moves(&stage, "shop", json!({"position": 1})).await, 1, "back too");
    let listed = get(&stage, "/v1/consumers").await;
    let stand =
        |at: usize| (listed["consumers"][at]["name"].clone(), listed["consumers"][at]["behind"].clone());
    assert_eq!([stand(0), stand(1)], [(json!("other"), json!(0)), (json!("shop"), json!(4))]);
}

#[tokio::test]
async fn two_instances_of_a_reader_do_not_put_each_other_back() {
    let stage = told(5).await;
    let elsewhere = async |body: Value| {
        let answer = put(&stage, "shop", body).await;
        assert_eq!((answer.status, &answer.json()["code"]), (409, &json!("PAY0032")));
        answer.json()["position"].clone()
    };
    assert_eq!(elsewhere(json!({"position": 2, "from": 1})).await, Value::Null, "it is not there yet");
    assert_eq!(moves(&stage, "shop", json!({"position": 0, "from": 0})).await, 0);
    assert_eq!(moves(&stage, "shop", json!({"position": 4, "from": 0})).await, 4);
    assert_eq!(elsewhere(json!({"position": 2, "from": 0})).await, 4);
    assert_eq!(elsewhere(json!({"position": 0, "from": 0})).await, 4, "one that begins does not begin anew");
    assert_eq!(get(&stage, "/v1/consumers/shop").await["position"], 4);
}

#[tokio::test]
async fn a_stream_begins_where_its_consumer_stands() {
    let stage = told(4).await;
    moves(&stage, "shop", json!({"position": 3})).await;
    let letter = |path: &str| Letter::get(path).and("authorization", format!("Bearer {API_KEY}"));
    for (letter, first) in [
        (letter("/v1/messages/stream?consumer=shop"), "4"),
        (letter("/v1/messages/stream?consumer=shop").and("last-event-id", "1"), "2"),
    ] {
        let mut wire = stage.wire().await;
        assert_eq!(wire.ask(&letter).await.status, 200);
        let come = wire.until("id: 4\n").await;
        assert_eq!(come.lines().find_map(|line| line.strip_prefix("id: ")), Some(first));
    }
    assert_eq!(get(&stage, "/v1/consumers/shop").await["position"], 3, "a stream moves nothing");
}

#[tokio::test]
async fn a_consumer_that_is_not_there() {
    let stage = told(1).await;
    let unknown = [
        Letter::get("/v1/consumers/shop"),
        Letter::get("/v1/consumers/shop").method("DELETE"),
        Letter::get("/v1/messages?consumer=shop"),
        Letter::get("/v1/messages/stream?consumer=shop"),
    ];
    for letter in unknown {
        let answer = stage.api(letter.clone()).await;
        assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("PAY0031")), "{letter:?}");
        assert!(answer.json()["message"].as_str().unwrap().contains("PUT /v1/consumers/shop"), "{letter:?}");
    }
    moves(&stage, "shop", json!({"position": 0})).await;
    assert_eq!(stage.api(Letter::get("/v1/consumers/shop").method("DELETE")).await.status, 204);
    assert_eq!(stage.api(Letter::get("/v1/consumers/shop")).await.status, 404);
}

#[tokio::test]
async fn what_a_consumer_cannot_be() {
    let stage = told(2).await;
    for (name, body) in [
        ("Shop", json!({"position": 0})),
        ("a%2Fb", json!({"position": 0})),
        ("payonce.alerts", json!({"position": 0})),
        ("shop", json!({"position": 3})),
        ("shop", json!({"position": -1})),
        ("shop", json!({"position": 1.5})),
        ("shop", json!({"position": "now"})),
        ("shop", json!({"position": null})),
        ("shop", json!({"from": 0})),
        ("shop", json!({"position": 0, "form": 0})),
        ("shop", json!([])),
    ] {
        let answer = put(&stage, name, body.clone()).await;
        assert_eq!((answer.status, &answer.json()["code"]), (422, &json!("PAY0030")), "{name}: {body}");
    }
    assert_eq!(get(&stage, "/v1/consumers").await, json!({"consumers": []}));
    for query in ["consumer=shop&after=0", "consumer=Shop", "consumer="] {
        for path in ["messages", "messages/stream"] {
            let answer = stage.api(Letter::get(&format!("/v1/{path}?{query}"))).await;
            assert_eq!((answer.status, &answer.json()["code"]), (400, &json!("PAY0002")), "{path}?{query}");
        }
    }
    assert_eq!(stage.ask(&Letter::get("/v1/consumers")).await.status, 401);
}

#[tokio::test]
async fn payonces_own_are_shown_and_left_alone() {
    let stage = told(2).await;
    let own = ConsumerName::parse("payonce.alerts").unwrap();
    stage.store.consumers().move_consumer(&own, None, Position(1)).await.unwrap();
    assert_eq!(get(&stage, "/v1/consumers/payonce.alerts").await["behind"], 1);
    let answer = stage.api(Letter::get("/v1/consumers/payonce.alerts").method("DELETE")).await;
    assert_eq!((answer.status, &answer.json()["code"]), (422, &json!("PAY0030")));
}

#[tokio::test]
async fn offsets_of_a_database_that_is_away() {
    let stage = told(1).await;
    stage.store.trouble(Trouble::Unavailable);
    let answers = [
        put(&stage, "shop", json!({"position": 0})).await,
        stage.api(Letter::get("/v1/consumers")).await,
        stage.api(Letter::get("/v1/messages?consumer=shop")).await,
    ];
    for answer in answers {
        assert_eq!((answer.status, &answer.json()["code"]), (503, &json!("PAY0008")));
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
}
