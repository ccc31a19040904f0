//! Keys given in place of other keys: each mix-up has its own error.

#[cfg(not(feature = "sm"))]
use wechatpay::MerchantCertificate;
use wechatpay::{ApiV3Key, KeyError, MerchantKey, PlatformKey};

use crate::fixture::key_text;

const ID: &str = "PUB_KEY_ID_0119000000012025060100000000000001";

fn public(pem: &str) -> Result<PlatformKey, KeyError> {
    PlatformKey::from_public_key_pem(ID, pem)
}

fn private(pem: &str) -> Result<MerchantKey, KeyError> {
    MerchantKey::from_pkcs8_pem("01AB", pem)
}

macro_rules! assert_refused {
    ($result:expr, $pattern:pat) => {
        match $result {
            Err($pattern) => (),
            other => panic!("{} gave {other:?}", stringify!($result)),
        }
    };
}

#[test]
fn where_the_public_key_belongs() {
    public(key_text("public_key", "public_pem")).unwrap();
    assert_refused!(public(key_text("certificate", "certificate_pem")), KeyError::CertificateInsteadOfKey);
    assert_refused!(public(key_text("merchant", "private_pem")), KeyError::PrivateInsteadOfPublic);
    assert_refused!(public(key_text("merchant", "pkcs1_pem")), KeyError::PrivateInsteadOfPublic);
    assert_refused!(public(key_text("merchant", "encrypted_pem")), KeyError::EncryptedPrivateKey);
    assert_refused!(public(key_text("ec", "public_pem")), KeyError::NotRsa);
    assert_refused!(public(key_text("rsa_1024", "public_pem")), KeyError::TooShort { bits: 1024 });
}

#[test]
fn where_the_platform_certificate_belongs() {
    let certificate = PlatformKey::from_certificate_pem;
    certificate(key_text("certificate", "certificate_pem")).unwrap();
    for (key, field) in [
        ("public_key", "public_pem"),
        ("merchant", "private_pem"),
        ("merchant", "pkcs1_pem"),
        ("ec", "public_pem"),
    ] {
        assert_refused!(certificate(key_text(key, field)), KeyError::KeyInsteadOfCertificate);
    }
    assert_refused!(certificate(key_text("ec", "certificate_pem")), KeyError::NotRsa);
    assert_refused!(certificate(key_text("rsa_1024", "certificate_pem")), KeyError::TooShort { bits: 1024 });
}

#[test]
fn where_the_merchants_private_key_belongs() {
    private(key_text("merchant", "private_pem")).unwrap();
    private(key_text("merchant", "pkcs1_pem")).unwrap();
    assert_refused!(private(key_text("merchant", "certificate_pem")), KeyError::CertificateInsteadOfKey);
    assert_refused!(private(key_text("merchant", "public_pem")), KeyError::PublicInsteadOfPrivate);
    assert_refused!(private(key_text("merchant", "encrypted_pem")), KeyError::EncryptedPrivateKey);
    assert_refused!(private(key_text("ec", "private_pem")), KeyError::NotRsa);
    assert_refused!(private(key_text("rsa_1024", "private_pem")), KeyError::TooShort { bits: 1024 });
}

#[test]
#[cfg(not(feature = "sm"))]
fn sm2_keys_where_the_feature_is_not_built() {
    let keys = &crate::fixture::vectors("sm")["keys"];
    let text = |key: &str, field: &str| keys[key][field].as_str().unwrap().to_owned();
    assert_refused!(public(&text("public_key", "public_pem")), KeyError::SmNotBuilt);
    assert_refused!(private(&text("merchant", "private_pem")), KeyError::SmNotBuilt);
    let certificate = text("certificate", "certificate_pem");
    assert_refused!(PlatformKey::from_certificate_pem(&certificate), KeyError::SmNotBuilt);
    assert_refused!(MerchantCertificate::from_pem(&certificate), KeyError::SmNotBuilt);
}

