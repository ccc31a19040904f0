//! What merchants' servers got wrong when they received callbacks, one test a trap: `trap_…`, here and, where a table of
//! its own was there already, in `headers`, `verify`, `open` and `certificates`.

use serde_json::Value;
use wechatpay::{HeaderError, PlatformKeys, UnixSeconds, VerifyError, headers};

use crate::fixture::{
    NOW, Refusal, Sent, apiv3_key, certificate, envelope, key_text, named, platform_keys, public_key, vectors,
};

fn verdict(sent: &Sent, keys: &PlatformKeys) -> Result<(), VerifyError> {
    sent.verify(keys, sent.timestamp()).map_err(|refusal| match refusal {
        Refusal::Verify(error) => error,
        other => panic!("{other:?}"),
    })
}

/// One merchant's callbacks: signed with the public key, and with the certificate.
fn both_kinds() -> (Sent, Sent) {
    let callbacks = vectors("callbacks");
    let sent = |name| Sent::of_vector(&named(&callbacks["vectors"], name));
    (sent("ordinary"), sent("by certificate"))
}

#[test]
fn trap_body_changed_on_its_way() {
    let genuine = r#"{"id":"1","summary":"支付成功","resource":{"nonce":"a\/b","n":1.0}}"#;
    let value: Value = serde_json::from_str(genuine).unwrap();
    let gbk: &[u8] = b"{\"id\":\"1\",\"summary\":\"\xd6\xa7\xb8\xb6\xb3\xc9\xb9\xa6\",\"resource\":{\"nonce\":\"a\\/b\",\"n\":1.0}}";
    let changes: [(&str, Vec<u8>); 13] = [
        ("re-serialised, keys in order", value.to_string().into()),
        ("re-serialised, indented", serde_json::to_vec_pretty(&value).unwrap()),
        ("slashes no longer escaped", genuine.replace("\\/", "/").into()),
        ("letters escaped", genuine.replace("支", "\\u652f").into()),
        ("keys in another order", genuine.replace(r#""id":"1","#, "").replace("}}", r#"},"id":"1"}"#).into()),
        ("a number written otherwise", genuine.replace("1.0", "1").into()),
        ("a newline added", format!("{genuine}\n").into()),
        ("a Windows newline added", format!("{genuine}\r\n").into()),
        ("a blank before it", format!(" {genuine}").into()),
        ("a byte-order mark before it", format!("\u{feff}{genuine}").into()),
        ("charset converted", gbk.to_vec()),
        ("cut off", genuine.as_bytes()[..genuine.len() - 1].to_vec()),
        ("lost", Vec::new()),
    ];
    let sent = Sent::signed(genuine);
    verdict(&sent, &platform_keys()).unwrap();
    for (name, body) in changes {
        assert_ne!(body, genuine.as_bytes(), "{name}");
        let changed = Sent { body, ..sent.clone() };
        assert_eq!(verdict(&changed, &platform_keys()), Err(VerifyError::SignatureMismatch), "{name}");
    }
}

#[test]
fn trap_newline_of_the_body_dropped() {
    let sent = Sent::signed("{}\n");
    verdict(&sent, &platform_keys()).unwrap();
    let dropped = Sent { body: b"{}".to_vec(), ..sent };
    assert_eq!(verdict(&dropped, &platform_keys()), Err(VerifyError::SignatureMismatch));
}

#[test]
fn trap_grey_switch_to_the_public_key_and_back() {
    let (by_public_key, by_certificate) = both_kinds();
    let unknown = |sent: &Sent| {
        let serial = sent.parse().unwrap().unverified_serial().to_owned();
        Err(VerifyError::UnknownSerial { serial })
    };
    let certificate_alone = PlatformKeys::new([certificate("certificate")]);
    let public_key_alone = PlatformKeys::new([public_key()]);
    let mut both = certificate_alone.clone();
    both.insert(public_key());

    // A merchant on certificates gets the public key's id, and the reverse: one kind alone refuses.
    verdict(&by_certificate, &certificate_alone).unwrap();
    assert_eq!(verdict(&by_public_key, &certificate_alone), unknown(&by_public_key));
    verdict(&by_public_key, &public_key_alone).unwrap();
    assert_eq!(verdict(&by_certificate, &public_key_alone), unknown(&by_certificate));
    // A set of both takes either, in any order and share, and has nothing to be switched.
    for sent in [&by_certificate, &by_public_key, &by_certificate, &by_public_key] {
        verdict(sent, &both).unwrap();
        sent.receive(&both, sent.timestamp(), &apiv3_key()).unwrap();
    }
}

#[test]
fn trap_public_key_id_is_not_parsed_as_hex() {
    let id = key_text("public_key", "id");
    let keys = platform_keys();
    assert_eq!(keys.find(id).unwrap().serial().as_str(), id);
    // Verbatim: no other letter case, not its digits alone, no digits left out.
    let digits = id.trim_start_matches("PUB_KEY_ID_");
    for other in [&id.to_lowercase(), digits, &id[..id.len() - 1], &format!("{id}0")] {
        assert!(keys.find(other).is_none(), "{other}");
        let sent = Sent::signed("{}").with(headers::SERIAL, other);
        assert_eq!(verdict(&sent, &keys), Err(VerifyError::UnknownSerial { serial: other.to_owned() }));
    }
}

#[test]
fn trap_timestamp_absent_is_not_parsed_as_0() {
    let mut sent = Sent::signed("{}");
    sent.headers.retain(|(name, _)| name != headers::TIMESTAMP);
    // Not even at the start of Unix time, when 0 would be right.
    let result = sent.verify(&platform_keys(), UnixSeconds(0));
    assert!(matches!(result, Err(Refusal::Header(HeaderError::Missing { header: headers::TIMESTAMP }))));
    let zero = Sent::signed("{}").with(headers::TIMESTAMP, "0");
    let result = zero.verify(&platform_keys(), NOW);
    assert!(matches!(result, Err(Refusal::Verify(VerifyError::StaleTimestamp { .. }))));
}

#[test]
fn trap_resend_within_the_window_is_signed_anew_and_an_old_copy_is_a_replay() {
    let sent = Sent::signed(envelope(b"{}").to_string());
    sent.verify(&platform_keys(), NOW).unwrap();
    let replayed = sent.verify(&platform_keys(), UnixSeconds(NOW.0 + 300));
    assert!(matches!(replayed, Err(Refusal::Verify(VerifyError::StaleTimestamp { .. }))));
    // A new timestamp on the old signature does not help.
    let redated = sent.with(headers::TIMESTAMP, &(NOW.0 + 300).to_string());
    let redated = redated.verify(&platform_keys(), UnixSeconds(NOW.0 + 300));
    assert!(matches!(redated, Err(Refusal::Verify(VerifyError::SignatureMismatch))));
}
