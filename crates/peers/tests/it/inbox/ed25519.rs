//! Endpoints with an ed25519 key: the receiver has its public half alone. Where the published packages know shared
//! secrets alone, the language's own cryptography verifies.

use serde_json::json;
use standardwebhooks::Webhook;

use super::{
    program::Program,
    programs,
    receiver::Receiver,
    shop::Shop,
    stage::{Stage, amount_fen, now},
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
    let public_key = defined["public_key"].as_str().unwrap();
    let receiver = Receiver::start(program, &shop, public_key);
    let forger = Webhook::new(&public_key.replace("whpk_", "whsec_")).unwrap();
    let timestamp = now().0;
    let forged = forger.sign("forged", timestamp, b"{}").unwrap();
    let timestamp = timestamp.to_string();
    let headers =
        [("webhook-id", "forged"), ("webhook-timestamp", &timestamp), ("webhook-signature", &forged)];
    assert_eq!(receiver.post(&headers, b"{}").await, 401, "signed by what anybody may know");

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
