//! `GET /v1/messages/stream`: messages as server-sent events.

use payonce_core::{
    Attempts, Clock as _, EventType, Fact, MerchantId, NotificationId, Policy, Submission, SystemClock,
    apply, fact::Passed,
};
use serde_json::{Value, json};

use crate::{
    letter::Letter,
    stage::{API_KEY, MCHID, Stage, payment},
    wire::Wire,
};

fn letter(path: &str) -> Letter {
    Letter::get(path).and("host", "x").and("authorization", format!("Bearer {API_KEY}"))
}

async fn open(stage: &Stage, letter: Letter) -> Wire {
    let mut wire = stage.wire().await;
    let answer = wire.ask(&letter).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/event-stream")));
    wire
}

async fn pay(stage: &Stage, number: u32) {
    stage.ask(&stage.callback(payment(number))).await.assert_acknowledged();
}

/// The ids and the data of the events in what came. Chunks' lengths stand on lines of their own.
fn events(come: &str) -> Vec<(i64, Value)> {
    let ids = come.lines().filter_map(|line| line.strip_prefix("id: ")).map(|id| id.parse().unwrap());
    let data = come.lines().filter_map(|line| line.strip_prefix("data: "));
    ids.zip(data.map(|data| serde_json::from_str(data).unwrap())).collect()
}

#[tokio::test]
async fn what_is_there_comes_at_once_and_what_is_new_when_it_is_committed() {
    let stage = Stage::set().await;
    pay(&stage, 1).await;
    let mut wire = open(&stage, letter("/v1/messages/stream")).await;
    let first = wire.until("id: 1\n").await + &wire.until("\n\n").await;
    pay(&stage, 2).await;
    let second = wire.until("id: 2\n").await + &wire.until("\n\n").await;
    let come = events(&(first + &second));
    assert_eq!(come.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2]);
    let listed = stage.api(Letter::get("/v1/messages")).await.json();
    assert_eq!(listed["messages"], json!([come[0].1, come[1].1]), "an event holds what the list holds");
}

/// Nobody on this node tells of it.
#[tokio::test]
async fn what_another_node_writes_comes_to_all_who_read() {
    let stage = Stage::set().await;
    let mut readers = Vec::new();
    for after in [0, 0, 3] {
        readers.push(open(&stage, letter(&format!("/v1/messages/stream?after={after}"))).await);
    }
    let told = |number: u32| Passed {
        merchant: MerchantId::parse(MCHID).unwrap(),
        notification: NotificationId::parse(&format!("N{number}")).unwrap(),
        event_type: EventType::parse("REFUND.SUCCESS").unwrap(),
        plaintext: "{}".into(),
    };
    let batch: Vec<Submission> = (1..=4).map(|number| Fact::Other(told(number)).into()).collect();
    let outcomes = apply(&*stage.store, &batch, &Policy::default(), SystemClock.now(), &Attempts(1)).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    for (reader, first) in readers.iter_mut().zip([1, 1, 4]) {
        let come = reader.until("id: 4\n").await;
        assert!(come.contains(&format!("id: {first}\n")), "{come}");
        assert_eq!(come.matches("id: ").count(), 5 - first);
    }
}

#[tokio::test]
async fn a_reader_who_comes_back_goes_on_after_the_last_event_that_he_saw() {
    let stage = Stage::set().await;
    for number in 1..=4 {
        pay(&stage, number).await;
    }
    for (letter, first) in [
        (letter("/v1/messages/stream?after=2"), 3),
        (letter("/v1/messages/stream").and("last-event-id", "3"), 4),
        (letter("/v1/messages/stream?after=1").and("last-event-id", "3"), 4),
    ] {
        let come = open(&stage, letter).await.until("id: 4\n").await;
        let ids: Vec<_> = come.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
        assert_eq!(ids.first(), Some(&first.to_string().as_str()), "{ids:?}");
    }
    let foreign = letter("/v1/messages/stream").and("last-event-id", "order:1:2");
    assert_eq!(stage.wire().await.ask(&foreign).await.status, 400);
    assert_eq!(stage.wire().await.ask(&Letter::get("/v1/messages/stream")).await.status, 401);
}

#[tokio::test]
async fn a_stream_ends_when_the_server_does() {
    let stage = Stage::set().await;
    let mut wire = open(&stage, letter("/v1/messages/stream")).await;
    let (server, _struck) = stage.parted();
    let ended =
        crate::wire::within("the end of the server", async { tokio::join!(server.stop(), wire.rest()) });
    ended.await;
}
