//! Keys: public key, certificates, both, a change from one to the other in the middle of a stream, and the self-test.

use payonce_simulator::keys::{Mode, Ring};
use wechatpay::PlatformKey;
use wechatpay::api::Echo;
use wechatpay_client::{KeyRing, RefreshError};

use super::{SHOP, Stage};

#[tokio::test]
async fn a_merchant_without_certificates_is_told_so() {
    let stage = Stage::set(Mode::PublicKey).await;
    let client = stage.client(SHOP);
    assert!(matches!(client.refresh_keys().await, Err(RefreshError::NoCertificates)));
    assert_eq!(client.send(&Echo::new("你好")).await.unwrap().echo_message, "你好");
}

/// Nothing is known, and the first answer brings its own proof; then the certificates change under way.
#[tokio::test]
async fn certificates_are_downloaded_when_they_are_needed() {
    let stage = Stage::set(Mode::Certificates).await;
    let client = stage.client_with(SHOP, KeyRing::new([]));
    client.send(&Echo::new("an unknown serial, so that keys are asked for")).await.unwrap();
    let known = |serial: &str| client.keys().health().into_iter().any(|key| key.serial == serial);
    let old = stage.ring(SHOP).certificates()[0].serial().to_owned();
    assert!(known(&old));

    let certificate = stage.simulator.new_certificate().unwrap();
    let new = certificate.serial().to_owned();
    let mut ring = Ring::clone(&stage.ring(SHOP));
    ring.add_certificate(certificate);
    ring.grey.new_certificate_permille = 1000;
    stage.simulator.set_ring(SHOP, ring);
    // An answer asks for keys once a minute at the most; here the refresher's part is played.
    assert_eq!(client.refresh_keys().await.unwrap(), 1);
    client.send(&Echo::new("signed by the new certificate")).await.unwrap();
    assert!(known(&new) && known(&old));
}

/// The client names the public key when it has it, and is answered with it; the certificates go on beside it.
#[tokio::test]
async fn both_kinds_of_key_are_good_at_once() {
    let stage = Stage::set(Mode::Both).await;
    let by_public_key = stage.client(SHOP);
    by_public_key.send(&Echo::new("public key")).await.unwrap();
    assert_eq!(by_public_key.refresh_keys().await.unwrap(), 1);
    by_public_key.send(&Echo::new("still the public key")).await.unwrap();

    let by_certificate = stage.client_with(SHOP, KeyRing::new([]));
    by_certificate.send(&Echo::new("certificate")).await.unwrap();
}

#[tokio::test]
async fn sealed_fields_are_opened_on_both_sides() {
    let stage = Stage::set(Mode::Both).await;
    let ring = stage.ring(SHOP);
    let public_key = ring.public_key().unwrap();
    let certificate = ring.certificates()[0].certificate().unwrap();
    for key in [
        PlatformKey::from_public_key_pem(public_key.serial(), public_key.public_key_pem()).unwrap(),
        PlatformKey::from_certificate_pem(&certificate.pem).unwrap(),
    ] {
        let client = stage.client_with(SHOP, KeyRing::new([key.clone()]));
        let sealed = key.encrypt("张三").unwrap();
        let call = Echo::new("hello").encrypted(&sealed, key.serial().clone());
        let sealed = client.send(&call).await.unwrap().encrypted_echo_message.unwrap();
        let own = &ring.own()[0];
        let own = wechatpay::MerchantKey::from_pkcs8_pem(&own.certificate().serial, &own.private_pem());
        assert_eq!(own.unwrap().decrypt(&sealed).unwrap(), "张三");
    }
}
