//! `GET /v3/certificates`: keys come only out of an answer that is proven.

use serde_json::{Value, json};
use wechatpay::answer::certificates::{self, CertificatesError};
use wechatpay::{ApiV3Key, OpenError, PlatformKey, PlatformKeys, Suite, UnixSeconds, VerifyError};

use crate::fixture::{
    NOW, Sent, apiv3_key, certificate, dated, key_text, named, platform_keys, private_key, public_key, seal,
    vectors,
};

fn sent(name: &str) -> Sent {
    Sent::of_vector(&named(&vectors("certificates")["vectors"], name))
}

fn open(sent: &Sent, known: &PlatformKeys) -> Result<Vec<PlatformKey>, CertificatesError> {
    certificates::open(sent.answer(200).unwrap(), known, &apiv3_key(), NOW)
}

fn serials(keys: &[PlatformKey]) -> Vec<&str> {
    keys.iter().map(|key| key.serial().as_str()).collect()
}

/// An answer with these entries, signed with the public key.
fn listing(data: Value) -> Sent {
    Sent::signed(json!({ "data": data }).to_string())
}

fn entry(pem: &str) -> Value {
    let ciphertext = seal(pem.as_bytes(), "nonce0000001", "certificate");
    let sealed = json!({"algorithm": "AEAD_AES_256_GCM", "nonce": "nonce0000001",
        "associated_data": "certificate", "ciphertext": ciphertext});
    json!({ "serial_no": "0A", "encrypt_certificate": sealed })
}

#[test]
fn where_to_ask() {
    assert_eq!(certificates::path(Suite::Rsa), "/v3/certificates");
    assert_eq!(certificates::path(Suite::Sm), "/v3/certificates?algorithm_type=SM2");
}

