//! The whole way: a callback that WeChat Pay signs and sends arrives in the database, or the hop that fails is named.

use std::fs;

use payonce_simulator::keys::Mode;

use super::{Clinic, MCHID, notify_url};

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_is_followed_through_the_server_into_the_database() {
    for mode in [Mode::PublicKey, Mode::Certificates, Mode::Both] {
        let clinic = Clinic::open(mode).await;
        let server = clinic.serve();
        let findings = clinic.look(&["--echo", "--notify-url", &notify_url(&server)]).await;
        assert_eq!(findings.complaints(), ["notify_address"], "a loopback, which nobody outside reaches");
        for check in
            ["signed_call", "apiv3_key", "notify_answer", "echo_request", "echo_secret", "echo_callback"]
        {
            assert_eq!(findings.outcome(check), "ok", "{check} {:?}", findings.checks);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_at_the_notify_url_is_found_before_and_after() {
    let clinic = Clinic::open(Mode::PublicKey).await;
    let server = clinic.serve();
    let url = notify_url(&server);
    server.terminate();
    server.wait();
    let findings = clinic.look(&["--echo", "--wait-seconds", "1", "--notify-url", &url]).await;
    assert_eq!(findings.complaints(), ["notify_address", "notify_answer", "echo_callback"]);
    assert!(findings.detail("echo_callback").contains("within 1 s"), "{:?}", findings.checks);
}

/// The server has the APIv3 key of yesterday.
#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_does_not_open_does_not_arrive() {
    let clinic = Clinic::open(Mode::Certificates).await;
    clinic.write("apiv3.key", "ffffffffffffffffffffffffffffffff");
    let server = clinic.serve();
    let findings = clinic.look(&["--echo", "--notify-url", &notify_url(&server)]).await;
    assert_eq!(findings.complaints(), ["signed_call", "notify_address", "echo_callback"]);
    assert!(findings.detail("signed_call").contains("does not open"), "{:?}", findings.checks);
    assert!(
        findings.remedy("signed_call").contains("only if nobody has it any more"),
        "{:?}",
        findings.checks
    );
    assert!(
        findings.remedy("echo_callback").contains("`payonce explain --unopened 1`"),
        "{:?}",
        findings.checks
    );
}

/// The server goes on with the key of yesterday; only the callback shows it.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_not_reloaded_is_found_out() {
    let clinic = Clinic::open(Mode::PublicKey).await;
    let server = clinic.serve_with("apiv3.key", "ffffffffffffffffffffffffffffffff");
    let findings = clinic.look(&["--echo", "--notify-url", &notify_url(&server)]).await;
    assert_eq!(findings.complaints(), ["notify_address", "echo_callback"]);
    assert!(findings.detail("echo_callback").contains("cannot open it"), "{:?}", findings.checks);
    assert!(
        findings.remedy("echo_callback").contains("`payonce explain --unopened 1`"),
        "{:?}",
        findings.checks
    );
    assert_eq!(findings.outcome("apiv3_key"), "skipped");
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_callback_was_refused_is_told() {
    let (clinic, other) = (Clinic::open(Mode::PublicKey).await, Clinic::open(Mode::PublicKey).await);
    let key = fs::read_to_string(other.folder().join("pub_key.pem")).unwrap();
    let server = clinic.serve_with("pub_key.pem", &key);
    let findings =
        clinic.look(&["--echo", "--wait-seconds", "5", "--notify-url", &notify_url(&server)]).await;
    assert_eq!(findings.complaints(), ["notify_address", "echo_callback"]);
    let detail = findings.detail("echo_callback");
    assert!(detail.contains("meanwhile one was refused: the signature does not fit"), "{detail}");
    let remedy = findings.remedy("echo_callback");
    assert!(remedy.contains("`payonce explain --rejected "), "{remedy}");
}

/// Doctor sends a probe itself, which the server refuses.
#[tokio::test(flavor = "multi_thread")]
async fn doctors_own_probe_is_not_blamed() {
    let nowhere = "127.0.0.1:1".parse().unwrap();
    let clinic = Clinic::detoured(Mode::PublicKey, Some(nowhere)).await;
    let server = clinic.serve();
    let findings =
        clinic.look(&["--echo", "--wait-seconds", "1", "--notify-url", &notify_url(&server)]).await;
    assert_eq!(findings.complaints(), ["notify_address", "echo_callback"]);
    let detail = findings.detail("echo_callback");
    assert_eq!(detail, "no callback was committed within 1 s, and none was refused");
}

/// It was asked for: that it could not be made is no success.
#[tokio::test(flavor = "multi_thread")]
async fn an_echo_that_could_not_be_made_is_a_failure() {
    let clinic = Clinic::open(Mode::PublicKey).await;
    let nowhere = format!("http://127.0.0.1:1/notify/v3/{MCHID}");
    let failed = async |arguments: &[&str], said: &str| {
        let findings = clinic.look(&[&["--echo"], arguments].concat()).await;
        assert_eq!(findings.outcome("echo_request"), "failed", "{said}: {:?}", findings.checks);
        assert!(findings.detail("echo_request").contains(said), "{:?}", findings.checks);
        for hop in ["echo_secret", "echo_callback", "apiv3_key"] {
            assert_eq!(findings.outcome(hop), "skipped", "{said}: {hop}");
        }
        assert_eq!(findings.code, Some(1), "{said}");
    };
    failed(&["--notify-url", &nowhere], "no database").await;
    let server = clinic.serve();
    failed(&[], "no notify URL").await;
    failed(&["--notify-url", "http://pay.example.com/notify/v3/1900000001"], "no notify URL").await;
    clinic.forget_private_key();
    failed(&["--notify-url", &notify_url(&server)], "no way to sign").await;
}
