//! Keys and merchants in each other's place.

use wechatpay::diagnosis::{Account, Cause, Check, Class, Outcome};
use wechatpay::{ApiV3Key, MerchantKey, PlatformKey, PlatformKeys, UnixSeconds, headers};

use super::{MCHID, among, codes, genuine, look_with};
use crate::fixture::{Sent, apiv3_key, key_text, platform_keys, public_key, vectors};

const OTHER: &str = "1900000002";

fn certificate(name: &str) -> PlatformKey {
    PlatformKey::from_certificate_pem(key_text(name, "certificate_pem")).unwrap()
}

fn other_apiv3_key() -> ApiV3Key {
    ApiV3Key::new("00000000000000000000000000000000").unwrap()
}

/// A genuine callback that the platform certificate signed.
fn by_certificate() -> Sent {
    Sent::of_vector(&vectors("callbacks")["vectors"][1])
}

#[test]
fn table_of_serials() {
    let (public, certificates) =
        (PlatformKeys::new([public_key()]), PlatformKeys::new([certificate("certificate_4096")]));
    let both = PlatformKeys::new([public_key(), certificate("certificate_4096")]);
    let serial = key_text("certificate", "serial");
    let unknown_key = genuine().with(headers::SERIAL, "PUB_KEY_ID_0199");
    let mut forged = unknown_key.clone();
    forged.body = b"{}".to_vec();
    let mut senseless = forged.clone().with(headers::SERIAL, "latest");
    senseless.body = b"{}".to_vec();
    for (what, sent, keys, class, cause) in [
        ("grey, to the public key", genuine(), &certificates, Class::UnknownSerial, "grey_public_key"),
        ("grey, to certificates", by_certificate(), &public, Class::UnknownSerial, "grey_certificate"),
        ("new certificate", by_certificate(), &certificates, Class::UnknownSerial, "new_certificate"),
        ("other public key", forged, &public, Class::UnknownSerial, "other_public_key"),
        ("no serial at all", senseless, &public, Class::UnknownSerial, "serial_malformed"),
        ("altered to one that is unknown", unknown_key, &both, Class::Changed, "serial_altered"),
        (
            "altered to another key's",
            genuine().with(headers::SERIAL, serial),
            &platform_keys(),
            Class::Changed,
            "serial_altered",
        ),
    ] {
        let found = look_with(&sent, keys, &apiv3_key(), None);
        assert_eq!((found.class, codes(&found)), (class, vec![cause]), "{what}: {found:#?}");
    }
}

#[test]
fn a_dropped_serial_is_found_by_the_key_that_signed() {
    let mut sent = genuine();
    sent.headers.retain(|(name, _)| !name.eq_ignore_ascii_case(headers::SERIAL));
    let found = look_with(&sent, &platform_keys(), &apiv3_key(), None);
    let cause = Cause::SerialAltered { named: None, signed_by: key_text("public_key", "id").to_owned() };
    assert_eq!((found.class, found.causes), (Class::Changed, vec![cause]));
    assert!(found.notification.is_some());
}

#[test]
fn an_expired_certificate_signs_no_longer() {
    let expires = vectors("keys")["certificate"]["expires"].as_i64().unwrap();
    let keys = PlatformKeys::new([certificate("certificate")]);
    let late = UnixSeconds(expires + 1);
    let timestamp = late.0.to_string();
    let signer = MerchantKey::from_pkcs8_pem("01", key_text("certificate", "private_pem")).unwrap();
    let body = genuine().body;
    let signature = signer.sign(&wechatpay::callback_message(&timestamp, "nonce", &body));
    let sent = Sent {
        headers: [
            (headers::TIMESTAMP, timestamp.as_str()),
            (headers::NONCE, "nonce"),
            (headers::SIGNATURE, &signature),
            (headers::SERIAL, key_text("certificate", "serial")),
        ]
        .map(|(name, value)| (name.to_owned(), value.into()))
        .into(),
        body,
    };
    let found = look_with(&sent, &keys, &apiv3_key(), Some(late));
    let serial = key_text("certificate", "serial").to_owned();
    let cause = |signed| Cause::CertificateExpired { serial: serial.clone(), expired: expires, signed };
    assert_eq!((found.class, found.causes), (Class::UnknownSerial, vec![cause(true)]));
    let mut forged = sent;
    forged.body = b"{}".to_vec();
    let found = look_with(&forged, &keys, &apiv3_key(), Some(late));
    assert_eq!((found.class, found.causes), (Class::UnknownSerial, vec![cause(false)]));
}

