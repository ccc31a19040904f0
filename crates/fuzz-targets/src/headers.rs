//! Target `headers`: a request with arbitrary headers and body, as it comes to the path of callbacks.
//!
//! Held: what is taken keeps the strict rules, which are written down here once more, and nothing else is refused;
//! neither order nor letter case of names matters; only what the owner of a key signed verifies, under that key's
//! serial, within 300 s; and that always does.

use wechatpay::{
    Callback, HeaderError, PlatformKeys, Suite, UnixSeconds, VerifyError, callback_message, headers,
};

use crate::fixture::{GENUINE, Genuine, KEYS, NOW};
use crate::input::Capture;
use crate::{Stage, Target};

/// See the module.
pub const TARGET: Target = Target {
    name: "headers",
    run,
    stages: &[
        "header refused",
        "stale",
        "unsupported type",
        "unknown serial",
        "probe",
        "not base64",
        "mismatch",
        "verified",
    ],
};

const HEADER_REFUSED: Stage = "header refused";

/// Bytes that each header has at most, in the order of [`headers::ALL`].
const BYTES_MAX: [usize; 5] = [18, 128, 1536, 128, 64];

fn run(input: &[u8]) -> Stage {
    let capture = Capture::read(input);
    let strict = Strict::read(&capture);
    match (parse(&capture), strict) {
        (Ok(callback), Some(strict)) => {
            assert_eq!(callback.unverified_timestamp().0, strict.timestamp);
            assert_eq!(callback.unverified_serial(), strict.serial);
            assert_eq!(callback.unverified_body(), capture.body);
            turned_round(&capture, &strict);
            verify(&capture, &strict)
        }
        (Err(error), None) => {
            assert!(names_a_header(&error), "{error}");
            HEADER_REFUSED
        }
        (Ok(_), None) => panic!("headers that are against the rules are taken"),
        (Err(error), Some(_)) => panic!("good headers are refused: {error}"),
    }
}

fn parse<'a>(capture: &Capture<'a>) -> Result<Callback<'a>, HeaderError> {
    Callback::parse(capture.headers.iter().copied(), capture.body)
}

/// The headers by the rules, read without the code under test.
struct Strict<'a> {
    timestamp: i64,
    nonce: &'a str,
    signature: &'a str,
    serial: &'a str,
    signature_type: Option<&'a str>,
}

impl<'a> Strict<'a> {
    fn read(capture: &Capture<'a>) -> Option<Self> {
        let mut values = [None; 5];
        for (at, header) in headers::ALL.iter().enumerate() {
            values[at] = match capture.values(header)[..] {
                [] if *header == headers::SIGNATURE_TYPE => None,
                [value] if is_visible(value) && value.len() <= BYTES_MAX[at] => {
                    Some(std::str::from_utf8(value).ok()?)
                }
                _ => return None,
            };
        }
        let [Some(timestamp), Some(nonce), Some(signature), Some(serial), signature_type] = values else {
            return None;
        };
        if !timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self { timestamp: timestamp.parse().ok()?, nonce, signature, serial, signature_type })
    }

    fn message(&self, capture: &Capture<'_>) -> Vec<u8> {
        // As it was written: zeros before a number are signed like all else.
        let written = capture.values(headers::TIMESTAMP)[0];
        let written = std::str::from_utf8(written).expect("BUG: it was read as text before");
        callback_message(written, self.nonce, capture.body)
    }
}

fn is_visible(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(|byte| (0x21..=0x7e).contains(byte))
}

fn names_a_header(error: &HeaderError) -> bool {
    match error {
        HeaderError::Missing { header }
        | HeaderError::Repeated { header }
        | HeaderError::Empty { header }
        | HeaderError::Oversized { header, .. }
        | HeaderError::NotAscii { header } => headers::ALL.contains(header),
        HeaderError::MalformedTimestamp => true,
    }
}

/// The same headers from last to first, their names in capitals, are the same callback.
fn turned_round(capture: &Capture<'_>, strict: &Strict<'_>) {
    let capitals: Vec<_> =
        capture.headers.iter().rev().map(|(name, value)| (name.to_ascii_uppercase(), *value)).collect();
    let capitals = capitals.iter().map(|(name, value)| (name.as_str(), *value));
    let callback = Callback::parse(capitals, capture.body).expect("the same headers in another order");
    assert_eq!(
        (callback.unverified_timestamp().0, callback.unverified_serial()),
        (strict.timestamp, strict.serial)
    );
}

fn verify(capture: &Capture<'_>, strict: &Strict<'_>) -> Stage {
    let genuine = GENUINE.get(&strict.message(capture));
    let verify =
        |keys: &PlatformKeys, now| parse(capture).map(|callback| callback.verify(keys, UnixSeconds(now)));
    let at = |now| match verify(&KEYS.platform, now) {
        Ok(verified) => verified.map(|verified| {
            assert_eq!((verified.timestamp().0, verified.serial()), (strict.timestamp, strict.serial));
            assert_eq!(verified.body(), capture.body);
        }),
        Err(error) => panic!("{error}: it was parsed before"),
    };
    let own_time = at(strict.timestamp);
    match (&own_time, genuine) {
        (Ok(()), Some(genuine)) => {
            assert!(is_named(genuine, strict.serial), "it verifies under another serial")
        }
        (Ok(()), None) => panic!("what nobody signed verifies"),
        (Err(error), Some(genuine)) => {
            assert!(!is_whole(genuine, strict), "what is genuine is refused: {error}")
        }
        (Err(_), None) => {}
    }
    let stale =
        |verdict: &Result<(), VerifyError>| matches!(verdict, Err(VerifyError::StaleTimestamp { .. }));
    for beyond in [300, -300] {
        assert!(stale(&at(strict.timestamp + beyond)));
        assert_eq!(at(strict.timestamp + beyond - beyond.signum()), own_time);
    }
    if own_time.is_ok() {
        assert_eq!(
            verify(&PlatformKeys::default(), strict.timestamp).map(|verdict| verdict.is_ok()),
            Ok(false)
        );
    }
    let now = at(NOW.0);
    assert!(stale(&now) || now == own_time);
    stage(&now)
}

/// A certificate's serial is hex, in either case; the id of a public key is a text.
fn is_named(genuine: &Genuine, serial: &str) -> bool {
    let is_id = genuine.serial.starts_with("PUB_KEY_ID_");
    if is_id { genuine.serial == serial } else { genuine.serial.eq_ignore_ascii_case(serial) }
}

/// Whether every header is as it was sent, in a build that has its algorithm.
fn is_whole(genuine: &Genuine, strict: &Strict<'_>) -> bool {
    let key = KEYS.platform.find(&genuine.serial);
    let suite = key.map(wechatpay::PlatformKey::suite);
    let named = strict.signature_type.unwrap_or(Suite::Rsa.scheme());
    strict.signature == genuine.signature
        && is_named(genuine, strict.serial)
        && suite.is_some_and(|suite| suite.scheme() == named)
}

fn stage(verdict: &Result<(), VerifyError>) -> Stage {
    match verdict {
        Ok(()) => "verified",
        Err(VerifyError::StaleTimestamp { .. }) => "stale",
        Err(VerifyError::UnsupportedSignatureType { .. }) => "unsupported type",
        Err(VerifyError::UnknownSerial { .. }) => "unknown serial",
        Err(VerifyError::OtherSuite { .. }) => "other suite",
        Err(VerifyError::SignatureProbe) => "probe",
        Err(VerifyError::MalformedSignature) => "not base64",
        Err(VerifyError::SignatureMismatch) => "mismatch",
    }
}
