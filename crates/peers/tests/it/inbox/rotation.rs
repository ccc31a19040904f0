//! While a secret is rotated, receivers that know the old one, the new one or both take what is sent.

use reqwest::Method;
use serde_json::json;

use super::{
    program::Program,
    programs,
    receiver::Receiver,
    shop::Shop,
    stage::{Stage, amount_fen},
};

const OLD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

programs! {
    Python in python { old_and_new_secrets_verify_until_the_grace_ends }
    Node in node { old_and_new_secrets_verify_until_the_grace_ends }
    Go in go { old_and_new_secrets_verify_until_the_grace_ends }
    Java in java { old_and_new_secrets_verify_until_the_grace_ends }
    Php in php { old_and_new_secrets_verify_until_the_grace_ends }
    CSharp in csharp { old_and_new_secrets_verify_until_the_grace_ends }
}

async fn old_and_new_secrets_verify_until_the_grace_ends(program: Program) {
    let (stage, shop) = (Stage::set().await, Shop::open(&[1, 2, 3, 4]));
    let of_old = Receiver::start(program, &shop, OLD_SECRET);
    stage.define("shop", json!({ "url": of_old.url(), "secret": OLD_SECRET })).await;
    let rotate = |grace_seconds: u32| {
        let rotation = json!({ "grace_seconds": grace_seconds });
        stage.api(Method::POST, "/v1/endpoints/shop/rotate", rotation)
    };
    let rotated = rotate(3600).await;
    let new_secret = rotated["secret"].as_str().unwrap();
    let of_new = Receiver::start(program, &shop, new_secret);
    let of_both = Receiver::start(program, &shop, &format!("{new_secret} {OLD_SECRET}"));

    // Left out of a later definition, secrets stay, both of them.
    for (number, receiver) in [(1, &of_old), (2, &of_new), (3, &of_both)] {
        stage.define("shop", json!({ "url": receiver.url() })).await;
        let message = stage.pay(number).await;
        assert_eq!(stage.answers("shop", &message, 1).await, [204], "receiver {number}");
        assert_eq!(shop.paid(number), (1, amount_fen(number)));
    }

    rotate(0).await;
    let message = stage.pay(4).await;
    assert_eq!(stage.answers("shop", &message, 1).await[0], 401, "neither of the two signs any longer");
    assert_eq!(shop.paid(4), (0, 0));
}
