//! The effect happens once: of copies at the same time, of replays, after a crash; and in the end also if it failed first.

use payonce_core::store::MessageView;
use reqwest::Method;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::task::JoinSet;

use super::{
    program::Program,
    programs,
    receiver::Receiver,
    shop::Shop,
    stage::{Stage, amount_fen, now},
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Copies of one message that a test sends beside payonce.
const COPIES: usize = 24;

programs! {
    Python in python {
        copies_at_the_same_time_have_one_effect,
        a_replay_has_no_second_effect,
        an_effect_that_failed_is_tried_again,
        a_receiver_that_dies_before_it_answers_gets_it_again_and_the_effect_stays_one,
    }
    Node in node {
        copies_at_the_same_time_have_one_effect,
        a_replay_has_no_second_effect,
        an_effect_that_failed_is_tried_again,
        a_receiver_that_dies_before_it_answers_gets_it_again_and_the_effect_stays_one,
    }
    Go in go {
        copies_at_the_same_time_have_one_effect,
        a_replay_has_no_second_effect,
        an_effect_that_failed_is_tried_again,
    }
    Java in java {
        copies_at_the_same_time_have_one_effect,
        a_replay_has_no_second_effect,
        an_effect_that_failed_is_tried_again,
    }
    Php in php {
        copies_at_the_same_time_have_one_effect,
        a_replay_has_no_second_effect,
        an_effect_that_failed_is_tried_again,
    }
    CSharp in csharp {
        copies_at_the_same_time_have_one_effect,
        a_replay_has_no_second_effect,
        an_effect_that_failed_is_tried_again,
    }
}

/// Two instances of the merchant's service share a database. The message comes to both from payonce, and many times over.
async fn copies_at_the_same_time_have_one_effect(program: Program) {
    let (stage, shop) = (Stage::set().await, Shop::open(&[1]));
    let receivers = [Receiver::start(program, &shop, SECRET), Receiver::start(program, &shop, SECRET)];
    for (name, receiver) in ["one", "two"].into_iter().zip(&receivers) {
        stage.define(name, json!({ "url": receiver.url(), "secret": SECRET })).await;
        stage.api(Method::POST, &format!("/v1/endpoints/{name}/disable"), Value::Null).await;
    }
    let message = stage.pay(1).await;
    let mut copies = JoinSet::new();
    for copy in 0..COPIES {
        copies.spawn(send(receivers[copy % 2].url(), message.clone()));
    }
    for name in ["one", "two"] {
        stage.api(Method::POST, &format!("/v1/endpoints/{name}/enable"), Value::Null).await;
    }
    assert_eq!(copies.join_all().await, [204; COPIES]);
    for name in ["one", "two"] {
        assert_eq!(stage.answers(name, &message, 1).await, [204]);
    }
    assert_eq!(shop.paid(1), (1, amount_fen(1)));
    assert_eq!(shop.inbox(), [message.id.0]);
}

/// Sends a message as payonce does, and returns the answer.
async fn send(url: String, message: MessageView) -> u16 {
    let timestamp = now().0;
    let signature =
        Webhook::new(SECRET).unwrap().sign(&message.id.0, timestamp, message.body.as_bytes()).unwrap();
    let call = reqwest::Client::new().post(url).body(message.body.as_bytes().to_vec());
    let call = call.header("webhook-id", message.id.0).header("webhook-timestamp", timestamp);
    call.header("webhook-signature", signature).send().await.unwrap().status().as_u16()
}

async fn a_replay_has_no_second_effect(program: Program) {
    let (stage, shop) = (Stage::set().await, Shop::open(&[1, 2]));
    let receiver = Receiver::start(program, &shop, SECRET);
    stage.define("shop", json!({ "url": receiver.url(), "secret": SECRET })).await;
    let (first, second) = (stage.pay(1).await, stage.pay(2).await);
    assert_eq!(stage.answers("shop", &first, 1).await, [204]);
    for replays in 1..=3 {
        stage.replay("shop", &first).await;
        assert_eq!(stage.answers("shop", &first, 1 + replays).await, vec![json!(204); 1 + replays]);
    }
    assert_eq!(stage.answers("shop", &second, 1).await, [204]);
    assert_eq!((shop.paid(1), shop.paid(2)), ((1, amount_fen(1)), (1, amount_fen(2))));
}

/// The shop does not know the order yet: nothing may stay of the message, or its next attempt would be taken for a copy.
async fn an_effect_that_failed_is_tried_again(program: Program) {
    let (stage, shop) = (Stage::set().await, Shop::open(&[]));
    let receiver = Receiver::start(program, &shop, SECRET);
    stage.define("shop", json!({ "url": receiver.url(), "secret": SECRET })).await;
    let message = stage.pay(1).await;
    assert_eq!(stage.answers("shop", &message, 1).await[0], 500);
    assert_eq!(shop.inbox(), Vec::<String>::new());
    shop.order(1);
    let mut answers = stage.answers("shop", &message, 2).await;
    // One more may have been under way before the order was there.
    while answers.last() == Some(&json!(500)) {
        answers = stage.answers("shop", &message, answers.len() + 1).await;
    }
    assert_eq!(answers.last(), Some(&json!(204)), "{answers:?}");
    assert_eq!(shop.paid(1), (1, amount_fen(1)));
}

async fn a_receiver_that_dies_before_it_answers_gets_it_again_and_the_effect_stays_one(program: Program) {
    let (stage, shop) = (Stage::set().await, Shop::open(&[1]));
    let dying = Receiver::start_dying(program, &shop, SECRET);
    stage.define("shop", json!({ "url": dying.url(), "secret": SECRET })).await;
    let message = stage.pay(1).await;
    assert_eq!(dying.wait().code(), Some(42), "it ended where it was to end");
    assert_eq!(shop.paid(1), (1, amount_fen(1)), "its effect was committed");
    let again = Receiver::start(program, &shop, SECRET);
    stage.define("shop", json!({ "url": again.url() })).await;
    let mut answers = stage.answers("shop", &message, 2).await;
    // It may have been called at the old address until then.
    while answers.last() == Some(&Value::Null) {
        answers = stage.answers("shop", &message, answers.len() + 1).await;
    }
    assert_eq!((&answers[0], answers.last()), (&Value::Null, Some(&json!(204))), "{answers:?}");
    assert_eq!(shop.paid(1), (1, amount_fen(1)), "and did not happen twice");
}
