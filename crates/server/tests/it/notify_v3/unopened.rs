//! 500: proven to be WeChat's, but our APIv3 key does not open it. Kept whole, and applied once the key is mended.

use std::time::Duration;

use payonce_core::{
    Store as _,
    store::{Owner, UnopenedRow},
};
use payonce_server::{Patience, config::Config};
use payonce_simulator::{Merchant, Payment};
use wechatpay::headers;

use crate::stage::{APPID, MCHID, NOW, Stage, merchant, payment};

/// The merchant under a key that WeChat does not use.
fn wrongly_keyed() -> Merchant {
    Merchant::new(MCHID, APPID, "apiv3KeyThatNobodyHasEverUsed012").unwrap()
}

#[tokio::test]
async fn what_a_wrong_key_did_not_open_is_applied_once_when_the_key_is_mended() {
    let stage = Stage::of(&[wrongly_keyed()], |_, _| ()).await;
    let letter = stage.callback(payment(1));
    // WeChat sends again, as it does; it is one callback for all that.
    for _ in 0..3 {
        stage.ask(&letter).await.assert_refused(500, "was the key reset on the merchant platform?");
    }
    stage.register(1).await;

    let stage = stage.restarted(&[wrongly_keyed()]).await;
    let counts = stage.counts().await;
    assert_eq!(
        (counts.unopened, counts.payments, counts.rejected),
        (1, 0, 0),
        "a key still wrong loses nothing"
    );

    // Long after the timestamp's window: the signature is looked at as of the time at which the callback came.
    stage.clock_seconds(wechatpay::UnixSeconds(NOW.0 + 86_400));
    let stage = stage.restarted(&[merchant()]).await;
    stage.store.committed(1).await;
    assert_eq!(stage.order_state(1).await, "paid");
    assert_eq!(stage.message_types().await, ["payment.succeeded"]);

    // What WeChat still sends is a copy now.
    stage.clock_seconds(NOW);
    stage.ask(&letter).await.assert_acknowledged();
    let stage = stage.restarted(&[merchant()]).await;
    assert_eq!(stage.message_types().await, ["payment.succeeded"]);
    let counts = stage.struck().await.counts().await;
    assert_eq!((counts.unopened, counts.payments, counts.receipts), (0, 1, 2));
}

/// A node took it, and died; or one with the old key did. What is in another's hands is looked for again.
#[tokio::test]
async fn what_another_node_has_in_its_hands_is_taken_up_once_that_is_over() {
    let stage = Stage::of(&[wrongly_keyed()], |_, _| ()).await;
    stage.ask(&stage.callback(payment(1))).await.assert_refused(500, "was the key reset");
    stage.register(1).await;
    let (dead, ttl) = (Owner("dead".to_owned()), Duration::from_secs(1));
    crate::wire::within("the callback in other hands", async {
        let first = UnopenedRow::default();
        while stage.store.take_unopened(&dead, ttl, first, 64).await.unwrap().is_empty() {}
    })
    .await;

    let often = |_: &mut Config, patience: &mut Patience| patience.unopened = Duration::from_millis(10);
    let stage = stage.restarted_with(&[merchant()], often).await;
    stage.store.committed(1).await;
    assert_eq!(stage.order_state(1).await, "paid");
}

/// WeChat may change a payment's fields: what is not understood may be later, and no flood of forgeries takes its place.
#[tokio::test]
async fn a_payment_that_is_not_understood_is_kept_whole_whatever_else_is_refused() {
    let stage = Stage::with(|config, _| config.retention.rejected_rows_max = 1).await;
    // Longer than what is kept of a refused body.
    let attach = Some("x".repeat(20_000));
    let letter = stage.callback(Payment { amount_fen: -1, attach, ..payment(1) });
    for _ in 0..2 {
        stage.ask(&letter).await.assert_refused(400, "the decrypted resource is no transaction");
    }
    let forged = stage.callback(payment(2)).with(headers::NONCE, "forged");
    for _ in 0..3 {
        stage.ask(&forged).await.assert_refused(401, "does not fit");
    }

    let often = |_: &mut Config, patience: &mut Patience| patience.unopened = Duration::from_millis(10);
    let stage = stage.restarted_with(&[merchant()], often).await;
    stage.store.looked_at_unopened().await;
    let counts = stage.counts().await;
    assert_eq!(
        (counts.unopened, counts.rejected, counts.payments),
        (1, 1, 0),
        "it waits for a payonce that reads it"
    );
    let (owner, first) = (Owner("reader".to_owned()), UnopenedRow::default());
    let struck = stage.struck().await;
    let kept = struck.store.take_unopened(&owner, Duration::ZERO, first, 9).await.unwrap();
    assert_eq!(kept[0].1.body, letter.body);
}

/// A damaged one (or another merchant's) must not keep those behind it from their turn.
#[tokio::test]
async fn callbacks_that_never_open_do_not_stand_in_the_way_of_others() {
    const NEVER: u32 = 300;
    let stage = Stage::of(&[wrongly_keyed()], |_, _| ()).await;
    let cut = |envelope: &mut serde_json::Value| {
        let ciphertext = envelope["resource"]["ciphertext"].as_str().unwrap();
        envelope["resource"]["ciphertext"] = ciphertext[4..].into();
    };
    let mut wire = stage.wire().await;
    for number in 0..NEVER {
        wire.ask(&stage.edited(payment(number), cut)).await.assert_refused(500, "does not open");
    }
    wire.ask(&stage.callback(payment(NEVER))).await.assert_refused(500, "does not open");
    drop(wire);

    let stage = stage.restarted(&[merchant()]).await;
    stage.store.committed(1).await;
    assert_eq!(stage.message_types().await, ["payment.unmatched"]);
    assert_eq!(stage.struck().await.counts().await.unopened, u64::from(NEVER));
}
