//! `payonce init` and `payonce config`.

use std::os::unix::fs::PermissionsExt as _;

use crate::server::{Said, payonce, run};
use crate::shop::{API_KEY, Shop};

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
    insta::assert_snapshot!(err, @"");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "# mine now\n");
}

#[test]
fn init_says_why_it_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let Said { code, err, .. } = run(payonce(folder.path()).args(["init", "missing/payonce.toml"]));
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(err, @"");
}

#[test]
fn the_starter_loads_and_serve_names_what_is_to_be_filled_in() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(payonce(folder.path()).arg("init")).code, Some(0));
    let Said { code, out, err } = run(payonce(folder.path()).arg("config"));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    insta::assert_snapshot!(out, @"");

    let Said { code, err, .. } = run(payonce(folder.path()).arg("serve"));
    assert_eq!(code, Some(1));
    insta::assert_snapshot!(err, @"");
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
    let out = out
        .replace(shop.platform.public_key_id(), "PUB_KEY_ID_OF_THE_SHOP")
        .replace(shop.merchant.mchid(), "MCHID_OF_THE_SHOP");
    insta::assert_snapshot!(out, @"");
    insta::assert_snapshot!(err, @"");
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
            insta::assert_snapshot!(err, @"");
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
    insta::assert_snapshot!(config("nope.toml"), @"");
    insta::assert_snapshot!(config("p.toml"), @"");
}
