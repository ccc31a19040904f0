//! 国密 against openssl and Python's `cryptography`.

use std::sync::OnceLock;

use serde_json::Value;
use wechatpay::answer::certificates;
use wechatpay::diagnosis::{Account, Captured, Class, diagnose};
use wechatpay::{
    ApiV3Key, FieldError, KeyError, MerchantCertificate, MerchantKey, PlatformKey, PlatformKeys,
    RequestToSign, Resource, Suite, VerifyError, headers, pay_sign, pay_sign_app, pay_sign_jsapi,
};

use crate::diagnosis::MCHID;
use crate::fixture::{NOW, Refusal, Sent, apiv3_key, platform_keys, private_key, vectors};

fn file() -> &'static Value {
    static FILE: OnceLock<Value> = OnceLock::new();
    FILE.get_or_init(|| vectors("sm"))
}

fn key_text(key: &str, field: &str) -> &'static str {
    file()["keys"][key][field].as_str().unwrap()
}

fn public_key() -> PlatformKey {
    let (id, pem) = (key_text("public_key", "id"), key_text("public_key", "public_pem"));
    PlatformKey::from_public_key_pem(id, pem).unwrap()
}

fn certificate() -> PlatformKey {
    PlatformKey::from_certificate_pem(key_text("certificate", "certificate_pem")).unwrap()
}

fn keys() -> PlatformKeys {
    PlatformKeys::new([public_key(), certificate()])
}

fn merchant_key() -> MerchantKey {
    let (serial, pem) = (key_text("merchant", "serial"), key_text("merchant", "private_pem"));
    MerchantKey::from_pkcs8_pem(serial, pem).unwrap()
}

/// WeChat Pay's private key, in the part of a merchant's: it signs as WeChat Pay and opens what is sent to it.
fn platform_private_key() -> MerchantKey {
    MerchantKey::from_pkcs8_pem("01", key_text("public_key", "private_pem")).unwrap()
}

fn callbacks() -> Vec<Sent> {
    file()["callbacks"].as_array().unwrap().iter().map(Sent::of_vector).collect()
}

#[test]
fn callbacks_verify_and_open() {
    assert_eq!(callbacks().len(), 2);
    for sent in callbacks() {
        let notification = sent.receive(&keys(), NOW, &apiv3_key()).unwrap();
        assert_eq!(notification.plaintext, file()["plaintext"].as_str().unwrap());
        assert!(matches!(notification.resource, Resource::Transaction(_)));
        sent.answer(200).unwrap().verify(&keys(), NOW).unwrap();
    }
}

#[test]
fn callbacks_are_diagnosed_as_accepted() {
    let (keys, apiv3_key) = (keys(), apiv3_key());
    for sent in callbacks() {
        let headers: Vec<_> =
            sent.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let captured = Captured { headers: &headers, body: &sent.body, merchant: Some(MCHID) };
        let found = diagnose(&captured, &[Account::new(MCHID, &keys, &apiv3_key)], Some(NOW));
        assert_eq!(found.class, Class::Accepted, "{found:#?}");
    }
}

#[test]
fn every_changed_byte_of_a_body_is_refused() {
    let (mut sent, keys) = (callbacks().remove(0), keys());
    for position in 0..sent.body.len() {
        sent.body[position] ^= 1;
        let result = sent.verify(&keys, NOW);
        assert!(
            matches!(result, Err(Refusal::Verify(VerifyError::SignatureMismatch))),
            "{position}: {result:?}"
        );
        sent.body[position] ^= 1;
    }
    sent.verify(&keys, NOW).unwrap();
}

