//! Whatever was saved: nothing panics, and nothing that was not signed is accepted or proved.

use proptest::prelude::*;
use wechatpay::UnixSeconds;
use wechatpay::diagnosis::Class;
use wechatpay::headers;

use super::{genuine, look};
use crate::fixture::Sent;

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(headers::ALL.to_vec()).prop_map(str::to_owned),
        1 => Just("content-length".to_owned()),
        1 => "(HTTP_|http-)?[Ww]echatpay[_-](Nonce|SERIAL|Signature)",
        1 => ".*",
    ]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<Vec<u8>>(),
        "[0-9]{1,20}".prop_map(String::into_bytes),
        "[A-Za-z0-9+/ %-]{340,348}={0,3}".prop_map(String::into_bytes),
        "(WECHATPAY/SIGNTEST/|PUB_KEY_ID_)?[ -~]{0,40}".prop_map(String::into_bytes),
        Just(b"PUB_KEY_ID_0119000000012025060100000000000001".to_vec()),
    ]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<Vec<u8>>(),
        "[\\[\\]{}:,\"a0.e \\\\\r\n%7B&;=-]{0,40}".prop_map(String::into_bytes),
        "\\{\"summary\" ?:? ?\"?[^\"]{0,9}\"?.{0,9}\\}?".prop_map(String::into_bytes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn arbitrary_callbacks(
        headers in prop::collection::vec((name(), value()), 0..8),
        body in body(),
        now: Option<i64>,
    ) {
        let found = look(&Sent { headers, body }, now.map(UnixSeconds));
        prop_assert!(!matches!(found.class, Class::Accepted | Class::Changed | Class::Stale));
        prop_assert!(found.notification.is_none());
    }

    #[test]
    fn signed_headers_over_an_arbitrary_body(body in body()) {
        let sent = Sent { body, ..genuine() };
        prop_assert!(!matches!(look(&sent, None).class, Class::Accepted | Class::Changed));
    }

    #[test]
    fn arbitrary_signed_bodies(body in body()) {
        let found = look(&Sent::signed(body), None);
        prop_assert!(matches!(found.class, Class::Unreadable | Class::Unsupported), "{:?}", found.class);
    }

    #[test]
    fn one_byte_of_the_body_changed(at in 0..800_usize, byte: u8) {
        let mut sent = genuine();
        let at = at % sent.body.len();
        // Not within JSON's own signs alone: every order of its members would be tried.
        sent.body[at] = byte;
        sent.body.push(b'}');
        let found = look(&sent, None);
        prop_assert!(found.class == Class::Unverified || found.class == Class::Changed);
    }
}