#[test]
fn files_that_are_no_pem_or_damaged() {
    let good = key_text("public_key", "public_pem");
    let lines: Vec<&str> = good.lines().collect();
    let without_a_line = [&lines[..2], &lines[3..]].concat().join("\n");
    let swapped = good.replacen("MIIB", "MIIC", 1);
    for text in
        ["", "MIIBIjAN", "-----BEGIN PUBLIC KEY-----", &good[..good.len() / 2], &format!("{good}{good}")]
    {
        assert_refused!(public(text), KeyError::NotPem);
        assert_refused!(private(text), KeyError::NotPem);
        assert_refused!(PlatformKey::from_certificate_pem(text), KeyError::NotPem);
    }
    for text in [&without_a_line, &swapped] {
        assert_refused!(public(text), KeyError::Malformed);
    }
    let relabelled = |from: &str, to: &str, text: &str| text.replace(from, to);
    let fake = relabelled("PUBLIC KEY", "PRIVATE KEY", good);
    assert_refused!(private(&fake), KeyError::Malformed);
    let fake = relabelled("PUBLIC KEY", "CERTIFICATE", good);
    assert_refused!(PlatformKey::from_certificate_pem(&fake), KeyError::Malformed);
    let fake = relabelled("PUBLIC KEY", "X509 CRL", good);
    assert_refused!(public(&fake), KeyError::UnexpectedPem { label: _ });
}

#[test]
fn a_piece_of_a_key_in_the_place_of_a_label_is_not_shown() {
    let good = key_text("public_key", "public_pem");
    let piece = good.lines().nth(1).unwrap();
    for label in [piece, &piece[..20]] {
        let mangled = good.replace("PUBLIC KEY", label);
        let error = public(&mangled).unwrap_err();
        assert!(
            !error.to_string().contains(&label[..8]) && !format!("{error:?}").contains(&label[..8]),
            "{error}"
        );
    }
    let other = public(&good.replace("PUBLIC KEY", "X509 CRL")).unwrap_err().to_string();
    assert!(other.contains("X509 CRL"), "{other}");
}

#[test]
fn blank_space_around_a_key_and_windows_line_ends_do_no_harm() {
    let good = key_text("public_key", "public_pem");
    public(good.trim_end()).unwrap();
    public(&format!("\n  {good}\n\n")).unwrap();
    public(&good.replace('\n', "\r\n")).unwrap();
}

#[test]
fn serials_of_the_other_kind() {
    let (public_pem, private_pem) =
        (key_text("public_key", "public_pem"), key_text("merchant", "private_pem"));
    assert_refused!(
        PlatformKey::from_public_key_pem("5157F09E", public_pem),
        KeyError::CertificateSerialInsteadOfPublicKeyId
    );
    assert_refused!(
        MerchantKey::from_pkcs8_pem(ID, private_pem),
        KeyError::PublicKeyIdInsteadOfCertificateSerial
    );
    for serial in ["", "PUB_KEY_ID_", "xyz", "01 02"] {
        assert_refused!(PlatformKey::from_public_key_pem(serial, public_pem), KeyError::SerialMalformed);
        assert_refused!(MerchantKey::from_pkcs8_pem(serial, private_pem), KeyError::SerialMalformed);
    }
}

#[test]
fn serial_and_expiry_are_read_from_a_certificate() {
    for name in ["certificate", "certificate_4096"] {
        let key = PlatformKey::from_certificate_pem(key_text(name, "certificate_pem")).unwrap();
        assert_eq!(key.serial().as_str(), key_text(name, "serial"));
    }
    let expires = crate::fixture::vectors("keys")["certificate"]["expires"].as_i64();
    let key = PlatformKey::from_certificate_pem(key_text("certificate", "certificate_pem")).unwrap();
    assert_eq!(key.expires().map(|seconds| seconds.0), expires);
    assert_eq!(crate::fixture::public_key().expires(), None);
}

#[test]
fn apiv3_key_has_32_ascii_bytes() {
    ApiV3Key::new("0123456789abcdef0123456789ABCDEF").unwrap();
    for bytes in (0..=64).filter(|bytes| *bytes != 32) {
        let error = ApiV3Key::new(&"k".repeat(bytes)).unwrap_err();
        assert!(matches!(error, KeyError::ApiV3KeyLength { bytes: named } if named == bytes));
    }
    assert_refused!(ApiV3Key::new(&"é".repeat(16)), KeyError::ApiV3KeyNotAscii);
}

#[test]
fn debug_shows_no_key() {
    let key = private(key_text("merchant", "private_pem")).unwrap();
    assert_eq!(format!("{key:?}"), "MerchantKey { serial: \"01AB\", key: [REDACTED] }");
    let key = ApiV3Key::new("0123456789abcdef0123456789ABCDEF").unwrap();
    assert_eq!(format!("{key:?}"), "ApiV3Key([REDACTED])");
}