#[test]
fn every_changed_byte_of_a_signature_is_refused_and_none_panics() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let (sent, keys) = (callbacks().remove(0), keys());
    let signature = STANDARD.decode(sent.clone().header_mut(headers::SIGNATURE)).unwrap();
    let refused = |der: &[u8]| {
        let result = sent.clone().with(headers::SIGNATURE, &STANDARD.encode(der)).verify(&keys, NOW);
        matches!(result, Err(Refusal::Verify(VerifyError::SignatureMismatch)))
    };
    for position in 0..signature.len() {
        for byte in (0..=u8::MAX).filter(|byte| *byte != signature[position]) {
            let mut changed = signature.clone();
            changed[position] = byte;
            assert!(refused(&changed), "{position}: {byte:#04x}");
        }
        assert!(refused(&signature[position + 1..]) || position + 1 == signature.len());
        assert!(position == 0 || refused(&signature[..position]));
    }
    assert!(refused(&[signature.as_slice(), &[0]].concat()));
    // r‖s without DER, which is not WeChat Pay's layout; and zeros.
    assert!(refused(&[7; 64]) && refused(&[0x30, 6, 2, 1, 0, 2, 1, 0]) && refused(&[0; 72]));
}

#[test]
fn the_key_must_be_of_the_suite_that_the_header_names() {
    let serial = |sent: &Sent| sent.parse().unwrap().unverified_serial().to_owned();
    let refused = |sent: &Sent, keys: &PlatformKeys| match sent.verify(keys, NOW) {
        Err(Refusal::Verify(error)) => error,
        other => panic!("{other:?}"),
    };
    // An RSA key, a signature that is said to be SM2; also without the header an SM2 key is not for RSA.
    let rsa = Sent::signed("{}").with(headers::SIGNATURE_TYPE, Suite::Sm.scheme());
    let expected = VerifyError::OtherSuite { serial: serial(&rsa), signed: Suite::Sm, key: Suite::Rsa };
    assert_eq!(refused(&rsa, &platform_keys()), expected);
    for mut sent in callbacks() {
        let expected = VerifyError::OtherSuite { serial: serial(&sent), signed: Suite::Rsa, key: Suite::Sm };
        let named = sent.clone().with(headers::SIGNATURE_TYPE, Suite::Rsa.scheme());
        assert_eq!(refused(&named, &keys()), expected);
        sent.headers.retain(|(name, _)| !name.eq_ignore_ascii_case(headers::SIGNATURE_TYPE));
        assert_eq!(refused(&sent, &keys()), expected);
    }
    // A probe is one in this suite too.
    let probe = callbacks().remove(0).with(headers::SIGNATURE, "WECHATPAY/SIGNTEST/x");
    assert_eq!(refused(&probe, &keys()), VerifyError::SignatureProbe);
}

#[test]
fn requests_are_signed_with_sm2() {
    let key = merchant_key();
    assert_eq!(key.suite(), Suite::Sm);
    let request = RequestToSign {
        method: "GET",
        url: certificates::path(key.suite()),
        timestamp: NOW,
        nonce: "593BEC0C930BF1AFEB40B4A08C8FB242",
        body: b"",
    };
    let authorization = request.authorization("1900000001", &key);
    let (scheme, fields) = authorization.split_once(' ').unwrap();
    assert_eq!(scheme, "WECHATPAY2-SM2-WITH-SM3");
    let signature = fields.split("signature=\"").nth(1).unwrap().split('"').next().unwrap();
    // What verifies openssl's signatures verifies ours.
    let own = PlatformKey::from_certificate_pem(key_text("merchant", "certificate_pem")).unwrap();
    own.verify(&request.message(), signature).unwrap();
    assert_eq!(own.verify(b"another", signature), Err(VerifyError::SignatureMismatch));
    assert_eq!(authorization, request.authorization("1900000001", &merchant_key()), "no randomness");
}

/// The cashier's `signType` is RSA; what an SM2 key signed under that name would fail in the user's hands.
#[test]
fn payments_are_not_signed_with_sm2() {
    let (key, appid, nonce, prepay_id) = (merchant_key(), "wx2421b1c4370ec43b", "593BEC0C930BF1AF", "wx2014");
    let refused = [
        pay_sign(appid, NOW, nonce, prepay_id, &key).err(),
        pay_sign_jsapi(appid, NOW, nonce, prepay_id, &key).err(),
        pay_sign_app(appid, "1900000001", NOW, nonce, prepay_id, &key).err(),
    ];
    for error in refused {
        assert!(matches!(error, Some(KeyError::PaymentNeedsRsa)), "{error:?}");
    }
    assert!(pay_sign(appid, NOW, nonce, prepay_id, &private_key("merchant")).is_ok());
}

