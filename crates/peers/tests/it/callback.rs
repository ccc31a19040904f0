//! Signatures of callbacks: theirs of ours, ours of theirs, and neither after a byte has changed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use payonce_simulator::Tampering;
use rand::Rng as _;
use serde_json::json;
use wechatpay::{Callback, PlatformKeys, UnixSeconds, VerifyError, headers};

use crate::fixture::{INPUTS, NOW, Parties, THEIR_SERIAL, checks};
use crate::generate;

checks! {
    Wechatpayv3 in wechatpayv3 {
        what_the_simulator_signs_is_taken,
        what_was_changed_by_a_byte_is_refused,
        what_they_sign_passes_and_changed_does_not,
    }
    WechatpayAxiosPlugin in wechatpay_axios_plugin {
        what_the_simulator_signs_is_taken,
        what_was_changed_by_a_byte_is_refused,
        what_they_sign_passes_and_changed_does_not,
        both_refuse_beyond_five_minutes,
    }
}

fn what_the_simulator_signs_is_taken(parties: &mut Parties) {
    for number in 0..INPUTS {
        let (body, nonce) = (generate::body(&mut parties.rng, number), parties.nonce());
        let callback = parties.platform.sign(Bytes::from(body.clone()), NOW, nonce);
        assert!(parties.takes(&callback, NOW), "{body:?}");
    }
}

fn what_was_changed_by_a_byte_is_refused(parties: &mut Parties) {
    use Tampering::{BodyByte, NonceByte, SignatureByte, SignatureProbe, TimestampByte, UnknownSerial};
    for number in 0..INPUTS {
        let (body, nonce) = (generate::body(&mut parties.rng, number), parties.nonce());
        let callback = parties.platform.sign(Bytes::from(body.clone()), NOW, nonce);
        for tampering in [BodyByte, NonceByte, SignatureByte, SignatureProbe, TimestampByte, UnknownSerial] {
            if body.is_empty() && tampering == BodyByte {
                continue;
            }
            let changed = callback.clone().tampered(tampering, &mut parties.rng);
            assert!(!parties.takes(&changed, NOW), "{tampering:?} of {body:?}");
        }
    }
}

fn what_they_sign_passes_and_changed_does_not(parties: &mut Parties) {
    let keys = PlatformKeys::new([parties.their_key()]);
    for number in 0..INPUTS {
        let (body, nonce) = (generate::body(&mut parties.rng, number), parties.nonce());
        let given = json!({ "timestamp": NOW.0.to_string(), "nonce": nonce, "body": STANDARD.encode(&body) });
        let signature = parties.ask_text("sign_callback", given);
        let verify = |body: &[u8]| {
            let timestamp = NOW.0.to_string();
            let headers = [
                (headers::TIMESTAMP, timestamp.as_bytes()),
                (headers::NONCE, nonce.as_bytes()),
                (headers::SIGNATURE, signature.as_bytes()),
                (headers::SERIAL, THEIR_SERIAL.as_bytes()),
            ];
            Callback::parse(headers, body).unwrap().verify(&keys, NOW).map(|_| ())
        };
        verify(body.as_bytes()).unwrap();

        let mut changed = body.clone().into_bytes();
        if changed.is_empty() {
            changed.push(b'\n');
        } else {
            let at = parties.rng.random_range(0..changed.len());
            changed[at] ^= 1 << parties.rng.random_range(0..8);
        }
        assert!(matches!(verify(&changed), Err(VerifyError::SignatureMismatch)), "{body:?}");
    }
}

/// At exactly 300 s the SDK takes what we refuse, whose rule is "less than".
fn both_refuse_beyond_five_minutes(parties: &mut Parties) {
    let keys = PlatformKeys::new([wechatpay::PlatformKey::from_public_key_pem(
        parties.platform.serial(),
        parties.platform.public_key_pem(),
    )
    .unwrap()]);
    let nonce = parties.nonce();
    let callback = parties.platform.sign(Bytes::from_static(b"{}"), NOW, nonce);
    for (seconds, theirs, ours) in [
        (-301, false, false),
        (-300, true, false),
        (-299, true, true),
        (0, true, true),
        (299, true, true),
        (300, true, false),
        (301, false, false),
    ] {
        let now = UnixSeconds(NOW.0 + seconds);
        assert_eq!(parties.takes(&callback, now), theirs, "theirs at {seconds} s");
        let sent = callback.headers();
        let sent = sent.iter().map(|(name, value)| (*name, value.as_bytes()));
        let verified = Callback::parse(sent, callback.body()).unwrap().verify(&keys, now);
        assert_eq!(verified.is_ok(), ours, "ours at {seconds} s");
    }
}
