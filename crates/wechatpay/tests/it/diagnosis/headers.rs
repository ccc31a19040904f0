//! Headers that were changed, or that say something else than what was done.

use wechatpay::diagnosis::{Cause, Check, Class, Outcome};
use wechatpay::{UnixSeconds, headers};

use super::{check, codes, genuine, look};
use crate::fixture::{NOW, Sent};

fn value(sent: &mut Sent, name: &str) -> String {
    String::from_utf8(sent.header_mut(name).clone()).unwrap()
}

/// The genuine callback with this header changed.
fn changed(name: &str, change: impl FnOnce(String) -> String) -> Sent {
    let mut sent = genuine();
    let old = value(&mut sent, name);
    sent.with(name, &change(old))
}

fn renamed(name: impl Fn(&str) -> String) -> Sent {
    let mut sent = genuine();
    for (known, _) in &mut sent.headers {
        *known = name(known);
    }
    sent
}

#[test]
fn table_of_changed_headers() {
    let upper = Sent::signed(genuine().body);
    let mut lower = upper.clone();
    let nonce = value(&mut lower, headers::NONCE).to_lowercase();
    let lower = lower.with(headers::NONCE, &nonce);
    let mut doubled = genuine();
    doubled.headers.extend(genuine().headers.into_iter().take(1));
    let mut swapped = genuine();
    let (timestamp, nonce) = (value(&mut swapped, headers::TIMESTAMP), value(&mut swapped, headers::NONCE));
    let swapped = swapped.with(headers::TIMESTAMP, &nonce).with(headers::NONCE, &timestamp);
    let of_cgi = renamed(|name| format!("HTTP_{}", name.to_uppercase().replace('-', "_")));
    let folded = |text: String| format!("{}\r\n {}", &text[..76], &text[76..]);
    let percent = |text: String| text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let url = |text: String| text.replace('+', "-").replace('/', "_").trim_end_matches('=').to_owned();
    for (what, sent, causes) in [
        ("blanks", changed(headers::NONCE, |text| format!(" {text} ")), &["header_blanks"][..]),
        ("quotes", changed(headers::SERIAL, |text| format!("\"{text}\"")), &["header_blanks"]),
        ("folded", changed(headers::SIGNATURE, folded), &["header_folded"]),
        ("form", changed(headers::SIGNATURE, |text| text.replace('+', " ")), &["header_form_decoded"]),
        ("percent", changed(headers::SIGNATURE, percent), &["header_percent_encoded"]),
        ("base64url", changed(headers::SIGNATURE, url), &["signature_base64url"]),
        ("joined", changed(headers::NONCE, |text| format!("{text}, {text}")), &["header_repeated"]),
        ("doubled", doubled, &["header_repeated"]),
        ("letter case", lower, &["header_letter_case"]),
        ("swapped", swapped, &["timestamp_nonce_swapped"]),
        (
            "milliseconds",
            changed(headers::TIMESTAMP, |text| format!("{text}123")),
            &["timestamp_milliseconds"],
        ),
        ("CGI", of_cgi, &["header_renamed"; 5]),
        ("other type", changed(headers::SIGNATURE_TYPE, |_| "SHA1".to_owned()), &["signature_type_altered"]),
    ] {
        let found = check(what, &sent, Class::Changed, causes);
        assert!(found.notification.is_some(), "{what}: it opens once it is mended");
    }
}

#[test]
fn letter_case_of_names_does_not_matter() {
    check("upper", &renamed(str::to_uppercase), Class::Accepted, &[]);
    check("lower", &renamed(str::to_lowercase), Class::Accepted, &[]);
}

#[test]
fn a_body_and_a_header_changed_at_once() {
    let mut sent = changed(headers::NONCE, |text| format!("{text} "));
    sent.body.push(b'\n');
    check("both", &sent, Class::Changed, &["newline_added", "header_blanks"]);
}

#[test]
fn missing_headers_are_named_each() {
    let mut sent = genuine();
    sent.headers.retain(|(name, _)| !name.to_lowercase().ends_with("nonce"));
    let found = check("nonce", &sent, Class::Malformed, &["header_missing"]);
    assert_eq!(found.causes, [Cause::HeaderMissing { header: headers::NONCE }]);
    sent.headers.clear();
    check("all", &sent, Class::Malformed, &["header_missing"; 4]);
}

#[test]
fn what_cannot_be_a_header_is_malformed() {
    for (what, sent) in [
        ("no number", changed(headers::TIMESTAMP, |_| "yesterday".to_owned())),
        ("no base64", changed(headers::SIGNATURE, |text| text[1..].to_owned())),
        ("no base64 either", changed(headers::SIGNATURE, |text| format!("!{}", &text[1..]))),
        ("long", changed(headers::NONCE, |text| text.repeat(9))),
    ] {
        check(what, &sent, Class::Malformed, &["header_malformed"]);
    }
}

#[test]
fn a_probe_is_a_probe_whatever_else() {
    let probe = |text: String| format!("WECHATPAY/SIGNTEST/{}", &text[19..]);
    let sent = changed(headers::SIGNATURE, probe);
    check("probe", &sent, Class::Probe, &["signature_probe"]);
    let unknown = sent.with(headers::SERIAL, "PUB_KEY_ID_9");
    let found = check("probe by an unknown key", &unknown, Class::Probe, &["signature_probe"]);
    let outcome = |check| found.steps.iter().find(|step| step.check == check).unwrap().outcome;
    assert_eq!(outcome(Check::SignatureType), Outcome::Ok);
    assert_eq!((outcome(Check::Serial), outcome(Check::Signature)), (Outcome::NotChecked, Outcome::Failed));
}

#[test]
fn the_sm_suite_and_other_algorithms() {
    for (named, cause) in [("WECHATPAY2-SM2-WITH-SM3", "sm_suite"), ("WECHATPAY3", "unknown_algorithm")] {
        let mut sent = changed(headers::SIGNATURE_TYPE, |_| named.to_owned());
        sent.body = b"{}".to_vec();
        let found = look(&sent, None);
        if cfg!(feature = "sm") && cause == "sm_suite" {
            continue;
        }
        assert_eq!((found.class, codes(&found)), (Class::Unsupported, vec![cause]), "{named}");
    }
}

#[test]
fn a_clock_that_is_wrong_is_told_by_its_seconds() {
    for (offset, cause) in [
        (28_800, Cause::SignedLongAgo { seconds: 28_800 }),
        (300, Cause::SignedLongAgo { seconds: 300 }),
        (-300, Cause::SignedInTheFuture { seconds: 300 }),
    ] {
        let found = look(&genuine(), Some(UnixSeconds(NOW.0 + offset)));
        assert_eq!((found.class, &found.causes[..]), (Class::Stale, &[cause][..]), "{offset}");
        assert!(found.notification.is_some());
    }
}

#[test]
fn a_changed_body_that_is_also_old_has_two_causes() {
    let mut sent = genuine();
    sent.body.push(b'\n');
    let found = look(&sent, Some(UnixSeconds(NOW.0 + 4000)));
    assert_eq!((found.class, codes(&found)), (Class::Changed, vec!["newline_added", "signed_long_ago"]));
}

#[test]
fn extreme_times_do_no_harm() {
    for now in [i64::MIN, -1, 0, i64::MAX] {
        assert_eq!(look(&genuine(), Some(UnixSeconds(now))).class, Class::Stale);
    }
    let sent = changed(headers::TIMESTAMP, |_| "9".repeat(18));
    check("far", &sent, Class::Unverified, &["none_found"]);
}
