//! The texts that are written from the table.

use std::{fs, path::PathBuf};

use super::*;
use crate::config::{Config, InitError, reference, starter, write_starter};

#[test]
fn the_starter() {
    insta::assert_snapshot!(starter(), @r#"
    # payonce's configuration. Lines that begin with `#` and a space explain; take the `#` away from any other
    # to set its key. What is shown is the default, except in [api] and [[merchants]], where it is an example.
    # Relative paths start from the folder of this file. `payonce config` shows what is in force.

    # The HTTP server.
    [server]
    # Where to listen, plain HTTP: a proxy in front of it does TLS.
    #listen = "127.0.0.1:8080"
    # Callbacks that may wait for the database; further ones are answered 503, and WeChat Pay retries.
    #queue_callbacks_max = 4096
    # Connections served at one time; further ones wait. Each takes a file descriptor.
    #connections_max = 1024
    # Seconds that open requests get to finish when payonce stops.
    #shutdown_seconds_max = 30

    # Where orders, payments and messages are kept.
    [store]
    # The database: sqlite://PATH. It is made if it does not exist.
    #url = "sqlite://payonce.db"

    # The API for the merchant's own back end. payonce does not serve without a key.
    [api]
    # The file of the keys; `openssl rand -hex 32` makes one. Only payonce should be able to read it.
    #key_file = "api.key"
    # The bearer keys of the merchant's own back end: one, or several with white space between them.
    # Not in this file: in that which key_file names, or in PAYONCE_API_KEY.

    # Logs go to standard error. No secret, openid or key is ever logged.
    [log]
    # human: for eyes. json: one object a line.
    #format = "human"
    # Which lines: a level (error, warn, info, debug, trace), or one for each target,
    # such as "info,payonce_server=debug".
    #filter = "info"

    # What to do where the merchant has a choice.
    [policy]
    # A payment for an order that was closed; the order is paid either way, marked late.
    # hold: also list it as an incident, for you to decide. accept: an ordinary payment.
    #late_payment = "hold"
    # A payment for an order that nobody registered.
    # hold: keep it until the order is registered. adopt: register the order as the payment states it.
    #unknown_order = "hold"

    # What is deleted when. Orders, payments and messages never are.
    [retention]
    # Rejected callbacks kept for inspection; the oldest go first.
    #rejected_rows_max = 10000
    # Days that the receipts of accepted callbacks are kept.
    #callback_days = 90

    # One for each merchant number. payonce does not serve without one.
    # Its notify_url ends in /notify/v3/ and its mchid.
    #[[merchants]]
    # The merchant number.
    #mchid = "1900000001"
    # The file of the APIv3 key. Only payonce should be able to read it.
    #apiv3_key_file = "apiv3.key"
    # The APIv3 key that you set in WeChat Pay's merchant platform: 32 characters.
    # Not in this file: in that which apiv3_key_file names, or in PAYONCE_MERCHANT_<MCHID>_APIV3_KEY.

    # The keys by which WeChat Pay signs to this merchant: at least one; both kinds side by side while
    # WeChat switches from one to the other. Each is either public_key_id with public_key_file, or
    # certificate_file.
    #[[merchants.platform_keys]]
    # The id of a WeChat Pay public key, as the merchant platform shows it.
    #public_key_id = "PUB_KEY_ID_0119000000012024101100000000000000"
    # That key, as downloaded: PEM, BEGIN PUBLIC KEY.
    #public_key_file = "wechatpay_public_key.pem"
    # A WeChat Pay platform certificate: PEM, BEGIN CERTIFICATE. It holds its serial number itself.
    #certificate_file = "wechatpay_certificate.pem"
    "#);
}

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
        .file("wechatpay_public_key.pem", PUBLIC_KEY)
        .file("wechatpay_certificate.pem", CERTIFICATE);
    // Both kinds of platform key stand there to choose from; all else is in order.
    insta::assert_snapshot!(setup.refused(), @"
    payonce.toml:71:20: merchants[0].platform_keys[0].certificate_file: expected either public_key_id and public_key_file or certificate_file, found both; write one [[merchants.platform_keys]] for each key
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

#[test]
fn the_reference_in_docs_is_true() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let written = fs::read_to_string(&path).unwrap_or_default();
    if written != reference() {
        fs::write(&path, reference()).expect("docs/configuration.md can be written");
        panic!("docs/configuration.md did not match the table; it was rewritten: look at it and commit it");
    }
}
