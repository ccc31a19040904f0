//! Sensitive fields, encrypted for WeChat Pay and decrypted from it; and which certificate a private key belongs to.

use wechatpay::{FieldError, KeyError, MerchantCertificate, Suite};

use crate::fixture::{certificate, key_text, private_key, public_key, vectors};

#[test]
fn fields_that_others_encrypted_are_decrypted() {
    let key = private_key("merchant");
    let vectors = vectors("fields");
    let vectors = vectors["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 4);
    for vector in vectors {
        let plaintext = key.decrypt(vector["ciphertext"].as_str().unwrap()).unwrap();
        assert_eq!(plaintext, vector["plaintext"].as_str().unwrap());
    }
}

#[test]
fn encrypted_fields_open_with_the_platforms_private_key_alone() {
    let pairs = [
        (public_key(), "public_key", 214),
        (certificate("certificate"), "certificate", 214),
        (certificate("certificate_4096"), "certificate_4096", 470),
    ];
    for (key, name, bytes_max) in pairs {
        for plaintext in ["x", "张三", &"1".repeat(bytes_max)] {
            let (first, second) = (key.encrypt(plaintext).unwrap(), key.encrypt(plaintext).unwrap());
            assert_ne!(first, second, "two ciphertexts of one text differ");
            assert_eq!(private_key(name).decrypt(&first).unwrap(), plaintext);
            assert_eq!(private_key("merchant").decrypt(&first), Err(FieldError::WrongKey));
        }
        let bytes = bytes_max + 1;
        assert_eq!(key.encrypt(&"1".repeat(bytes)), Err(FieldError::TooLong { bytes, bytes_max }));
        assert_eq!(key.encrypt(""), Err(FieldError::Empty));
    }
}

#[test]
fn fields_that_do_not_decrypt() {
    let key = private_key("merchant");
    let good = vectors("fields")["vectors"][0]["ciphertext"].as_str().unwrap().to_owned();
    for text in ["!", "AAA", &good[1..], &format!("{good}\n")] {
        assert_eq!(key.decrypt(text), Err(FieldError::NotBase64), "{text}");
    }
    let other = if good.starts_with('A') { "B" } else { "A" };
    for text in
        ["", "AAAA", &good[4..], &format!("{good}AAAA").replace('=', "A"), &format!("{other}{}", &good[1..])]
    {
        assert!(matches!(key.decrypt(text), Err(FieldError::WrongKey | FieldError::NotBase64)), "{text}");
    }
}

#[test]
fn a_merchants_certificate_and_private_key_are_a_pair_or_not() {
    let vectors = vectors("certificates");
    let merchant = &vectors["merchant"];
    let certificate = MerchantCertificate::from_pem(merchant["certificate_pem"].as_str().unwrap()).unwrap();
    assert_eq!(certificate.serial().as_str(), key_text("merchant", "serial"));
    assert_eq!(certificate.mchid(), merchant["mchid"].as_str());
    assert_eq!(merchant["starts"], certificate.starts().0);
    assert_eq!(merchant["expires"], certificate.expires().0);
    assert_eq!(certificate.suite(), Suite::Rsa);
    assert!(certificate.matches(&private_key("merchant")));
    for other in ["public_key", "certificate", "certificate_4096"] {
        assert!(!certificate.matches(&private_key(other)), "{other}");
    }
    let shown = format!("{certificate:?}");
    assert!(shown.contains("1900000001") && shown.ends_with(".. }"), "{shown}");
}

#[test]
fn common_name_that_is_no_merchant_number() {
    let certificate = MerchantCertificate::from_pem(key_text("merchant", "certificate_pem")).unwrap();
    assert_eq!(certificate.mchid(), None);
    let error = MerchantCertificate::from_pem(key_text("merchant", "private_pem")).unwrap_err();
    assert!(matches!(error, KeyError::KeyInsteadOfMerchantCertificate));
}
