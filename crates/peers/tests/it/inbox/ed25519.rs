//! Endpoints with an ed25519 key: the receiver has its public half alone. Where the published packages know shared
//! secrets alone, the language's own cryptography verifies.

use serde_json::json;

use super::{
    program::Program,
    programs,
    receiver::Receiver,
    shop::Shop,
    stage::{Stage, amount_fen},
};

programs! {
    Node in node { a_public_key_verifies }
    Go in go { a_public_key_verifies }
    Java in java { a_public_key_verifies }
    Php in php { a_public_key_verifies }
}

async fn a_public_key_verifies(program: Program) {
    let (stage, shop) = (Stage::set().await, Shop::open(&[1, 2]));
    // The address is known only once the receiver runs, and the receiver needs the key first.
    let defined = stage.define("shop", json!({ "url": "http://127.0.0.1:9/", "algorithm": "ed25519" })).await;
    let receiver = Receiver::start(program, &shop, defined["public_key"].as_str().unwrap());
    stage.define("shop", json!({ "url": receiver.url() })).await;
    let message = stage.pay(1).await;
    assert_eq!(stage.answers("shop", &message, 1).await, [204]);
    assert_eq!(shop.paid(1), (1, amount_fen(1)));

    let other = json!({ "url": receiver.url(), "algorithm": "ed25519" });
    stage.define("other", other).await;
    let message = stage.pay(2).await;
    assert_eq!(stage.answers("other", &message, 1).await[0], 401, "signed by another key");
    assert_eq!(stage.answers("shop", &message, 1).await, [204]);
}
