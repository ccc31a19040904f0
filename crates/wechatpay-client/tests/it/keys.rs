//! The ring: what is known, what stays, what is counted.

use std::time::Duration;

use tokio::task::JoinSet;
use wechatpay::api::Operation;
use wechatpay::{PlatformKey, UnixSeconds};
use wechatpay_client::{ClientError, KeyKind, KeyRing, KeySource, Unknown};

use crate::wechat::{NOW, Reply, Wechat, call, certificate, certificates, client, keys, public_key};

fn other_certificate() -> PlatformKey {
    PlatformKey::from_certificate_pem(
        keys()["certificate_4096"]["certificate_pem"].as_str().expect("a test's own data are good"),
    )
    .expect("a test's own data are good")
}

/// Long after both certificates.
const LATE: UnixSeconds = UnixSeconds(4_000_000_000);

#[test]
fn the_last_good_key_stays_until_another_has_worked() {
    let ring = KeyRing::new([]);
    assert_eq!(ring.learn(&[certificate()], NOW), 1);
    assert_eq!(ring.learn(&[certificate(), other_certificate()], LATE), 1);
    assert_eq!(ring.health().len(), 2, "expired, but nothing newer has worked");
    ring.keys().proved(other_certificate().serial().as_str());
    ring.learn(&[other_certificate()], LATE);
    let left: Vec<String> = ring.health().into_iter().map(|key| key.serial).collect();
    assert_eq!(left, [other_certificate().serial().to_string()]);
}

#[test]
fn configured_keys_stay_and_can_be_changed() {
    let ring = KeyRing::new([public_key()]);
    ring.learn(&[certificate()], NOW);
    ring.keys().proved(public_key().serial().as_str());
    ring.keys().proved("nobody's");
    let health = ring.health();
    assert_eq!(
        (health[0].kind, health[0].source, health[0].uses),
        (KeyKind::PublicKey, KeySource::Configured, 1)
    );
    assert_eq!((health[1].kind, health[1].source), (KeyKind::Certificate, KeySource::Downloaded));
    assert_eq!((health[1].since, health[1].uses), (Some(NOW), 0));
    assert!(health[1].expires > health[1].starts);

    // A reload: what was counted and downloaded stays, what is configured no longer goes.
    ring.configure([public_key(), other_certificate()]);
    let health = ring.health();
    assert_eq!(health.iter().map(|key| key.uses).collect::<Vec<_>>(), [1, 0, 0]);
    ring.configure([]);
    assert_eq!(ring.health().len(), 1, "the downloaded one");
}

/// The grey switch, both ways: both kinds are there, and each is found by its serial.
#[test]
fn both_kinds_of_key_are_good_at_once() {
    let ring = KeyRing::new([public_key()]);
    ring.learn(&[certificate()], NOW);
    for key in [public_key(), certificate()] {
        assert!(ring.keys().platform().valid(key.serial().as_str(), NOW).is_some());
    }
}

/// By the certificate, which the ring does not know.
fn unknown_key() -> Reply {
    Reply::Signed("certificate", "{}".to_owned())
}

/// A hundred answers that name a new key at once do not ask for it a hundred times.
#[tokio::test]
async fn many_answers_by_an_unknown_key_are_one_download() {
    let wechat = Wechat::plays(std::iter::repeat_n(unknown_key(), 20)).await;
    wechat.has_certificates(certificates());
    let client = client(&wechat);
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let client = client.clone();
        calls.spawn(async move { client.send(&call(Operation::Refund)).await });
    }
    for answer in calls.join_all().await {
        assert_eq!(answer.unwrap(), b"{}");
    }
    assert_eq!(wechat.asked_for_certificates(), 1);
}

/// Whoever can forge answers cannot make payonce a nuisance to WeChat Pay by them.
#[tokio::test]
async fn an_unknown_key_is_asked_for_once_a_minute() {
    let wechat = Wechat::plays(std::iter::repeat_n(unknown_key(), 6)).await;
    wechat.has_certificates(Reply::error(500, "SYSTEM_ERROR"));
    let client = client(&wechat);
    for asked in [1, 1, 1] {
        let error = client.send(&call(Operation::Refund)).await.unwrap_err();
        assert!(matches!(error, ClientError::Unknown(Unknown::Unproven(_))), "{error}");
        assert_eq!(wechat.asked_for_certificates(), asked);
    }
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(60)).await;
    tokio::time::resume();
    client.send(&call(Operation::Refund)).await.unwrap_err();
    assert_eq!(wechat.asked_for_certificates(), 2);
    // Asking in so many words is another matter, and what it brings serves the answers.
    wechat.has_certificates(certificates());
    client.refresh_keys().await.unwrap();
    assert_eq!(client.send(&call(Operation::Refund)).await.unwrap(), b"{}");
    assert_eq!(wechat.asked_for_certificates(), 3);
}
