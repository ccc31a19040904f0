//! The texts that are written from the table.

use std::{fs, path::PathBuf};

use super::*;
use crate::config::{Config, InitError, reference, starter, write_starter};

#[test]
fn the_starter_changes_nothing() {
    let defaults = Setup::default().load().expect("valid").config;
    let started = setup(&starter()).load().expect("the starter is valid").config;
    assert_eq!(format!("{started:?}"), format!("{defaults:?}"));
}

#[test]
fn every_key_of_the_starter_is_one_that_loading_knows() {
    let every_key = starter()
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(assignment) if !assignment.starts_with(' ') => assignment,
            _ => line,
        })
        .collect::<Vec<_>>()
        .join("\n");
    let setup = setup(&every_key)
        .file("api.key", API_KEY)
        .file("apiv3.key", APIV3_KEY)
        .file("store.password", "p")
        .file("redis.password", "p")
        .file("sealing.key", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
        .file("shop.secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        .file("shop.headers", "X-Shop: 7")
        .file("broker.login", "payonce\np")
        .file("wechatpay_public_key.pem", PUBLIC_KEY)
        .file("ops.url", "https://oapi.dingtalk.com/robot/send?access_token=x")
        .file("ops.secret", "SEC")
        .file("wechatpay_certificate.pem", CERTIFICATE);
    // A file needs no password, a web server takes no login, and both kinds of platform key stand there to choose from; all
    // else is in order.
    insta::assert_snapshot!(setup.refused(), @r"
    payonce.toml:28:17: store.password_file: expected a URL of a server beside this password, found none
    payonce.toml:112:7: endpoints[0].url: a login is for brokers alone; send an Authorization header instead
    payonce.toml:178:18: merchants[0].apiv2_key_file: cannot read apiv2.key: entity not found
    payonce.toml:185:24: merchants[0].api_certificate_file: cannot read apiclient_cert.pem: entity not found
    payonce.toml:196:20: merchants[0].platform_keys[0].certificate_file: expected either public_key_id and public_key_file or certificate_file, found both; write one [[merchants.platform_keys]] for each key
    ");
}

#[test]
fn init_writes_the_starter_once_and_it_loads_from_disk() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("payonce.toml");
    write_starter(&path).expect("nothing is there");
    Config::load(Some(&path), &Environment::default()).expect("the starter is valid");

    fs::write(&path, "mine").expect("writable");
    assert!(matches!(write_starter(&path), Err(InitError::Exists { .. })));
    assert_eq!(fs::read_to_string(&path).expect("readable"), "mine");

    let nowhere = folder.path().join("absent").join("payonce.toml");
    assert!(matches!(write_starter(&nowhere), Err(InitError::Unwritable { .. })));
}

#[cfg(unix)]
#[test]
fn the_mode_of_a_file_on_disk_is_seen() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("payonce.toml");
    let key = folder.path().join("api.key");
    fs::write(&path, "api.key_file = \"api.key\"").expect("writable");
    fs::write(&key, API_KEY).expect("writable");
    for (mode, warnings) in [(0o600, 0), (0o640, 1), (0o604, 1)] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).expect("ours");
        let loaded = Config::load(Some(&path), &Environment::default()).expect("valid");
        assert_eq!(loaded.warnings.len(), warnings, "{mode:o}");
    }
}

/// Whoever watches the files has to see it.
#[test]
fn a_file_that_changes_while_it_is_read_looks_otherwise_than_before() {
    struct Changing;

    impl Files for Changing {
        fn look(&self, path: &Path) -> Option<Look> {
            Look::at(path)
        }

        fn read(&self, path: &Path) -> io::Result<Content> {
            let bytes = fs::read(path)?;
            fs::write(path, "# longer than it was before")?;
            Ok(Content { bytes, mode: None })
        }
    }

    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("payonce.toml");
    fs::write(&path, "# short").expect("writable");
    let loaded = load(Some(&path), &Environment::default(), &Changing).expect("valid");
    let [(file, before)] = &loaded.files[..] else { panic!("{:?}", loaded.files) };
    assert_eq!(*file, path);
    assert!(before.is_some() && *before != Look::at(&path), "{before:?}");
}

#[test]
fn the_reference_in_docs_is_true() {
    is_true("configuration.md", &reference());
}

#[test]
fn the_starter_in_docs_is_true() {
    is_true("payonce.toml", &starter());
}

/// A file in `docs` is what the table makes of it; if not, it is rewritten, for a person to look at.
fn is_true(name: &str, made: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if fs::read_to_string(&path).unwrap_or_default() != made {
        fs::write(&path, made).expect("docs can be written");
        panic!("docs/{name} did not match the table; it was rewritten: look at it and commit it");
    }
}
