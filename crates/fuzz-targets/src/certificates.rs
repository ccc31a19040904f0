//! Target `certificates`: files of keys and certificates. The first line is `PEM`, and the rest a file; or `LISTED`, and
//! the rest a file that WeChat Pay's list of certificates holds; or a label such as `CERTIFICATE`, and the rest is what
//! a block under it holds (DER).
//!
//! Held: a file is one thing at the most (a certificate, a public or a private key); what reads it twice reads the same;
//! a serial that was read is one that can be written; a key verifies nothing that it did not sign, a private key signs
//! whatever it is given; no error shows what was in a block.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use wechatpay::answer::certificates::{self, CertificatesError};
use wechatpay::{
    FieldError, KeyError, MerchantCertificate, MerchantKey, PlatformKey, Serial, UnixSeconds, VerifyError,
};

use crate::fixture::{KEYS, NOW, SEAL_NONCE, Signed, seal};
use crate::input::lines;
use crate::{Stage, Target};

/// See the module.
pub const TARGET: Target = Target {
    name: "certificates",
    run,
    stages: &["refused", "certificate", "public key", "private key", "list refused", "listed"],
};

const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000000012025060100000000000001";

/// Bytes of a block's line that no error may show.
const SHOWN_MAX: usize = 24;

fn run(input: &[u8]) -> Stage {
    let (label, rest) = lines::first_text(input);
    match label.as_str() {
        "PEM" => file(&String::from_utf8_lossy(rest)),
        "LISTED" => listed(rest),
        label => file(&block(label, rest)),
    }
}

fn block(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn file(text: &str) -> Stage {
    let public = PlatformKey::from_public_key_pem(PUBLIC_KEY_ID, text);
    let certificate = PlatformKey::from_certificate_pem(text);
    let private = MerchantKey::from_pkcs8_pem("01", text);
    for error in [public.as_ref().err(), certificate.as_ref().err(), private.as_ref().err()] {
        error.into_iter().for_each(|error| shows_nothing(error, text));
    }
    merchants(&certificate, text);
    match (public, certificate, private) {
        (Ok(key), Err(_), Err(_)) => {
            assert_eq!((key.serial().as_str(), key.expires()), (PUBLIC_KEY_ID, None));
            verifies_nothing(&key);
            "public key"
        }
        (Err(_), Ok(key), Err(_)) => {
            verifies_nothing(&key);
            "certificate"
        }
        (Err(_), Err(_), Ok(key)) => {
            signs(&key);
            "private key"
        }
        (Err(_), Err(_), Err(_)) => "refused",
        _ => panic!("a file is two things"),
    }
}

/// The two readers of certificates agree.
fn merchants(platform: &Result<PlatformKey, KeyError>, text: &str) {
    match (platform, MerchantCertificate::from_pem(text)) {
        (Ok(platform), Ok(merchant)) => {
            assert_eq!(platform.serial(), merchant.serial());
            assert_eq!(
                (platform.starts(), platform.expires()),
                (Some(merchant.starts()), Some(merchant.expires()))
            );
            assert_eq!((platform.suite(), platform.merchant()), (merchant.suite(), merchant.mchid()));
            let serial = merchant.serial().as_str();
            assert_eq!(Serial::parse(serial).ok().as_ref(), Some(merchant.serial()), "{serial:?}");
            assert!(!merchant.serial().is_public_key_id());
            let UnixSeconds(expires) = merchant.expires();
            assert!(
                platform.has_expired(UnixSeconds(expires + 1)) && !platform.has_expired(merchant.expires())
            );
            let mchid = merchant.mchid().unwrap_or("1");
            assert!((1..=32).contains(&mchid.len()) && mchid.bytes().all(|byte| byte.is_ascii_digit()));
            let _ = merchant.matches(&KEYS.merchant);
        }
        (Err(_), Err(error)) => shows_nothing(&error, text),
        _ => panic!("a certificate is one for platform and merchant alike"),
    }
}

/// No piece of a block is in what an error says. Its label may be.
fn shows_nothing(error: &KeyError, text: &str) {
    let shown = format!("{error} {error:?}");
    let lines = text.lines().filter(|line| !line.contains("-----") && line.len() >= SHOWN_MAX);
    for line in lines.filter(|line| line.is_ascii()) {
        assert!(!shown.contains(&line[..SHOWN_MAX]), "{shown}");
    }
}

fn verifies_nothing(key: &PlatformKey) {
    const MESSAGE: &[u8] = b"a message that the key did not sign";
    let by_other = KEYS.merchant.sign(MESSAGE);
    // The vectors' merchant may be the key itself, where its certificate stands in the platform's place.
    if key.verify(b"another message", &by_other).is_ok() {
        panic!("a signature fits two messages");
    }
    for bytes in [0, 1, 64, 256, 512] {
        for byte in [0, 1, 0xff] {
            let signature = STANDARD.encode(vec![byte; bytes]);
            assert_eq!(key.verify(MESSAGE, &signature), Err(VerifyError::SignatureMismatch));
        }
    }
    match key.encrypt("张三") {
        Ok(ciphertext) => assert!(STANDARD.decode(ciphertext).is_ok()),
        Err(error) => assert_eq!(error, FieldError::UnfitKey),
    }
}

fn signs(key: &MerchantKey) {
    assert_eq!(key.serial().as_str(), "01");
    assert!(STANDARD.decode(key.sign(b"a message")).is_ok());
    assert_eq!(key.sign(b"a message"), key.sign(b"a message"));
    assert!(key.decrypt("AAAA").is_err());
    assert!(!format!("{key:?}").contains("PRIVATE"));
}

fn listed(rest: &[u8]) -> Stage {
    let body = json!({ "data": [{
        "serial_no": "01",
        "encrypt_certificate": {
            "algorithm": "AEAD_AES_256_GCM",
            "nonce": SEAL_NONCE,
            "associated_data": "certificate",
            "ciphertext": seal(rest, "certificate"),
        },
    }] });
    let body = body.to_string();
    let signed = Signed::new(body.as_bytes());
    let read = std::str::from_utf8(rest).ok().map(PlatformKey::from_certificate_pem);
    match (certificates::open(signed.answer(), &KEYS.platform, &KEYS.apiv3, NOW), read) {
        (Ok(found), Some(Ok(key))) => {
            assert_eq!(found.iter().map(PlatformKey::serial).collect::<Vec<_>>(), [key.serial()]);
            "listed"
        }
        (Err(CertificatesError::Unusable(_)), Some(Err(_))) => "list refused",
        (Err(CertificatesError::NoneFound), Some(Err(KeyError::SmNotBuilt))) => "list refused",
        (Err(CertificatesError::Sealed(_)), None) => "list refused",
        (found, read) => {
            panic!("the list says {:?}, the file {:?}", found.map(|_| ()), read.map(|read| read.is_ok()))
        }
    }
}
