//! Target `diagnosis`: an arbitrary callback as somebody saved it. The pseudo-headers `@merchant` and `@now` say to
//! whom and when it came.
//!
//! Held: it ends; it is accepted just where the way of a server accepts it; what was mended was signed by WeChat Pay,
//! so that a notification is one of those; whatever is not accepted has a cause; no key and nothing decrypted is shown.
//! That the work is bounded, libFuzzer's own time limit holds.
//!
//! A body whose members would be put into thousands of orders takes seconds, which is its bound, but no time for a
//! fuzzer to spend on every input: of those, one in [`HEAVY_ONE_IN`] is looked at.

use serde_json::Value;
use wechatpay::diagnosis::{Account, Captured, Class, Diagnosis, Outcome, diagnose};
use wechatpay::{Callback, UnixSeconds, callback_message};

use crate::fixture::{GENUINE, KEYS, MCHID, VECTORS, text};
use crate::input::Capture;
use crate::input::canary::{self, assert_hidden};
use crate::{Stage, Target};

/// See the module.
pub const TARGET: Target = Target {
    name: "diagnosis",
    run,
    stages: &[
        "accepted",
        "malformed",
        "stale",
        "unknown_serial",
        "probe",
        "unsupported",
        "changed",
        "unverified",
        "wrong_merchant",
        "unreadable",
    ],
};

/// Orders of members that are tried for any input.
const ORDERS_MAX: u64 = 1_000;

/// Which share of inputs with more is looked at.
const HEAVY_ONE_IN: u64 = 256;

fn run(input: &[u8]) -> Stage {
    let mut capture = Capture::read(input);
    let merchant = capture.take("@merchant").and_then(|merchant| std::str::from_utf8(merchant).ok());
    let now = capture.take("@now").and_then(|now| std::str::from_utf8(now).ok()?.parse().ok());
    if orders(capture.body) > ORDERS_MAX && !is_genuine(&capture) && !hash(input).is_multiple_of(HEAVY_ONE_IN)
    {
        return "left out";
    }
    let now = now.map(UnixSeconds);
    let accounts = [
        Account::new(MCHID, &KEYS.platform, &KEYS.apiv3)
            .with_merchant_key(&KEYS.merchant)
            .with_apiv2_key(&KEYS.apiv2),
        Account::new("1900000002", &KEYS.platform, &KEYS.other_apiv3),
    ];
    let captured = Captured { headers: &capture.headers, body: capture.body, merchant };
    let found = diagnose(&captured, &accounts, now);
    is_consistent(&found);
    is_accepted_as_by_a_server(&found, &capture, merchant, now);
    says_what_was_signed(&found);
    shows_no_secret(&found, input);
    found.class.code()
}

/// In how many orders the members of an envelope can stand.
fn orders(body: &[u8]) -> u64 {
    let Ok(Value::Object(outer)) = serde_json::from_slice(body) else { return 1 };
    let inner = outer.values().find_map(Value::as_object).map_or(0, serde_json::Map::len);
    let factorial = |members: usize| (1..=members as u64).product::<u64>();
    if outer.len() > 6 || inner > 6 { 1 } else { factorial(outer.len()) * factorial(inner) }
}

/// FNV-1a.
fn hash(input: &[u8]) -> u64 {
    input
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Whether it would be found before any member is moved.
fn is_genuine(capture: &Capture<'_>) -> bool {
    let value = |name| capture.values(name).first().and_then(|value| std::str::from_utf8(value).ok());
    let (timestamp, nonce) = (value("wechatpay-timestamp"), value("wechatpay-nonce"));
    let message = callback_message(timestamp.unwrap_or_default(), nonce.unwrap_or_default(), capture.body);
    GENUINE.contains_key(&message)
}

fn is_consistent(found: &Diagnosis) {
    let checks: Vec<_> = found.steps.iter().map(|step| step.check).collect();
    assert!(checks.is_sorted() && checks.len() == 9, "{checks:?}");
    let is_accepted = found.class == Class::Accepted;
    assert_eq!(found.causes.is_empty(), is_accepted);
    let failed = found.steps.iter().any(|step| step.outcome == Outcome::Failed);
    assert_eq!(failed, !is_accepted);
    for cause in &found.causes {
        assert!(!cause.code().is_empty() && !cause.to_string().is_empty() && !cause.remedy().is_empty());
    }
}

/// Of APIv3; of APIv2, which signs within the body, target `v2_notice` has the like.
fn is_accepted_as_by_a_server(
    found: &Diagnosis,
    capture: &Capture<'_>,
    merchant: Option<&str>,
    now: Option<UnixSeconds>,
) {
    if found.class != Class::Accepted
        || merchant != Some(MCHID)
        || capture.body.trim_ascii_start().starts_with(b"<")
    {
        return;
    }
    let callback = Callback::parse(capture.headers.iter().copied(), capture.body).expect("it is accepted");
    let now = now.unwrap_or(callback.unverified_timestamp());
    let verified = callback.verify(&KEYS.platform, now).expect("it is accepted");
    verified.open(&KEYS.apiv3).expect("it is accepted");
}

fn says_what_was_signed(found: &Diagnosis) {
    let is_signed = |plaintext: &str| GENUINE.values().any(|genuine| genuine.plaintext == plaintext);
    let said = found.notification.as_ref().map(|notification| notification.plaintext.as_str());
    assert!(said.is_none_or(is_signed), "what nobody signed is told");
}

fn shows_no_secret(found: &Diagnosis, input: &[u8]) {
    let causes = found.causes.iter().map(|cause| format!("{cause} {}", cause.remedy()));
    let shown = format!("{found:?} {:?}", causes.collect::<Vec<_>>());
    for key in [text(&VECTORS.keys, "apiv3_key"), text(&VECTORS.v2, "apiv2_key")] {
        let is_given = input.windows(key.len()).any(|window| window == key.as_bytes());
        assert!(is_given || !shown.contains(key), "a key is shown");
    }
    // What came in clear text may be told again.
    if !canary::is_in(input) {
        assert_hidden(&shown);
    }
}
