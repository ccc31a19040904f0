//! The way to WeChat Pay: hosts, clock, and a call that is signed.

use std::fs;

use payonce_simulator::keys::Mode;

use super::notify_url::answering;
use super::{Clinic, MCHID};

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_minutes_off_is_told() {
    const PAST: &str = "HTTP/1.1 401 Unauthorized\r\nDate: Fri, 01 Mar 2024 00:00:00 GMT\r\n\
                        Content-Length: 0\r\nConnection: close\r\n\r\n";
    let clinic = Clinic::open(Mode::PublicKey).await;
    clinic.configure(&format!("http://{}", answering(PAST).await));
    let findings = clinic.look(&[]).await;
    assert_eq!(findings.outcome("clock"), "failed");
    assert!(findings.detail("clock").contains("ahead of WeChat Pay"), "{:?}", findings.checks);
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_are_not_reached_are_named() {
    let clinic = Clinic::open(Mode::PublicKey).await;
    clinic.configure("http://127.0.0.1:1");
    let findings = clinic.look(&[]).await;
    assert_eq!(findings.outcome("wechat_host"), "failed");
    assert_eq!(findings.only("wechat_host")["about"], "http://127.0.0.1:1/");
    assert_eq!(findings.outcome("signed_call"), "failed");
}

/// WeChat Pay says itself what is wrong with a signature.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_wechat_pay_does_not_know_is_refused_with_its_words() {
    let (clinic, other) = (Clinic::open(Mode::PublicKey).await, Clinic::open(Mode::PublicKey).await);
    for name in ["apiclient_key.pem", "apiclient_cert.pem"] {
        clinic.write(name, &fs::read_to_string(other.folder().join(name)).unwrap());
    }
    let findings = clinic.look(&[]).await;
    assert_eq!(findings.outcome("signed_call"), "failed");
    assert!(findings.detail("signed_call").contains("SIGN_ERROR"), "{:?}", findings.checks);
    assert_eq!(findings.only("signed_call")["about"], MCHID);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_without_certificates_needs_the_public_key() {
    let clinic = Clinic::open(Mode::PublicKey).await;
    let toml = fs::read_to_string(clinic.folder().join("payonce.toml")).unwrap();
    let (without, _) = toml.split_once("[[merchants.platform_keys]]").unwrap();
    clinic.write("payonce.toml", without);
    let findings = clinic.look(&[]).await;
    assert_eq!(findings.outcome("signed_call"), "failed");
    assert!(findings.detail("signed_call").contains("no platform certificates"), "{:?}", findings.checks);
}

/// Nothing but a signed answer tells whether a public key is WeChat Pay's.
#[tokio::test(flavor = "multi_thread")]
async fn a_public_key_is_proven_by_an_answer() {
    let (clinic, other) = (Clinic::open(Mode::PublicKey).await, Clinic::open(Mode::PublicKey).await);
    let findings = clinic.look(&[]).await;
    assert_eq!((findings.outcome("signed_call"), findings.outcome("apiv3_key")), ("ok", "skipped"));

    clinic.write("pub_key.pem", &fs::read_to_string(other.folder().join("pub_key.pem")).unwrap());
    let findings = clinic.look(&[]).await;
    assert_eq!(findings.outcome("signed_call"), "failed", "{:?}", findings.checks);
    assert!(findings.detail("signed_call").contains("the signature does not fit"), "{:?}", findings.checks);
    assert!(
        findings.remedy("signed_call").contains("download WeChat Pay's public key"),
        "{:?}",
        findings.checks
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apiv3_key_is_proven_by_certificates() {
    let clinic = Clinic::open(Mode::Certificates).await;
    assert_eq!(clinic.look(&[]).await.outcome("apiv3_key"), "ok");
}
