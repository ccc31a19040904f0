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
    ring.keys().proved_callback(other_certificate().serial().as_str());
    ring.learn(&[other_certificate()], LATE);
    let left: Vec<String> = ring.health().into_iter().map(|key| key.serial).collect();
    assert_eq!(left, [other_certificate().serial().to_string()]);
}

/// What a key proved for callbacks and what for answers are counted apart, and go on over a reload.
#[test]
fn what_each_key_proved_is_counted() {
    let ring = KeyRing::new([public_key()]);
    ring.learn(&[certificate()], NOW);
    ring.keys().proved_callback(public_key().serial().as_str());
    ring.keys().proved_callback(public_key().serial().as_str());
    ring.keys().proved_answer(certificate().serial().as_str());
    ring.keys().proved_answer("nobody's");
    let counted = || -> Vec<_> {
        let health = ring.health().into_iter();
        health.map(|key| (key.kind, key.source, key.callbacks, key.answers)).collect()
    };
    let of_public_key = (KeyKind::PublicKey, KeySource::Configured, 2, 0);
    let of_certificate = (KeyKind::Certificate, KeySource::Downloaded, 0, 1);
    assert_eq!(counted(), [of_public_key, of_certificate]);
    let health = ring.health();
    assert_eq!((health[0].since, health[1].since), (None, Some(NOW)));
    assert!(health[1].expires > health[1].starts);
    ring.configure([public_key(), other_certificate()]);
    let of_new = (KeyKind::Certificate, KeySource::Configured, 0, 0);
    assert_eq!(counted(), [of_public_key, of_new, of_certificate]);
}

/// Taking a key out of the configuration is taking trust back, though it was the last that worked: with a look-alike's
/// key, which many may have, payments could be forged until WeChat Pay's own had been used.
#[test]
fn a_key_that_is_configured_no_longer_is_trusted_no_longer() {
    let ring = KeyRing::new([public_key()]);
    ring.keys().proved_callback(public_key().serial().as_str());
    ring.configure([other_certificate()]);
    let trusted = |key: PlatformKey| ring.keys().platform().valid(key.serial().as_str(), NOW).is_some();
    assert!(!trusted(public_key()) && trusted(other_certificate()));
    // Downloads take no configured key away, and the configuration no downloaded one.
    ring.learn(&[certificate()], LATE);
    assert!(trusted(other_certificate()) && trusted(certificate()));
    ring.configure([]);
    assert!(!trusted(other_certificate()) && trusted(certificate()));
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
