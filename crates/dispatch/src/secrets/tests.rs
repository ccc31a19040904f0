//! Secrets go together, rotate, do not show, and are read back as they were written.

use rand::{SeedableRng as _, rngs::StdRng};

use super::*;

fn key(seed: u64) -> SigningKey {
    let algorithm = if seed.is_multiple_of(2) { Algorithm::Hmac } else { Algorithm::Ed25519 };
    SigningKey::generate(algorithm, &mut StdRng::seed_from_u64(seed))
}

fn keys(seeds: std::ops::Range<u64>) -> Vec<Signer> {
    seeds.map(|seed| Signer::lasting(key(seed))).collect()
}

fn header(name: &str, value: &str) -> Header {
    Header::parse(name, value).expect("a header")
}

#[test]
fn too_much_and_twice_is_refused() {
    let refused = |signing, headers| Secrets::new(signing, headers, None).expect_err("refused");
    assert_eq!(refused(keys(0..9), vec![]), SecretsError::Keys { found: 9 });
    assert_eq!(refused([keys(0..2), keys(1..2)].concat(), vec![]), SecretsError::SameKey);
    let many: Vec<_> = (0..33).map(|number| header(&format!("x-{number}"), "v")).collect();
    assert_eq!(refused(vec![], many), SecretsError::Headers { found: 33 });
    let twice = vec![header("X-A", "1"), header("x-a", "2")];
    assert_eq!(refused(vec![], twice), SecretsError::SameHeader { name: "x-a".to_owned() });
    let long = vec![header("a", &"x".repeat(4096)), header("b", &"x".repeat(2048))];
    assert_eq!(refused(vec![], long), SecretsError::HeaderBytes { bytes: 6146 });
    for (user, password) in [("a\nb", ""), ("", "a\0"), (&*"x".repeat(513), "")] {
        assert_eq!(Login::parse(user, password), Err(SecretsError::Login));
    }
}

#[test]
fn the_old_key_signs_until_its_grace_is_over_and_no_longer() {
    let now = UnixMillis(1_000_000);
    let secrets = Secrets::new(keys(0..1), vec![], None).expect("secrets");
    let rotated = secrets.rotate(key(1), Duration::from_secs(60), now).expect("secrets");
    let [new, old] = rotated.signing() else { panic!("{rotated:?}") };
    assert_eq!((&new.key, &old.key), (&key(1), &key(0)));
    for (at, signs) in [(0, true), (1_059_999, true), (1_060_000, false), (i64::MAX, false)] {
        assert_eq!((new.signs_at(UnixMillis(at)), old.signs_at(UnixMillis(at))), (true, signs), "{at}");
    }
    assert!(rotated.signs());
}

#[test]
fn another_rotation_lengthens_no_grace_and_forgets_what_is_over() {
    let minute = Duration::from_secs(60);
    let start = UnixMillis(0);
    let secrets = Secrets::new(keys(0..1), vec![], None).expect("secrets");
    let second = secrets.rotate(key(1), minute, start).expect("secrets");
    let third = second.rotate(key(2), 2 * minute, UnixMillis(30_000)).expect("secrets");
    let until: Vec<_> = third.signing().iter().map(|signer| signer.until.map(|until| until.0)).collect();
    assert_eq!(until, [None, Some(150_000), Some(60_000)]);
    let fourth = third.rotate(key(3), minute, UnixMillis(60_000)).expect("secrets");
    let kept: Vec<_> = fourth.signing().iter().map(|signer| signer.key.clone()).collect();
    assert_eq!(kept, [key(3), key(2), key(1)]);
    let at_once = fourth.rotate(key(4), Duration::ZERO, UnixMillis(60_000)).expect("secrets");
    assert_eq!(at_once.signing(), [Signer::lasting(key(4))]);
}

#[test]
fn rotations_are_bounded_and_want_a_new_key() {
    let mut secrets = Secrets::new(keys(0..1), vec![], None).expect("secrets");
    for seed in 1..8 {
        secrets = secrets.rotate(key(seed), Duration::MAX, UnixMillis(i64::MAX - 1)).expect("secrets");
    }
    let error = secrets.rotate(key(8), Duration::MAX, UnixMillis(0)).expect_err("full");
    assert_eq!(error, SecretsError::Keys { found: 9 });
    let one = Secrets::new(keys(0..1), vec![], None).expect("secrets");
    let again = one.rotate(key(0), Duration::from_secs(1), UnixMillis(0));
    assert_eq!(again, Err(SecretsError::SameKey));
}

#[test]
fn they_are_read_back_as_they_were_written_and_do_not_show() {
    let login = Login::parse("shop", "rSx7").expect("a login");
    let ends = Signer { key: key(1), until: Some(UnixMillis(7)) };
    let headers = vec![header("Authorization", "Bearer rSx7")];
    let secrets = Secrets::new([keys(0..1), vec![ends]].concat(), headers, Some(login)).expect("secrets");
    let written = secrets.write();
    assert_eq!(Secrets::read(&written).as_ref(), Ok(&secrets));
    let shown = format!("{secrets:?}");
    assert!(!shown.contains("rSx7") && !shown.contains("wh"), "{shown}");
    assert_eq!(Secrets::read(&Secrets::default().write()), Ok(Secrets::default()));
}

#[test]
fn what_is_damaged_or_of_a_later_version_is_refused() {
    for (written, expected) in [
        ("", WrittenError::Shape),
        ("{}", WrittenError::Shape),
        (r#"{"signing":[],"headers":[],"login":null,"later":1}"#, WrittenError::Shape),
        (r#"{"signing":[{"key":"x","until_ms":null}],"headers":[],"login":null}"#, KeyError::Prefix.into()),
        (
            r#"{"signing":[],"headers":[["host","x"]],"login":null}"#,
            HeaderError::Reserved { name: "host".to_owned() }.into(),
        ),
        (r#"{"signing":[],"headers":[],"login":["a\n",""]}"#, SecretsError::Login.into()),
    ] {
        assert_eq!(Secrets::read(written.as_bytes()), Err(expected), "{written}");
    }
}
