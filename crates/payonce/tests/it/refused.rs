//! Bad input at the start: each is named with its key and its file and what to do, and changes nothing.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use rusqlite::Connection;

use crate::server::{command, payonce, run};
use crate::shop::Shop;

/// As far as payonce looks into it before it says that a key was asked for.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----\n";

/// Runs a command that must refuse to serve, and returns what it says.
fn refusal(shop: &Shop, command: &mut Command) -> String {
    let said = run(command);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", said.err);
    assert!(!said.err.contains("panicked"), "{}", said.err);
    assert!(!said.err.contains(shop.merchant.apiv3_key()), "{}", said.err);
    said.err
}

fn refuses(shop: &Shop) -> String {
    refusal(shop, payonce(shop.folder()).arg("serve"))
}

fn replace_in(path: &Path, old: &str, new: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(old), "{text}");
    fs::write(path, text.replace(old, new)).unwrap();
}

#[tokio::test]
async fn a_port_in_use() {
    let shop = Shop::open(0, 1).await;
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = other.local_addr().unwrap().to_string();
    replace_in(&shop.config(), "127.0.0.1:0", &addr);
    insta::assert_snapshot!(refuses(&shop).replace(&addr, "ADDRESS"), @"payonce: cannot listen on ADDRESS (another program listens there: stop it, or set server.listen to another port): Address already in use (os error 98)");
}

#[tokio::test]
async fn a_folder_in_the_databases_place() {
    let shop = Shop::open(0, 1).await;
    fs::create_dir(shop.database()).unwrap();
    insta::assert_snapshot!(refuses(&shop), @"payonce: store.url: the database payonce.db: the database is unavailable (cannot be opened: check that the folder exists and may be written): unable to open database file: payonce.db: Error code 14: unable to open database file");
}

#[tokio::test]
async fn a_folder_that_does_not_exist() {
    let shop = Shop::open(0, 1).await;
    replace_in(&shop.config(), "sqlite://payonce.db", "sqlite://missing/payonce.db");
    insta::assert_snapshot!(refuses(&shop), @"payonce: store.url: the database missing/payonce.db: the database is unavailable (cannot be opened: check that the folder exists and may be written): unable to open database file: missing/payonce.db: Error code 14: unable to open database file");
}

#[tokio::test]
async fn a_file_that_is_no_database() {
    let shop = Shop::open(0, 1).await;
    let text = "a letter, long enough to be looked at. ".repeat(200);
    fs::write(shop.database(), &text).unwrap();
    insta::assert_snapshot!(refuses(&shop), @"payonce: store.url: the database payonce.db: the file is not a SQLite database: choose another file");
    assert_eq!(fs::read_to_string(shop.database()).unwrap(), text, "it is left as it was");
}

#[tokio::test]
async fn another_programs_database() {
    let shop = Shop::open(0, 1).await;
    let theirs = Connection::open(shop.database()).unwrap();
    theirs.execute_batch("CREATE TABLE theirs (x); PRAGMA application_id = 0x1234").unwrap();
    drop(theirs);
    let before = fs::read(shop.database()).unwrap();
    insta::assert_snapshot!(refuses(&shop), @"payonce: store.url: the database payonce.db: the file is a database of another program (application id 0x1234): choose another file");
    assert_eq!(fs::read(shop.database()).unwrap(), before, "it is left as it was");
}

#[tokio::test]
async fn a_newer_schema() {
    let shop = Shop::open(1, 1).await;
    Connection::open(shop.database()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    insta::assert_snapshot!(refuses(&shop), @"payonce: store.url: the database payonce.db: the database has schema version 99, this payonce knows up to 3: run the payonce that wrote it, or a newer one");
}

#[tokio::test]
async fn a_database_that_may_not_be_written() {
    let shop = Shop::open(1, 1).await;
    fs::set_permissions(shop.database(), fs::Permissions::from_mode(0o444)).unwrap();
    let before = fs::read(shop.database()).unwrap();
    insta::assert_snapshot!(refusal(&shop, unprivileged(&shop).arg("serve")), @"payonce: store.url: the database payonce.db: the database is unavailable (read-only: give this user the right to write the file and its folder): SQLite could open the file for reading only");
    assert_eq!(fs::read(shop.database()).unwrap(), before);
}

/// `payonce` without the privilege to write what may not be written. Only root has it.
fn unprivileged(shop: &Shop) -> Command {
    if fs::OpenOptions::new().append(true).open(shop.database()).is_err() {
        return payonce(shop.folder());
    }
    let mut setpriv = command("setpriv", shop.folder());
    setpriv.args(["--bounding-set=-dac_override", env!("CARGO_BIN_EXE_payonce")]);
    setpriv
}

#[tokio::test]
async fn a_database_that_another_process_keeps_locked() {
    let shop = Shop::open(1, 1).await;
    let other = Connection::open(shop.database()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    insta::assert_snapshot!(refuses(&shop), @"payonce: store.url: the database payonce.db: the database is unavailable (locked by another process or transaction: end it, or wait): database is locked: Error code 5: database is locked");
}

#[tokio::test]
async fn key_files_that_are_missing_or_hold_something_else() {
    let shop = Shop::open(0, 1).await;
    let file = |name: &str| shop.folder().join(name);
    let key = fs::read_to_string(file("pub_key.pem")).unwrap();

    fs::rename(file("apiv3.key"), file("moved.key")).unwrap();
    fs::rename(file("pub_key.pem"), file("moved.pem")).unwrap();
    insta::assert_snapshot!(refuses(&shop), @"
    payonce: payonce.toml:9:18: merchants[0].apiv3_key_file: cannot read apiv3.key: No such file or directory (os error 2)
    payonce.toml:12:19: merchants[0].platform_keys[0].public_key_file: cannot read pub_key.pem: No such file or directory (os error 2)
    ");
    fs::rename(file("moved.key"), file("apiv3.key")).unwrap();

    fs::write(file("pub_key.pem"), CERTIFICATE).unwrap();
    insta::assert_snapshot!(refuses(&shop), @"payonce: payonce.toml:12:19: merchants[0].platform_keys[0].public_key_file: pub_key.pem: this file is a certificate; give the key: `pub_key.pem` for WeChat Pay's public key, `apiclient_key.pem` for the merchant's private key");

    fs::write(file("pub_key.pem"), &key[..key.len() / 2]).unwrap();
    insta::assert_snapshot!(refuses(&shop), @"payonce: payonce.toml:12:19: merchants[0].platform_keys[0].public_key_file: pub_key.pem: this is not one PEM block: it must begin with a line `-----BEGIN …-----`, end with a line `-----END …-----` and hold base64 in lines of 64 between them");

    fs::write(file("pub_key.pem"), &key).unwrap();
    let id = format!("public_key_id = \"{}\"\n", shop.platform.serial());
    replace_in(&shop.config(), &id, "");
    replace_in(&shop.config(), "public_key_file", "certificate_file");
    insta::assert_snapshot!(refuses(&shop), @"payonce: payonce.toml:11:20: merchants[0].platform_keys[0].certificate_file: pub_key.pem: this file is a key; give WeChat Pay's platform certificate (`-----BEGIN CERTIFICATE-----`)");
    assert!(!shop.database().exists(), "nothing is made before the keys are good");
}
