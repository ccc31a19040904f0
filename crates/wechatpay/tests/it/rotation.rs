//! Which of several platform keys is used, and when.

use wechatpay::{PlatformKeys, UnixSeconds};

use crate::fixture::{certificate, key_text, public_key, vectors};

fn chosen(keys: &PlatformKeys, now: UnixSeconds) -> Option<String> {
    keys.encryption_key(now).map(|key| key.serial().as_str().to_owned())
}

#[test]
fn start_and_end_are_read_from_a_certificate() {
    let key = certificate("certificate");
    let (starts, expires) = (key.starts().unwrap(), key.expires().unwrap());
    assert_eq!(vectors("keys")["certificate"]["expires"], expires.0);
    assert!(starts < expires);
    assert!(!key.has_expired(expires) && key.has_expired(UnixSeconds(expires.0 + 1)));
    let key = public_key();
    assert_eq!((key.starts(), key.expires()), (None, None));
    assert!(!key.has_expired(UnixSeconds(i64::MAX)));
}

#[test]
fn fields_are_encrypted_for_the_public_key_first() {
    let now = certificate("certificate").starts().unwrap();
    let id = Some(key_text("public_key", "id").to_owned());
    for keys in [[public_key(), certificate("certificate")], [certificate("certificate"), public_key()]] {
        assert_eq!(chosen(&PlatformKeys::new(keys), now), id);
    }
    assert_eq!(chosen(&PlatformKeys::default(), now), None);
}

#[test]
fn fields_are_encrypted_for_the_certificate_that_started_last() {
    let (older, newer) = (certificate("certificate"), certificate("certificate_4096"));
    let (old, new) = (older.serial().as_str().to_owned(), newer.serial().as_str().to_owned());
    let (first, last) = (older.starts().unwrap(), newer.starts().unwrap());
    assert!(first <= last);
    let at = |offset: i64| UnixSeconds(last.0 + offset);
    for keys in [[older.clone(), newer.clone()], [newer.clone(), older.clone()]] {
        let keys = PlatformKeys::new(keys);
        // None has started: WeChat Pay signs with them (see below), but does not decrypt for them yet.
        assert_eq!(chosen(&keys, UnixSeconds(first.0 - 1)), None);
        if first < last {
            assert_eq!(chosen(&keys, at(-1)), Some(old.clone()));
            assert_eq!(chosen(&keys, at(0)), Some(new.clone()));
        }
        // Both have expired.
        assert_eq!(chosen(&keys, UnixSeconds(newer.expires().unwrap().0 + 1)), None);
    }
}

#[test]
fn a_clock_before_the_start_of_a_certificate_costs_no_callback() {
    let key = certificate("certificate");
    let (serial, early) = (key.serial().as_str().to_owned(), UnixSeconds(key.starts().unwrap().0 - 1));
    let late = UnixSeconds(key.expires().unwrap().0 + 1);
    let keys = PlatformKeys::new([key]);
    assert!(keys.valid(&serial, early).is_some());
    assert!(keys.valid(&serial, late).is_none() && keys.find(&serial).is_some());
}
