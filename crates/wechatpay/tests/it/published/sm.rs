//! SM2-WITH-SM3, SM3 and AEAD_SM4_GCM.

use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aes_gcm::{AesGcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sm3::{Digest as _, Sm3};
use wechatpay::{ApiV3Key, MerchantCertificate, PlatformKey, Suite, VerifyError};

use super::{entries, load, text};

/// Its key goes to SM4 as it is, which our API never does: shown to be sound below it.
const BARE_KEY: &str = "sm-10";

#[test]
fn every_entry() {
    let Some(file) = load("sm.json") else { return };
    let mut counts = [0; 4];
    for entry in entries(&file, 7, 3) {
        let (kind, check): (usize, fn(&Value)) = match (text(entry, "alg"), text(entry, "id")) {
            ("SM2-WITH-SM3", _) => (0, signature),
            ("AEAD_SM4_GCM", BARE_KEY) => (1, bare_key),
            ("AEAD_SM4_GCM", _) => (2, resource),
            ("SM3", _) => (3, digest),
            other => panic!("{other:?}"),
        };
        check(entry);
        counts[kind] += 1;
    }
    assert_eq!(counts, [5, 1, 3, 1]);
}

fn signature(entry: &Value) {
    let id = text(entry, "id");
    // One file has its base64 in one line, which is no PEM (RFC 7468); its bytes are of interest here.
    let pem = text(entry, "certificate_pem");
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let lines: Vec<_> = base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"));
    let key = PlatformKey::from_certificate_pem(&pem).unwrap();
    assert_eq!(key.suite(), Suite::Sm);
    if let Some(serial) = entry["serial"].as_str() {
        assert_eq!(key.serial().as_str(), serial, "{id}");
        assert_eq!(MerchantCertificate::from_pem(&pem).unwrap().mchid(), Some("2483281761"));
    }
    let result = key.verify(text(entry, "message").as_bytes(), text(entry, "signature"));
    let expected = match id {
        "sm-02" => Err(VerifyError::SignatureMismatch),
        "sm-08" => Err(VerifyError::MalformedSignature),
        _ => Ok(()),
    };
    assert_eq!(result, expected, "{id}");
    assert_eq!(result.is_ok(), entry["expected"]["verify"] == true, "{id}");
}

fn resource(entry: &Value) {
    let key = ApiV3Key::new(text(entry, "apiv3_key")).unwrap();
    let (nonce, data) = (text(entry, "nonce"), text(entry, "associated_data"));
    let opened = key.open_as("AEAD_SM4_GCM", nonce, data, text(entry, "ciphertext"));
    if entry["expected"]["error"] == true {
        assert!(opened.unwrap_err().is_key_fault(), "{}", entry["id"]);
    } else {
        assert_eq!(opened.unwrap(), text(&entry["expected"], "plaintext").as_bytes(), "{}", entry["id"]);
    }
}

fn bare_key(entry: &Value) {
    let key: AesGcm<sm4::Sm4, U12> = AesGcm::new_from_slice(text(entry, "sm4_key").as_bytes()).unwrap();
    let nonce: [u8; 12] = text(entry, "nonce").as_bytes().try_into().unwrap();
    let mut buffer = STANDARD.decode(text(entry, "ciphertext")).unwrap();
    key.decrypt_in_place(&Nonce::from(nonce), text(entry, "associated_data").as_bytes(), &mut buffer)
        .unwrap();
    assert_eq!(buffer, text(&entry["expected"], "plaintext").as_bytes());
}

fn digest(entry: &Value) {
    let digest = Sm3::digest(STANDARD.decode(text(entry, "message_base64")).unwrap());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, text(&entry["expected"], "sm3_hex"));
}
