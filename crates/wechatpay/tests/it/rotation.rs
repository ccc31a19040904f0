//! Which of several platform keys is used, and when.

use wechatpay::{PlatformKey, PlatformKeys, UnixSeconds};

use crate::fixture::{NOW, dated, key_text, public_key, vectors};

/// The serial of the key that fields are encrypted for.
fn chosen(keys: impl IntoIterator<Item = PlatformKey>, now: UnixSeconds) -> Option<String> {
    let keys = PlatformKeys::new(keys);
    keys.encryption_key(now).map(|key| key.serial().as_str().to_owned())
}

#[test]
fn start_and_end_are_read_from_a_certificate() {
    for (label, expected) in vectors("certificates")["dated"].as_object().unwrap() {
        let key = dated(label);
        let (starts, expires) = (key.starts().unwrap(), key.expires().unwrap());
        assert_eq!(key.serial().as_str(), expected["serial"].as_str().unwrap());
        assert_eq!((&expected["starts"], &expected["expires"]), (&starts.0.into(), &expires.0.into()));
        assert!(!key.has_expired(expires) && key.has_expired(UnixSeconds(expires.0 + 1)), "{label}");
    }
    let key = public_key();
    assert_eq!((key.starts(), key.expires()), (None, None));
    assert!(!key.has_expired(UnixSeconds(i64::MAX)));
}

#[test]
fn fields_are_encrypted_for_the_public_key_first() {
    let id = Some(key_text("public_key", "id").to_owned());
    assert_eq!(chosen([public_key(), dated("new")], NOW), id);
    assert_eq!(chosen([dated("new"), public_key()], NOW), id);
    assert_eq!(chosen([], NOW), None);
}

#[test]
fn fields_are_encrypted_for_the_certificate_that_started_last() {
    let all = || ["new", "expired", "future", "old"].map(dated);
    let (old, new) = (dated("old"), dated("new"));
    let serial = |label: &str| Some(dated(label).serial().as_str().to_owned());
    assert_eq!(chosen(all(), NOW), serial("new"));
    let starts = new.starts().unwrap().0;
    assert_eq!(chosen(all(), UnixSeconds(starts)), serial("new"));
    assert_eq!(chosen(all(), UnixSeconds(starts - 1)), serial("old"));
    assert_eq!(chosen(all(), dated("future").starts().unwrap()), serial("future"));
    assert_eq!(chosen([old.clone()], old.expires().unwrap()), serial("old"));
    assert_eq!(chosen([old.clone()], UnixSeconds(old.expires().unwrap().0 + 1)), None);
    assert_eq!(chosen([dated("future"), dated("expired")], NOW), None);
}

#[test]
fn a_certificate_is_believed_until_it_expires_even_before_it_starts() {
    let keys = PlatformKeys::new(["expired", "old", "new", "future"].map(dated));
    let valid = |label: &str| keys.valid(dated(label).serial().as_str(), NOW).is_some();
    assert!(valid("old") && valid("new") && !valid("expired"));
    assert!(valid("future"), "a clock that is slow must not cost a callback");
    assert!(keys.find(dated("expired").serial().as_str()).is_some());
}
