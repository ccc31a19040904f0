//! What a wrong configuration is told. Each class of error once, in full.

use super::*;

#[test]
fn unknown_keys_with_the_nearest() {
    let toml = r#"listen = "127.0.0.1:80"
[sever]
[server]
lisen = "127.0.0.1:80"
filter = "info"
[nonsense]
"#;
    insta::assert_snapshot!(setup(toml).refused(), @"
    payonce.toml:1:1: listen: there is no such key; did you mean `server.listen`?
    payonce.toml:2:2: sever: there is no such key; did you mean `[server]`?
    payonce.toml:4:1: server.lisen: there is no such key; did you mean `listen`?
    payonce.toml:5:1: server.filter: there is no such key; did you mean `log.filter`?
    payonce.toml:6:2: nonsense: there is no such key; expected one of docs/configuration.md
    ");
}

#[test]
fn unknown_variables_with_the_nearest() {
    let setup = setup("")
        .variable("PAYONCE_LISTEN", "127.0.0.1:80")
        .variable("PAYONCE_SERVER_LISTN", "127.0.0.1:80")
        .variable("PAYONCE_MERCHANTS_X", "")
        .variable("PAYONCE_VECTORS", "known, though it is no key")
        .variable("PAYONCE_FAULT", "this too")
        .variable("PATH", "not ours");
    insta::assert_snapshot!(setup.refused(), @"
    environment PAYONCE_LISTEN: payonce knows no such variable; did you mean `PAYONCE_SERVER_LISTEN`?
    environment PAYONCE_MERCHANTS_X: payonce knows no such variable; expected one of docs/configuration.md
    environment PAYONCE_SERVER_LISTN: payonce knows no such variable; did you mean `PAYONCE_SERVER_LISTEN`?
    ");
}

#[test]
fn wrong_types_and_values_all_at_once() {
    let toml = r#"[server]
listen = "localhost:8080"
queue_callbacks_max = 0
connections_max = "1024"
shutdown_seconds_max = 99999999999
[store]
url = "postgres://payonce:hunter2@db/payonce"
[log]
format = "xml"
filter = "a=b=c"
[policy]
late_payment = "refund"
unknown_order = true
[retention]
callback_days = 1
"#;
    let setup = setup(toml).variable("PAYONCE_RETENTION_REJECTED_ROWS_MAX", "many");
    insta::assert_snapshot!(setup.refused(), @r#"
    payonce.toml:2:10: server.listen: expected an IP address and a port, such as 127.0.0.1:8080, found "localhost:8080"
    payonce.toml:3:23: server.queue_callbacks_max: expected an integer from 1 to 1000000, found 0
    payonce.toml:4:19: server.connections_max: expected an integer from 1 to 100000, found the text "1024"
    payonce.toml:5:24: server.shutdown_seconds_max: expected an integer from 1 to 600, found 99999999999
    payonce.toml:7:7: store.url: expected no secret in this file: write it to a file of its own, name that by `password_file`, or set the environment variable PAYONCE_STORE_URL
    payonce.toml:9:10: log.format: expected "human" or "json", found "xml"
    payonce.toml:10:10: log.filter: expected a log filter, such as info or info,payonce_server=debug, found "a=b=c"
    payonce.toml:12:16: policy.late_payment: expected "hold" or "accept", found "refund"
    payonce.toml:13:17: policy.unknown_order: expected "hold" or "adopt", found a boolean
    payonce.toml:15:17: retention.callback_days: expected an integer from 2 to 3650, found 1
    environment PAYONCE_RETENTION_REJECTED_ROWS_MAX: retention.rejected_rows_max: expected an integer from 1 to 10000000, found the text "many"
    "#);
}

/// A server's connections are divided: what is asked for beyond that would silently not be had.
#[test]
fn more_transactions_than_there_are_connections_for() {
    let told = |connections: &str, transactions: u32| {
        let toml = format!(
            "[store]\nurl = \"postgres://payonce@db/payonce\"\n{connections}transactions_max = {transactions}"
        );
        setup(&toml).load().map(drop).map_err(|errors| errors.to_string())
    };
    insta::assert_snapshot!(told("", 6).unwrap_err(), @"payonce.toml:3:20: store.transactions_max: expected at most 5, which is half of store.connections_max (10), found 6; set store.connections_max to 12 or more");
    insta::assert_snapshot!(told("connections_max = 3\n", 64).unwrap_err(), @"payonce.toml:4:20: store.transactions_max: expected at most 1, which is half of store.connections_max (3), found 64; set store.connections_max to 128 or more");
    let toml = "[store]\nurl = \"mysql://payonce@db/payonce\"\nconnections_max = 4";
    insta::assert_snapshot!(setup(toml).variable("PAYONCE_STORE_TRANSACTIONS_MAX", "3").refused(), @"environment PAYONCE_STORE_TRANSACTIONS_MAX: store.transactions_max: expected at most 2, which is half of store.connections_max (4), found 3; set store.connections_max to 6 or more");
    // The default of one fits in any case.
    for (connections, transactions) in
        [("", 5), ("", 1), ("connections_max = 3\n", 1), ("connections_max = 128\n", 64)]
    {
        told(connections, transactions).expect("they are enough");
    }
    // A file has no connections, and a value that is refused anyway is said once.
    setup("[store]\ntransactions_max = 64").load().expect("it makes no difference");
    assert_eq!(told("connections_max = 1\n", 6).unwrap_err().lines().count(), 1);
}

#[test]
fn stores_that_would_lose_everything_or_are_no_urls() {
    for (url, found) in [
        ("sqlite://", "sqlite://"),
        ("sqlite://:memory:", "sqlite://:memory:"),
        ("sqlite://a.db?mode=memory", "sqlite://a.db?mode=memory"),
        ("payonce.db", "a value without ://"),
    ] {
        assert_eq!(
            setup("").variable("PAYONCE_STORE_URL", url).refused(),
            format!(
                "environment PAYONCE_STORE_URL: store.url: expected sqlite://PATH, \
                 postgres://USER@HOST/DATABASE or mysql://USER@HOST/DATABASE, found {found}"
            )
        );
    }
}

/// Nor is it shown by `payonce config`: what is refused is not effective.
#[test]
fn passwords_that_would_be_seen() {
    for url in [
        "postgres://shop:ge/heim@db/payonce",
        "postgres://shop:ge?heim@db/payonce",
        "mysql://shop:ge/heim@db/payonce",
        "postgres://shop@db/payonce?sslmode=require&Password=geheim",
    ] {
        let shown = setup("").variable("PAYONCE_STORE_URL", url).refused();
        assert!(shown.contains("store.url: expected") && !shown.contains("heim"), "{shown}");
        let shown = setup(&format!("store.url = \"{url}\"")).refused();
        assert!(shown.contains("no secret in this file") && !shown.contains("heim"), "{shown}");
    }
    let redis = "redis://:ge/heim@cache/0";
    let shown = setup("").variable("PAYONCE_CACHE_REDIS_URL", redis).refused();
    assert!(shown.contains("write / as %2F") && !shown.contains("heim"), "{shown}");
}

#[test]
fn sellers_that_are_no_merchant_numbers() {
    for (sellers, found) in [
        ("\"1900000007\"", "\"1900000007\""),
        ("[1900000007]", "[1900000007]"),
        ("[\"1900000007\", \"a seller\"]", "[\"1900000007\", \"a seller\"]"),
        ("[[]]", "[an array]"),
        ("true", "a boolean"),
    ] {
        let mchid = "mchid = \"1900000001\"";
        let toml = MERCHANT.replace(mchid, &format!("{mchid}\nsellers = {sellers}"));
        assert_eq!(
            setup(&toml).refused(),
            format!(
                "payonce.toml:4:11: merchants[0].sellers: expected a list of merchant numbers, such as \
                 [\"1900000007\", \"1900000008\"], found {found}"
            )
        );
    }
}

#[test]
fn wrong_shapes() {
    let toml = r#"server = 1
merchants = [1]
[[log]]
"#;
    insta::assert_snapshot!(setup(toml).refused(), @"
    payonce.toml:1:10: server: expected [server], found an integer
    payonce.toml:2:14: merchants[0]: expected a table, found an integer
    payonce.toml:3:1: log: expected [log], found an array of tables
    ");
    insta::assert_snapshot!(setup("[merchants]\nmchid = \"1\"").refused(), @"payonce.toml:1:1: merchants: expected [[merchants]], found a table");
}

#[test]
fn no_toml() {
    insta::assert_snapshot!(setup("[server]\nlisten = 127.0.0.1:80\n").refused(), @"payonce.toml:2:15: not TOML: invalid float, expected nothing");
    insta::assert_snapshot!(setup("[log]\nfilter = \"a\"\nfilter = \"b\"\n").refused(), @"payonce.toml:3:1: not TOML: duplicate key");
    let not_text = Setup::default().bytes("payonce.toml", b"[log]\nfilter = \"\xff\"", 0o600);
    insta::assert_snapshot!(not_text.refused(), @"payonce.toml:1:1: payonce.toml is not UTF-8 text; save it as UTF-8");
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let by_argument = setup("").load_path(Some("other.toml")).expect_err("not there");
    insta::assert_snapshot!(by_argument, @"
    command line: there is no file other.toml; `payonce init` writes a starter
    ");
    insta::assert_snapshot!(setup("").variable("PAYONCE_CONFIG", "other.toml").refused(), @"
    environment PAYONCE_CONFIG: there is no file other.toml; `payonce init` writes a starter
    ");
}

#[test]
fn inline_secrets_without_repeating_them() {
    let toml = format!(
        r#"[api]
key = "{API_KEY}"
[[merchants]]
apiv3_key = "{APIV3_KEY}"
apiv3key = "{APIV3_KEY}"
mchid = "1900000001"
apiv3_key_file = "{APIV3_KEY}"
[[merchants.platform_keys]]
certificate_file = """-----BEGIN PRIVATE KEY-----"""
"#
    );
    let refused = setup(&toml).refused();
    insta::assert_snapshot!(refused, @"
    payonce.toml:2:7: api.key: expected no secret in this file: write it to a file of its own, name that by `key_file`, or set the environment variable PAYONCE_API_KEY
    payonce.toml:4:13: merchants[0].apiv3_key: expected no secret in this file: write it to a file of its own, name that by `apiv3_key_file`, or set the environment variable PAYONCE_MERCHANT_1900000001_APIV3_KEY
    payonce.toml:5:1: merchants[0].apiv3key: there is no such key; did you mean `apiv3_key_file`?
    payonce.toml:7:18: merchants[0].apiv3_key_file: expected the path of a file, found what seems to be its content
    payonce.toml:9:20: merchants[0].platform_keys[0].certificate_file: expected the path of a file, found what seems to be its content
    ");
    assert!(!refused.contains(API_KEY) && !refused.contains(APIV3_KEY), "{refused}");
}

#[test]
fn a_syntax_error_in_a_line_with_a_secret_does_not_repeat_it() {
    let refused = setup(&format!("[api]\nkey = \"{API_KEY}\n")).refused();
    assert!(refused.starts_with("payonce.toml:2:") && !refused.contains(API_KEY), "{refused}");
}

#[test]
fn unfit_secrets() {
    let toml = "[api]\nkey_file = \"keys/api.key\"\n";
    insta::assert_snapshot!(setup(toml).file("keys/api.key", "too short\n").refused(), @"
    payonce.toml:2:12: api.key_file: expected keys of at least 32 characters, found one of 3; `openssl rand -hex 32` makes one
    ");
    insta::assert_snapshot!(setup(toml).file("keys/api.key", &"é".repeat(32)).refused(), @"
    payonce.toml:2:12: api.key_file: expected keys of visible ASCII characters, found others
    ");
    insta::assert_snapshot!(setup("").variable("PAYONCE_API_KEY", "").refused(), @"
    environment PAYONCE_API_KEY: api.key: expected an API key of at least 32 characters, found nothing
    ");
    insta::assert_snapshot!(setup(MERCHANT).file("keys/apiv3.key", "31 characters").refused(), @"
    payonce.toml:4:18: merchants[0].apiv3_key_file: keys/apiv3.key: an APIv3 key has exactly 32 characters, this has 13 bytes; set it on the merchant platform
    ");
    let by_variable = setup(MERCHANT).variable("PAYONCE_MERCHANT_1900000001_APIV3_KEY", "short");
    insta::assert_snapshot!(by_variable.refused(), @"
    environment PAYONCE_MERCHANT_1900000001_APIV3_KEY: merchants[0].apiv3_key: an APIv3 key has exactly 32 characters, this has 5 bytes; set it on the merchant platform
    ");
}

#[test]
fn key_files_that_are_missing_or_of_the_other_kind() {
    let mut missing = setup(MERCHANT);
    missing.files.remove(Path::new("keys/apiv3.key"));
    missing.files.remove(Path::new("keys/public.pem"));
    insta::assert_snapshot!(missing.refused(), @"
    payonce.toml:4:18: merchants[0].apiv3_key_file: cannot read keys/apiv3.key: entity not found
    payonce.toml:8:19: merchants[0].platform_keys[0].public_key_file: cannot read keys/public.pem: entity not found
    ");

    let swapped =
        setup(MERCHANT).file("keys/public.pem", CERTIFICATE).file("keys/certificate.pem", PUBLIC_KEY);
    insta::assert_snapshot!(swapped.refused(), @"
    payonce.toml:8:19: merchants[0].platform_keys[0].public_key_file: keys/public.pem: this file is a certificate; give the key: `pub_key.pem` for WeChat Pay's public key, `apiclient_key.pem` for the merchant's private key
    payonce.toml:11:20: merchants[0].platform_keys[1].certificate_file: keys/certificate.pem: this file is a key; give WeChat Pay's platform certificate (`-----BEGIN CERTIFICATE-----`)
    ");
}

#[test]
fn merchants_that_lack_something() {
    let toml = r#"[[merchants]]
[[merchants]]
mchid = "19O0000001"
[[merchants.platform_keys]]
[[merchants.platform_keys]]
public_key_id = "1A2B"
public_key_file = "keys/public.pem"
[[merchants.platform_keys]]
public_key_id = "PUB_KEY_ID_1"
[[merchants.platform_keys]]
public_key_file = "keys/public.pem"
certificate_file = "keys/certificate.pem"
[[merchants]]
mchid = 1900000001
"#;
    insta::assert_snapshot!(setup(toml).refused(), @r#"
    payonce.toml:1:1: merchants[0].mchid: expected a merchant number: 1 to 32 digits, in quotes, found nothing
    payonce.toml:1:1: merchants[0].apiv3_key_file: expected the path of a file, or the environment variable PAYONCE_MERCHANT_<MCHID>_APIV3_KEY, found nothing
    payonce.toml:1:1: merchants[0].platform_keys: expected at least one [[merchants.platform_keys]], found nothing
    payonce.toml:2:1: merchants[1].apiv3_key_file: expected the path of a file, or the environment variable PAYONCE_MERCHANT_<MCHID>_APIV3_KEY, found nothing
    payonce.toml:3:9: merchants[1].mchid: expected a merchant number: 1 to 32 digits, in quotes, found "19O0000001"
    payonce.toml:4:1: merchants[1].platform_keys[0].public_key_id: expected an id such as PUB_KEY_ID_0119… with public_key_file, or certificate_file in place of both, found nothing
    payonce.toml:6:17: merchants[1].platform_keys[1].public_key_id: expected an id such as PUB_KEY_ID_0119…, found "1A2B"
    payonce.toml:8:1: merchants[1].platform_keys[2].public_key_file: expected the path of a file, found nothing
    payonce.toml:12:20: merchants[1].platform_keys[3].certificate_file: expected either public_key_id and public_key_file or certificate_file, found both; write one [[merchants.platform_keys]] for each key
    payonce.toml:13:1: merchants[2].apiv3_key_file: expected the path of a file, or the environment variable PAYONCE_MERCHANT_<MCHID>_APIV3_KEY, found nothing
    payonce.toml:13:1: merchants[2].platform_keys: expected at least one [[merchants.platform_keys]], found nothing
    payonce.toml:14:9: merchants[2].mchid: expected a merchant number: 1 to 32 digits, in quotes, found 1900000001
    "#);
}

#[test]
fn merchants_and_keys_stand_once() {
    let twice = format!(
        "{MERCHANT}{MERCHANT}\n[[merchants.platform_keys]]\ncertificate_file = \"keys/certificate.pem\"\n"
    );
    insta::assert_snapshot!(setup(&twice).refused(), @"
    payonce.toml:14:9: merchants[1].mchid: 1900000001 stands already at payonce.toml:3:9; expected it once
    payonce.toml:25:20: merchants[1].platform_keys[2].certificate_file: 1A2B3C4D5E6F708192A3B4C5D6E7F8091A2B3C4D stands already at payonce.toml:22:20; expected it once
    ");
}

#[test]
fn urls_of_servers_that_lead_nowhere() {
    let refused = |url: &str| setup("").variable("PAYONCE_STORE_URL", url).refused();
    for url in
        ["postgres://", "postgres://host", "mysql://host/", "mysql://u:geheim@/db", "mysql://one,,two/db"]
    {
        let said = refused(url);
        assert!(said.ends_with("://… without a host or a database"), "{url}: {said}");
        assert!(!said.contains("geheim"), "{said}");
    }
    assert!(refused("oracle://u:geheim@host/db").ends_with("found oracle://…"));
    let redis = setup("").variable("PAYONCE_CACHE_REDIS_URL", "http://host").refused();
    assert!(redis.ends_with("expected redis://HOST or rediss://HOST, found http://…"), "{redis}");
}

#[test]
fn a_password_without_a_server() {
    let said =
        setup("[store]\npassword_file = \"p\"\n[cache]\npassword_file = \"p\"").file("p", "geheim").refused();
    insta::assert_snapshot!(said, @r#"
    payonce.toml:2:17: store.password_file: expected a URL of a server beside this password, found none
    payonce.toml:4:17: cache.password_file: expected a URL of a server beside this password, found none
    "#);
}
