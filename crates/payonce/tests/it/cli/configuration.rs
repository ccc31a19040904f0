//! `payonce init` and `payonce config`.

use std::os::unix::fs::PermissionsExt as _;

use crate::server::{Said, payonce, run};
use crate::shop::{API_KEY, Shop};

/// What stands in a snapshot for the shop's own, and is as long.
const MCHID: &str = "1900000000";
const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0100000000000000000000000000000000";

#[test]
fn init_writes_a_starter_once() {
    let folder = tempfile::tempdir().unwrap();
    let init = || run(payonce(folder.path()).arg("init"));
    let Said { code, out, err } = init();
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert_eq!(out, "wrote payonce.toml: fill in the merchant, then run `payonce serve`\n");

    let path = folder.path().join("payonce.toml");
    std::fs::write(&path, "# mine now\n").unwrap();
    let Said { code, out, err } = init();
    assert_eq!((code, out.as_str()), (Some(1), ""));
    insta::assert_snapshot!(err, @"payonce: payonce.toml exists already and was left as it is; name another file, or remove it first");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "# mine now\n");
}

#[test]
fn init_says_why_it_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let Said { code, err, .. } = run(payonce(folder.path()).args(["init", "missing/payonce.toml"]));
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(err, @"payonce: cannot write missing/payonce.toml: No such file or directory (os error 2)");
}

#[test]
fn the_starter_loads_and_serve_names_what_is_to_be_filled_in() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(payonce(folder.path()).arg("init")).code, Some(0));
    let Said { code, out, err } = run(payonce(folder.path()).arg("config"));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    insta::assert_snapshot!(out, @r#"
    [server]
    listen = "127.0.0.1:8080"    # default
    queue_callbacks_max = 4096   # default
    connections_max = 1024       # default
    shutdown_seconds_max = 30    # default

    [store]
    url = "sqlite://payonce.db"  # default
    connections_max = 10         # default
    transactions_max = 1         # default
    migrate = "auto"             # default

    [cache]
    memory_mib_max = 32          # default

    [api]
    # nothing is set

    [log]
    format = "human"             # default
    filter = "info"              # default

    [policy]
    late_payment = "hold"        # default
    unknown_order = "hold"       # default

    [retention]
    rejected_rows_max = 10000    # default
    callback_days = 180          # default
    attempt_days = 30            # default

    [wechat]
    # nothing is set

    [delivery]
    unencrypted = "refuse"       # default
    "#);

    let Said { code, err, .. } = run(payonce(folder.path()).arg("serve"));
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(err, @"
    payonce: not set: api.key: expected a file of keys named by api.key_file, or the environment variable PAYONCE_API_KEY, found nothing
    not set: merchants: expected at least one [[merchants]] (`payonce init` writes an example), found nothing
    ");
    assert!(!folder.path().join("payonce.db").exists(), "nothing is made before it can serve");
}

#[tokio::test]
async fn config_shows_every_value_with_its_origin_and_no_secret() {
    let shop = Shop::open(0, 1).await;
    let readable = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(shop.folder().join("apiv3.key"), readable).unwrap();
    let Said { code, out, err } = run(payonce(shop.folder())
        .args(["config", "--config", "payonce.toml"])
        .env("PAYONCE_LOG_FORMAT", "json")
        .env("PAYONCE_API_KEY", API_KEY.to_uppercase()));
    assert_eq!(code, Some(0), "{err}");
    for secret in [API_KEY, &API_KEY.to_uppercase(), shop.merchant.apiv3_key()] {
        assert!(!out.contains(secret) && !err.contains(secret), "{out}{err}");
    }
    let out = out.replace(shop.platform.serial(), PUBLIC_KEY_ID).replace(shop.merchant.mchid(), MCHID);
    insta::assert_snapshot!(out, @r#"
    [server]
    listen = "127.0.0.1:0"           # file payonce.toml:2
    queue_callbacks_max = 4096       # default
    connections_max = 1024           # default
    shutdown_seconds_max = 30        # default

    [store]
    url = "sqlite://payonce.db"      # file payonce.toml:4
    connections_max = 10             # default
    transactions_max = 1             # default
    migrate = "auto"                 # default

    [cache]
    memory_mib_max = 32              # default

    [api]
    key_file = "api.key"             # file payonce.toml:6
    key = "[REDACTED]"               # environment PAYONCE_API_KEY

    [log]
    format = "json"                  # environment PAYONCE_LOG_FORMAT
    filter = "info"                  # default

    [policy]
    late_payment = "hold"            # default
    unknown_order = "hold"           # default

    [retention]
    rejected_rows_max = 10000        # default
    callback_days = 180              # default
    attempt_days = 30                # default

    [wechat]
    # nothing is set

    [delivery]
    unencrypted = "refuse"           # default

    [[merchants]]
    mchid = "1900000000"             # file payonce.toml:8
    apiv3_key_file = "apiv3.key"     # file payonce.toml:9
    apiv3_key = "[REDACTED]"         # file apiv3.key

    [[merchants.platform_keys]]
    public_key_id = "PUB_KEY_ID_0100000000000000000000000000000000"  # file payonce.toml:11
    public_key_file = "pub_key.pem"  # file payonce.toml:12
    "#);
    insta::assert_snapshot!(err, @"payonce: warning: payonce.toml:9:18: merchants[0].apiv3_key_file: apiv3.key is readable by others (mode 0644); `chmod 600` it");
}

#[test]
fn unknown_keys_and_variables_are_refused_with_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.toml"), "[server]\nlisten_on = \"127.0.0.1:1\"\n[strore]\n")
        .unwrap();
    for command in ["config", "serve"] {
        let Said { code, out, err } = run(payonce(folder.path())
            .args([command, "--config", "p.toml"])
            .env("PAYONCE_LOG_FROMAT", "json"));
        assert_eq!((code, out.as_str()), (Some(1), ""), "{command}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(err, @"
            payonce: p.toml:2:1: server.listen_on: there is no such key; did you mean `listen`?
            p.toml:3:2: strore: there is no such key; did you mean `[store]`?
            environment PAYONCE_LOG_FROMAT: payonce knows no such variable; did you mean `PAYONCE_LOG_FORMAT`?
            ");
        }
    }
}

#[test]
fn a_file_that_is_not_there_or_not_toml_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.toml"), "[server\n").unwrap();
    let config = |path| {
        let Said { code, out, err } = run(payonce(folder.path()).args(["config", "--config", path]));
        assert_eq!((code, out.as_str()), (Some(1), ""), "{path}");
        err
    };
    insta::assert_snapshot!(config("nope.toml"), @"payonce: command line: there is no file nope.toml; `payonce init` writes a starter");
    insta::assert_snapshot!(config("p.toml"), @"payonce: p.toml:1:8: not TOML: unclosed table, expected `]`");
}
