//! `/healthz`, `/readyz`, `/metrics`, and what is nowhere.

use payonce_simulator::Merchant;

use crate::{
    letter::Letter,
    stage::{APPID, MCHID, Stage, payment},
    store::Trouble,
};

#[tokio::test]
async fn ready_while_the_database_answers_and_alive_in_any_case() {
    let stage = Stage::set().await;
    let ready = stage.ask(&Letter::get("/readyz")).await;
    assert_eq!((ready.status, ready.body.as_str()), (200, "ready\n"));

    stage.store.trouble(Trouble::Unavailable);
    let ready = stage.ask(&Letter::get("/readyz")).await;
    let text = "not ready: the database is unavailable (disk full: free some space)\n";
    assert_eq!((ready.status, ready.body.as_str()), (503, text));
    let alive = stage.ask(&Letter::get("/healthz")).await;
    assert_eq!((alive.status, alive.body.as_str()), (200, "ok\n"));

    stage.store.trouble(Trouble::None);
    assert_eq!(stage.ask(&Letter::get("/readyz")).await.status, 200);
}

#[tokio::test]
async fn metrics_count_what_happened() {
    let stage = Stage::set().await;
    stage.register(1).await;
    for letter in [
        stage.callback(payment(1)),
        stage.callback(payment(1)),
        stage.callback(payment(2)),
        stage.callback(payment(3)).without("wechatpay-nonce"),
        stage.signed("{}"),
    ] {
        stage.ask(&letter).await;
    }
    let metrics = stage.ask(&Letter::get("/metrics")).await;
    assert_eq!(
        metrics.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    // Seconds and the platform's key differ from run to run; all else is exact.
    let varying = ["payonce_callback_seconds_", "payonce_platform_key_uses{"];
    let timeless =
        |line: &&str| !varying.iter().any(|name| line.starts_with(name)) && !line.contains("_bucket{");
    let mut lines: Vec<&str> = metrics.body.lines().filter(timeless).collect();
    // Label sets stand in no order.
    lines.sort_unstable();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    # EOF
    # HELP payonce_batch_facts Facts applied in one transaction.
    # HELP payonce_cache_hits Copies answered without the database, by cache.
    # HELP payonce_callback_seconds Seconds from a callback's head to its answer.
    # HELP payonce_callbacks_accepted Callbacks committed and acknowledged.
    # HELP payonce_callbacks_refused Callbacks answered 4xx or 5xx, by reason.
    # HELP payonce_delivery_attempt_seconds Seconds that an attempt took.
    # HELP payonce_notes_dropped Rejected callbacks and receipts that were not stored.
    # HELP payonce_platform_key_uses Callbacks and answers that a key of WeChat Pay's proved, since the start.
    # HELP payonce_shared_cache_failures Times that the shared cache did not answer in time.
    # HELP payonce_shared_cache_foreign Entries of the shared cache that this database did not seal, and that were ignored.
    # TYPE payonce_batch_facts histogram
    # TYPE payonce_cache_hits counter
    # TYPE payonce_callback_seconds histogram
    # TYPE payonce_callbacks_accepted counter
    # TYPE payonce_callbacks_refused counter
    # TYPE payonce_delivery_attempt_seconds histogram
    # TYPE payonce_notes_dropped counter
    # TYPE payonce_platform_key_uses gauge
    # TYPE payonce_shared_cache_failures counter
    # TYPE payonce_shared_cache_foreign counter
    payonce_batch_facts_count 3
    payonce_batch_facts_sum 3.0
    payonce_cache_hits_total{cache="process"} 1
    payonce_cache_hits_total{cache="shared"} 0
    payonce_callbacks_accepted_total{outcome="applied"} 1
    payonce_callbacks_accepted_total{outcome="duplicate"} 1
    payonce_callbacks_accepted_total{outcome="incident"} 0
    payonce_callbacks_accepted_total{outcome="unmatched"} 1
    payonce_callbacks_refused_total{verdict="headers"} 1
    payonce_callbacks_refused_total{verdict="malformed_notification"} 1
    payonce_delivery_attempt_seconds_count 0
    payonce_delivery_attempt_seconds_sum 0.0
    payonce_notes_dropped_total 0
    payonce_shared_cache_failures_total 0
    payonce_shared_cache_foreign_total 0
    "#);
    let timed = stage.metric("payonce_callback_seconds_count").await;
    assert_eq!(timed.as_deref(), Some("5"));
}

/// What did not open is stored before the answer, and that takes time.
#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_a_callback_ends_with_its_answer() {
    let wrongly_keyed = Merchant::new(MCHID, APPID, "apiv3KeyThatNobodyHasEverUsed012").unwrap();
    let stage = Stage::of(&[wrongly_keyed], |_, _| ()).await;
    stage.store.close_notes_gate();
    let mut asked = stage.ask_all([stage.callback(payment(1))]);
    stage.store.notes_at_gate().await;
    let timed = async || stage.metric("payonce_callback_seconds_count").await;
    let before_the_answer = timed().await;
    stage.store.open_notes_gate();
    asked.join_next().await.unwrap().unwrap().assert_refused(500, "was the key reset");
    assert_eq!((before_the_answer.as_deref(), timed().await.as_deref()), (Some("0"), Some("1")));
}

#[tokio::test]
async fn what_is_nowhere_says_so_in_json() {
    let stage = Stage::set().await;
    for (letter, status, message) in [
        (Letter::get("/"), 404, "nothing is at /"),
        (Letter::get("/v1/order"), 404, "nothing is at /v1/order"),
        (Letter::get("/V1/messages"), 404, "nothing is at /V1/messages"),
        (Letter::get("/%FF"), 404, "nothing is at /%FF"),
        (Letter::post("/healthz", ""), 405, "this path does not take that method"),
        (Letter::post("/metrics", ""), 405, "this path does not take that method"),
    ] {
        let answer = stage.ask(&letter).await;
        let json = answer.json();
        assert_eq!((answer.status, &json["code"]), (status, &"PAY0009".into()), "{letter:?}");
        assert_eq!(json["message"], message);
        assert_eq!(answer.header("allow").is_some(), status == 405, "{answer:?}");
    }
}
