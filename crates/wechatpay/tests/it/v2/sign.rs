//! Signs: known answers, what is signed, and what is not believed.

use wechatpay::v2::{ApiV2Key, Fields, SignError, SignType, app_pay_sign, pay_sign, sign, sign_message};
use wechatpay::{KeyError, UnixSeconds};

use super::{key, of, other_key};
use crate::fixture::vectors;

const MD5: &str = "9A0A8659F005D6984697E2CA0A9CF3B7";
const HMAC: &str = "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6";

fn known() -> (Fields, ApiV2Key) {
    let fields = of([
        ("nonce_str", "ibuaiVcKdpRxkhJA"),
        ("mch_id", "10000100"),
        ("device_info", "1000"),
        ("body", "test"),
        ("appid", "wxd930ea5d5a258f4f"),
    ]);
    (fields, ApiV2Key::new("192006250b4c09247ec02edce69f6a2d").unwrap())
}

fn with_sign(sign: &str) -> Fields {
    let (mut fields, _) = known();
    fields.insert("sign", sign);
    fields
}

/// The known answers of the protocol's description.
#[test]
fn known_answers() {
    let (fields, key) = known();
    assert_eq!(sign(&fields, SignType::Md5, &key), MD5);
    assert_eq!(sign(&fields, SignType::HmacSha256, &key), HMAC);
}

#[test]
fn table_of_what_is_signed() {
    for (fields, expected) in [
        (of([("b", "2"), ("a", "1")]), "a=1&b=2"),
        (of([("a", "1"), ("sign", "X"), ("sign_type", "MD5")]), "a=1&sign_type=MD5"),
        (of([("a", "1"), ("b", ""), ("c", "0")]), "a=1&c=0"),
        (of([("rfc822", "2"), ("rfc2086", "3"), ("b", "4"), ("rfc1", "1")]), "b=4&rfc1=1&rfc2086=3&rfc822=2"),
        (of([("a", "1"), ("B", "2"), ("aa", "3"), ("_", "4")]), "B=2&_=4&a=1&aa=3"),
        (of([("a", " x y\r\n"), ("b", "%2F/&=桌")]), "a= x y\r\n&b=%2F/&=桌"),
        (of([("a", " ")]), "a= "),
        (of([]), ""),
    ] {
        assert_eq!(sign_message(&fields), expected);
    }
}

#[test]
fn table_of_signs_that_are_not_believed() {
    let (_, key) = known();
    for (sign, expected) in [
        ("", SignError::Missing),
        ("foo", SignError::Length { bytes: 3 }),
        (&MD5[1..], SignError::Length { bytes: 31 }),
        (&HMAC[..63], SignError::Length { bytes: 63 }),
        ("00000000000000000000000000000000", SignError::Mismatch),
        (&HMAC[..32], SignError::Mismatch),
        // 32 characters and 32 bytes are not the same.
        ("桌桌桌桌桌桌桌桌桌桌AA", SignError::Mismatch),
        ("ＡA8659F005D6984697E2CA0A9CF3B7", SignError::Mismatch),
    ] {
        assert_eq!(with_sign(sign).verify(&key, None).unwrap_err(), expected, "{sign}");
    }
    assert_eq!(known().0.verify(&key, None).unwrap_err(), SignError::Missing);
    for sign in [MD5, HMAC] {
        with_sign(sign).verify(&key, None).unwrap();
        with_sign(&sign.to_ascii_lowercase()).verify(&key, None).unwrap();
        assert_eq!(with_sign(sign).verify(&other_key(), None).unwrap_err(), SignError::Mismatch);
    }
}

#[test]
fn a_type_that_is_insisted_on_and_a_type_that_is_named() {
    let (_, key) = known();
    let (md5, hmac) = (SignType::Md5, SignType::HmacSha256);
    with_sign(MD5).verify(&key, Some(md5)).unwrap();
    with_sign(HMAC).verify(&key, Some(hmac)).unwrap();
    let downgraded = with_sign(MD5).verify(&key, Some(hmac)).unwrap_err();
    assert_eq!(downgraded, SignError::UnexpectedType { expected: hmac, found: md5 });
    for (named, expected) in [
        ("HMAC-SHA256", SignError::Mismatch), // an MD5 sign under another name
        ("RSA", SignError::UnknownType { sign_type: "RSA".to_owned() }),
        ("md5", SignError::UnknownType { sign_type: "md5".to_owned() }),
        (&"x".repeat(9999), SignError::UnknownType { sign_type: "x".repeat(32) }),
    ] {
        let mut fields = with_sign(MD5);
        fields.insert("sign_type", named);
        assert_eq!(fields.verify(&key, None).unwrap_err(), expected);
    }
}

#[test]
fn table_of_keys() {
    for bytes in [0, 3, 31, 33] {
        let refused = ApiV2Key::new(&"k".repeat(bytes));
        assert!(matches!(refused, Err(KeyError::ApiV2KeyLength { bytes: told }) if told == bytes));
    }
    assert!(matches!(ApiV2Key::new("桌桌桌桌桌桌桌桌桌桌AA"), Err(KeyError::ApiV2KeyNotAscii)));
    assert_eq!(format!("{:?}", key()), "ApiV2Key([REDACTED])");
}

#[test]
fn payments_are_signed_as_openssl_signs_them() {
    let all = vectors("v2");
    let all = all["payments"].as_array().unwrap();
    assert_eq!(all.len(), 2);
    for vector in all {
        let sign_type = if vector["sign_type"] == "MD5" { SignType::Md5 } else { SignType::HmacSha256 };
        let text = |value: &str| vector["app"][value].as_str().unwrap().to_owned();
        let (appid, nonce, prepay_id) = (text("appid"), text("noncestr"), text("prepayid"));
        let at = UnixSeconds(1_750_000_000);
        let client = pay_sign(&appid, at, &nonce, &prepay_id, sign_type, &key());
        assert_eq!(serde_json::to_value(&client).unwrap(), vector["mini_program"]);
        let app = app_pay_sign(&appid, &text("partnerid"), at, &nonce, &prepay_id, sign_type, &key());
        assert_eq!(serde_json::to_value(&app).unwrap(), vector["app"]);
    }
}