#[test]
fn certificates_are_downloaded_as_with_rsa() {
    let sent = Sent::of_vector(&file()["certificates"]);
    let open = |known: &PlatformKeys| certificates::open(sent.answer(200).unwrap(), known, &apiv3_key(), NOW);
    for known in [PlatformKeys::default(), keys(), platform_keys()] {
        let found = open(&known).unwrap();
        assert_eq!(found[0].serial().as_str(), key_text("certificate", "serial"));
        assert_eq!((found.len(), found[0].suite()), (1, Suite::Sm));
    }
}

#[test]
fn fields_go_both_ways() {
    for field in file()["fields"].as_array().unwrap() {
        let plaintext = field["plaintext"].as_str().unwrap();
        assert_eq!(merchant_key().decrypt(field["ciphertext"].as_str().unwrap()).unwrap(), plaintext);
        let sealed = public_key().encrypt(plaintext).unwrap();
        assert_ne!(sealed, public_key().encrypt(plaintext).unwrap());
        assert_eq!(platform_private_key().decrypt(&sealed).unwrap(), plaintext);
        assert_eq!(merchant_key().decrypt(&sealed), Err(FieldError::WrongKey));
        assert_eq!(private_key("merchant").decrypt(&sealed), Err(FieldError::WrongKey));
    }
    assert_eq!(public_key().encrypt(""), Err(FieldError::Empty));
    for text in ["", "AAAA", "MAA=", "MIIB"] {
        assert_eq!(merchant_key().decrypt(text), Err(FieldError::WrongKey), "{text}");
    }
}

#[test]
fn a_merchants_certificate_and_private_key_are_a_pair_or_not() {
    let certificate = MerchantCertificate::from_pem(key_text("merchant", "certificate_pem")).unwrap();
    assert_eq!((certificate.suite(), certificate.mchid()), (Suite::Sm, Some("1900000001")));
    assert_eq!(certificate.serial().as_str(), key_text("merchant", "serial"));
    assert_eq!(file()["keys"]["merchant"]["expires"], certificate.expires().0);
    assert!(certificate.matches(&merchant_key()));
    assert!(!certificate.matches(&platform_private_key()));
    assert!(!certificate.matches(&private_key("merchant")));
}

#[test]
fn keys_of_another_curve_or_damaged() {
    let pem = |label: &str, body: &str| format!("-----BEGIN {label}-----\n{body}-----END {label}-----\n");
    let id = key_text("public_key", "id");
    let ec = crate::fixture::key_text;
    assert!(matches!(PlatformKey::from_public_key_pem(id, ec("ec", "public_pem")), Err(KeyError::NotRsa)));
    assert!(matches!(MerchantKey::from_pkcs8_pem("01", ec("ec", "private_pem")), Err(KeyError::NotRsa)));
    // A point that is not on the curve: another last letter of its y.
    let good = key_text("public_key", "public_pem");
    let body: String =
        good.lines().filter(|line| !line.starts_with('-')).map(|line| format!("{line}\n")).collect();
    let last = body.trim_end().trim_end_matches('=').len() - 2;
    let other = if &body[last..=last] == "A" { "B" } else { "A" };
    let body = format!("{}{other}{}", &body[..last], &body[last + 1..]);
    let damaged = pem("PUBLIC KEY", &body);
    assert!(matches!(PlatformKey::from_public_key_pem(id, &damaged), Err(KeyError::Malformed)));
}

#[test]
fn resources_open_with_the_key_that_sm3_makes_of_the_apiv3_key() {
    let resource = &file()["resource"];
    let text = |field: &str| resource[field].as_str().unwrap();
    let key = ApiV3Key::new(text("apiv3_key")).unwrap();
    let open = |algorithm, data| key.open_as(algorithm, text("nonce"), data, text("ciphertext"));
    let plaintext = open("AEAD_SM4_GCM", text("associated_data")).unwrap();
    assert_eq!(String::from_utf8(plaintext).unwrap(), text("plaintext"));
    assert!(open("AEAD_SM4_GCM", "refund").unwrap_err().is_key_fault());
    assert!(open("AEAD_AES_256_GCM", text("associated_data")).unwrap_err().is_key_fault());
}