#[test]
fn the_first_download_is_proven_by_the_certificate_in_it() {
    let old = key_text("certificate", "serial");
    for name in ["first download", "odd names and times", "associated_data empty"] {
        let found =
            open(&sent(name), &PlatformKeys::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(serials(&found), [old], "{name}");
        // What was found verifies callbacks.
        let callback = Sent::of_vector(&named(&vectors("callbacks")["vectors"], "by certificate"));
        callback.verify(&PlatformKeys::new(found), callback.timestamp()).unwrap();
    }
}

#[test]
fn during_a_change_either_certificate_signs_the_list() {
    let both = [key_text("certificate", "serial"), key_text("certificate_4096", "serial")];
    for known in [PlatformKeys::default(), PlatformKeys::new([certificate("certificate")]), platform_keys()] {
        for name in ["signed by the new one", "signed by the old one"] {
            assert_eq!(serials(&open(&sent(name), &known).unwrap()), both, "{name}");
        }
    }
}

#[test]
fn a_known_public_key_signs_the_list() {
    let sent = sent("signed by the public key");
    open(&sent, &PlatformKeys::new([public_key()])).unwrap();
    let error = open(&sent, &PlatformKeys::default()).unwrap_err();
    assert!(matches!(error, CertificatesError::Unverified(VerifyError::UnknownSerial { .. })), "{error}");
}

#[test]
fn trap_idle_node_whose_certificates_have_all_expired_downloads_again() {
    let known = PlatformKeys::new([dated("expired")]);
    assert!(known.iter().all(|key| key.has_expired(NOW)));
    let found = open(&sent("first download"), &known).unwrap();
    assert_eq!(serials(&found), [key_text("certificate", "serial")]);
}

#[test]
fn trap_new_merchant_without_certificates_is_answered_404() {
    let sent = Sent::signed(r#"{"code":"RESOURCE_NOT_EXISTS","message":"无可用的平台证书"}"#);
    let answer = sent.answer(404).unwrap();
    let error = certificates::open(answer, &platform_keys(), &apiv3_key(), NOW).unwrap_err();
    assert!(matches!(error, CertificatesError::NotGiven { status: 404 }));
    assert!(error.to_string().contains("public key"), "{error}");
}

#[test]
fn no_key_comes_out_of_an_answer_that_none_of_them_signed() {
    for known in [PlatformKeys::default(), platform_keys()] {
        let error = open(&sent("signed by a stranger"), &known).unwrap_err();
        assert!(matches!(error, CertificatesError::Unverified(VerifyError::UnknownSerial { .. })), "{error}");
        let error = open(&sent("signed by a stranger in its name"), &known).unwrap_err();
        assert!(matches!(error, CertificatesError::Unverified(VerifyError::SignatureMismatch)), "{error}");
        let mut changed = sent("first download");
        changed.body.push(b'\n');
        let error = open(&changed, &known).unwrap_err();
        assert!(matches!(error, CertificatesError::Unverified(VerifyError::SignatureMismatch)), "{error}");
        let answer = sent("first download");
        let answer = answer.answer(200).unwrap();
        let error = certificates::open(answer, &known, &apiv3_key(), UnixSeconds(NOW.0 + 300)).unwrap_err();
        assert!(
            matches!(error, CertificatesError::Unverified(VerifyError::StaleTimestamp { .. })),
            "{error}"
        );
    }
}

#[test]
fn a_certificate_in_the_answer_does_not_take_a_known_ones_place_as_proof() {
    // Under the serial of a known key: what is in the answer is another key, and it signed the answer.
    let forged = key_text("rsa_1024", "certificate_pem");
    assert!(matches!(
        open(&listing(json!([entry(forged)])), &platform_keys()),
        Err(CertificatesError::Unusable(_))
    ));
    let known = PlatformKeys::new([certificate("certificate")]);
    let by_other = Sent::signed_by(
        &private_key("certificate_4096"),
        key_text("certificate", "serial"),
        json!({ "data": [entry(key_text("certificate_4096", "certificate_pem"))] }).to_string(),
    );
    let error = open(&by_other, &known).unwrap_err();
    assert!(matches!(error, CertificatesError::Unverified(VerifyError::SignatureMismatch)), "{error}");
}

#[test]
fn another_apiv3_key_opens_nothing() {
    let sent = sent("first download");
    let other = ApiV3Key::new("00000000000000000000000000000000").unwrap();
    let error = certificates::open(sent.answer(200).unwrap(), &platform_keys(), &other, NOW).unwrap_err();
    assert!(matches!(&error, CertificatesError::Sealed(open) if open.is_key_fault()), "{error}");
}

#[test]
fn answers_that_are_no_list_of_certificates() {
    for body in ["", "null", "{}", r#"{"data":null}"#, r#"{"data":[{}]}"#, "<html>", "\u{feff}{}"] {
        let error = open(&Sent::signed(body), &platform_keys()).unwrap_err();
        assert!(matches!(error, CertificatesError::Malformed(_)), "{body}: {error}");
    }
    let error = open(&sent("none"), &platform_keys()).unwrap_err();
    assert!(matches!(error, CertificatesError::NoneFound));
    let error = open(&listing(json!([entry("no PEM")])), &platform_keys()).unwrap_err();
    assert!(matches!(error, CertificatesError::Unusable(_)));
    let mut short = entry("");
    short["encrypt_certificate"]["nonce"] = json!("n");
    let error = open(&listing(json!([short])), &platform_keys()).unwrap_err();
    assert!(matches!(error, CertificatesError::Sealed(OpenError::NonceLength { bytes: 1 })));
}

#[test]
fn one_certificate_that_cannot_be_used_does_not_take_the_others_away() {
    let good = || entry(key_text("certificate", "certificate_pem"));
    let mut short = entry("");
    short["encrypt_certificate"]["nonce"] = json!("n");
    for bad in [entry("no PEM"), entry(key_text("rsa_1024", "certificate_pem")), short] {
        for data in [json!([bad, good()]), json!([good(), bad]), json!([bad, good(), bad])] {
            let found = open(&listing(data), &platform_keys()).unwrap();
            assert_eq!(serials(&found), [key_text("certificate", "serial")]);
        }
    }
    // What the APIv3 key does not open tells that the key is wrong.
    let mut foreign = good();
    foreign["encrypt_certificate"]["nonce"] = json!("nonce0000002");
    for data in [json!([foreign, good()]), json!([good(), foreign])] {
        let error = open(&listing(data), &platform_keys()).unwrap_err();
        assert!(matches!(&error, CertificatesError::Sealed(open) if open.is_key_fault()), "{error}");
    }
}

#[test]
fn certificates_of_a_suite_that_is_not_known_are_passed_over() {
    let mut future = entry("");
    future["encrypt_certificate"]["algorithm"] = json!("AEAD_OF_TOMORROW");
    let error = open(&listing(json!([future])), &platform_keys()).unwrap_err();
    assert!(matches!(error, CertificatesError::NoneFound));
    let mixed = listing(json!([future, entry(key_text("certificate", "certificate_pem"))]));
    assert_eq!(serials(&open(&mixed, &platform_keys()).unwrap()), [key_text("certificate", "serial")]);
}
