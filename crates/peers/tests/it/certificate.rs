//! Platform certificates: the same serial, the same key, whatever the serial begins with.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use rand::Rng as _;
use serde_json::json;
use wechatpay::{PlatformKey, callback_message, headers};
use x509_cert::certificate::{Certificate, TbsCertificate, Version};
use x509_cert::der::asn1::{BitString, UtcTime};
use x509_cert::der::{Any, DateTime, Decode as _, Encode as _};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, ObjectIdentifier, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity};

use crate::fixture::{NOW, Pair, Parties, checks, pem, question};
use crate::generate;

/// sha256WithRSAEncryption (RFC 8017, appendix A.2.4).
const SHA256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");

checks! {
    Wechatpayv3 in wechatpayv3 {
        a_certificate_verifies_under_the_serial_that_we_read,
        a_serial_is_written_alike,
    }
    WechatpayAxiosPlugin in wechatpay_axios_plugin { a_certificate_verifies_under_the_serial_that_we_read }
}

fn a_certificate_verifies_under_the_serial_that_we_read(parties: &mut Parties) {
    let key = parties.their_signer();
    for certificate in certificates(parties) {
        let ours = PlatformKey::from_certificate_pem(&certificate).unwrap();
        let body = generate::body(&mut parties.rng, 4);
        let (timestamp, nonce) = (NOW.0.to_string(), parties.nonce());
        let message = callback_message(&timestamp, &nonce, body.as_bytes());
        let signature = key.sign(&message);
        ours.verify(&message, &signature).unwrap();
        let sent = [
            (headers::TIMESTAMP, timestamp.as_str()),
            (headers::NONCE, &nonce),
            (headers::SIGNATURE, &signature),
            (headers::SERIAL, ours.serial().as_str()),
            (headers::SIGNATURE_TYPE, ours.suite().scheme()),
        ];
        for (body, expected) in [(body.clone(), true), (format!("{body} "), false)] {
            let mut given = question(&sent, body.as_bytes(), NOW);
            given["certificate_pem"] = certificate.clone().into();
            given["serial"] = ours.serial().as_str().into();
            assert_eq!(parties.ask("verify_by_certificate", given), expected, "{}", ours.serial());
        }
    }
}

/// We write whole bytes, as openssl does; the SDK leaves out a leading zero, and compares serials as numbers.
fn a_serial_is_written_alike(parties: &mut Parties) {
    for certificate in certificates(parties) {
        let ours = PlatformKey::from_certificate_pem(&certificate).unwrap();
        let ours = ours.serial().as_str();
        let theirs = parties.ask_text("certificate_serial", json!({ "certificate_pem": certificate }));
        assert_eq!(ours.strip_prefix('0').unwrap_or(ours), theirs);
    }
}

/// Of serials that begin with every kind of byte.
fn certificates(parties: &mut Parties) -> Vec<String> {
    let certificate = |first: u8| {
        let mut serial: [u8; 20] = parties.rng.random();
        serial[0] = first;
        // With the first bit set, DER puts a zero byte before it, and 20 bytes are the most there may be.
        let serial = if first < 0x80 { &serial[..] } else { &serial[..8] };
        self_signed(&parties.their_platform, serial)
    };
    [0x01, 0x0a, 0x5f, 0x7f, 0x80, 0xd7, 0xff].map(certificate).into()
}

/// A certificate that lasts as long as its dates can be written in two digits of a year.
fn self_signed(pair: &Pair, serial: &[u8]) -> String {
    let date =
        |year| Time::UtcTime(UtcTime::from_date_time(DateTime::new(year, 1, 1, 0, 0, 0).unwrap()).unwrap());
    let algorithm = AlgorithmIdentifierOwned { oid: SHA256_WITH_RSA, parameters: Some(Any::null()) };
    let name: Name = "CN=Tenpay.com Root CA,O=Tenpay.com,C=CN".parse().unwrap();
    let spki = pair.pair.public_key().as_der().unwrap();
    let tbs_certificate = TbsCertificate {
        version: Version::V3,
        serial_number: SerialNumber::new(serial).unwrap(),
        signature: algorithm.clone(),
        issuer: name.clone(),
        validity: Validity { not_before: date(2020), not_after: date(2049) },
        subject: name,
        subject_public_key_info: SubjectPublicKeyInfoOwned::from_der(spki.as_ref()).unwrap(),
        issuer_unique_id: None,
        subject_unique_id: None,
        extensions: None,
    };
    let mut signature = vec![0; pair.pair.public_modulus_len()];
    let signed = tbs_certificate.to_der().unwrap();
    pair.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &signed, &mut signature).unwrap();
    let signature = BitString::from_bytes(&signature).unwrap();
    let certificate = Certificate { tbs_certificate, signature_algorithm: algorithm, signature };
    pem("CERTIFICATE", &certificate.to_der().unwrap())
}