#[test]
fn the_merchants_own_certificate_in_the_place_of_wechats() {
    let own =
        MerchantKey::from_pkcs8_pem(key_text("merchant", "serial"), key_text("merchant", "private_pem"))
            .unwrap();
    let as_certificate = PlatformKeys::new([certificate("merchant")]);
    let id = key_text("public_key", "id");
    let key = PlatformKey::from_public_key_pem(id, key_text("merchant", "public_pem")).unwrap();
    for (what, keys, sent) in [
        ("as a certificate", as_certificate, by_certificate()),
        ("as the public key", PlatformKeys::new([key]), genuine()),
    ] {
        let apiv3_key = apiv3_key();
        let account = || Account::new(MCHID, &keys, &apiv3_key);
        let found = among(&sent, &[account().with_merchant_key(&own)], Some(MCHID), None);
        let serial = keys.serials().next().unwrap().to_string();
        let cause = Cause::MerchantKeyAsPlatformKey { serial };
        assert_eq!((found.class, found.causes), (Class::WrongPlatformKey, vec![cause]), "{what}");
        // Its subject alone says nothing here.
        let unknowing = among(&sent, &[account()], Some(MCHID), None);
        assert_ne!(unknowing.class, Class::WrongPlatformKey, "{what}");
    }
}

#[test]
fn another_merchants_callback_is_told_by_that_merchants_keys() {
    let (own, others) = (PlatformKeys::new([certificate("certificate")]), PlatformKeys::new([public_key()]));
    let (own_key, others_key) = (other_apiv3_key(), apiv3_key());
    let accounts = [Account::new(OTHER, &own, &own_key), Account::new(MCHID, &others, &others_key)];
    let found = among(&genuine(), &accounts, Some(OTHER), None);
    assert_eq!(found.class, Class::WrongMerchant);
    assert_eq!(found.causes[0], Cause::WrongMerchant { mchid: MCHID.to_owned() });
    assert!(found.notification.is_some());
    // Without a path, the one whose keys fit is found.
    let found = among(&genuine(), &accounts, None, None);
    assert_eq!((found.class, found.merchant.as_deref()), (Class::Accepted, Some(MCHID)));
    assert_eq!(found.steps[0].outcome, Outcome::NotChecked);
    // A path that names nobody.
    let found = among(&genuine(), &accounts, Some("42"), None);
    assert_eq!(found.causes, [Cause::UnknownMerchant { mchid: "42".to_owned() }]);
    assert_eq!((found.class, found.steps[0].outcome), (Class::WrongMerchant, Outcome::Failed));
    // Nobody is configured at all.
    let found = among(&genuine(), &[], Some(MCHID), None);
    assert_eq!((found.class, codes(&found)), (Class::WrongMerchant, vec!["unknown_merchant"]));
}

#[test]
fn the_same_platform_key_and_another_apiv3_key() {
    let keys = platform_keys();
    let (wrong, right) = (other_apiv3_key(), apiv3_key());
    let accounts = [Account::new(OTHER, &keys, &wrong), Account::new(MCHID, &keys, &right)];
    let found = among(&genuine(), &accounts, Some(OTHER), None);
    let cause = Cause::WrongMerchant { mchid: MCHID.to_owned() };
    assert_eq!((found.class, found.causes), (Class::WrongMerchant, vec![cause]));
    let failed = found.steps.iter().find(|step| step.outcome == Outcome::Failed).unwrap();
    assert_eq!(failed.check, Check::Decryption);
    // Nobody says whose it is: it is that of the merchant who can open it.
    assert_eq!(among(&genuine(), &accounts, None, None).merchant.as_deref(), Some(MCHID));
}

#[test]
fn a_changed_body_of_a_merchant_that_nobody_names() {
    let keys = platform_keys();
    let (wrong, right) = (other_apiv3_key(), apiv3_key());
    let certificates = PlatformKeys::new([certificate("certificate")]);
    let accounts = [Account::new(OTHER, &certificates, &wrong), Account::new(MCHID, &keys, &right)];
    let mut sent = genuine();
    sent.body.push(b'\n');
    let found = among(&sent, &accounts, None, None);
    assert_eq!((found.merchant.as_deref(), codes(&found)), (Some(MCHID), vec!["newline_added"]));
}

#[test]
fn a_certificate_whose_subject_is_a_merchant_is_not_wechats() {
    let pem = vectors("certificates")["merchant"]["certificate_pem"].as_str().unwrap().to_owned();
    let key = PlatformKey::from_certificate_pem(&pem).unwrap();
    assert_eq!((key.merchant(), certificate("certificate").merchant()), (Some(MCHID), None));
    let cause = Cause::MerchantKeyAsPlatformKey { serial: key.serial().to_string() };
    let found = look_with(&genuine(), &PlatformKeys::new([key]), &apiv3_key(), None);
    assert_eq!((found.class, found.causes), (Class::WrongPlatformKey, vec![cause]));
}
