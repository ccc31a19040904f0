//! The whole way: a callback that WeChat Pay signs and sends arrives in the database, or the hop that fails is named.

use payonce_simulator::keys::Mode;

use super::{Clinic, notify_url};

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_is_followed_through_the_server_into_the_database() {
    for mode in [Mode::PublicKey, Mode::Certificates, Mode::Both] {
        let clinic = Clinic::open(mode).await;
        let server = clinic.serve();
        let findings = clinic.look(&["--echo", "--notify-url", &notify_url(&server)]).await;
        assert_eq!(findings.complaints(), ["notify_address"], "a loopback, which nobody outside reaches");
        for check in ["signed_call", "notify_answer", "echo_request", "echo_secret", "echo_callback"] {
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
    let findings =
        clinic.look(&["--echo", "--wait-seconds", "1", "--notify-url", &notify_url(&server)]).await;
    assert_eq!(findings.complaints(), ["signed_call", "notify_address", "echo_callback"]);
    assert!(findings.detail("signed_call").contains("does not open"), "{:?}", findings.checks);
}
