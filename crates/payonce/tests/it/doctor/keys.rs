//! Keys that are the wrong ones, or too old.

use std::fs;
use std::sync::Arc;

use payonce_core::{Clock as _, SystemClock};
use payonce_simulator::books::Account;
use payonce_simulator::keys::Mode;
use payonce_simulator::{Setup, Simulator, write_files};
use wechatpay::UnixSeconds;

use super::{APPID, Clinic, MCHID};

const YEAR: i64 = 365 * 24 * 3600;

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_no_pair_with_its_certificate_does_not_load() {
    let (clinic, other) = (Clinic::open(Mode::PublicKey).await, Clinic::open(Mode::PublicKey).await);
    clinic.write("apiclient_key.pem", &fs::read_to_string(other.folder().join("apiclient_key.pem")).unwrap());
    let findings = clinic.look(&["--offline"]).await;
    assert_eq!(findings.complaints(), ["configuration"]);
    assert!(findings.detail("configuration").contains("private_key_file"), "{:?}", findings.checks);
}

/// Certificates are made for 5 years; these were made when the clock said so.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_have_expired_or_will_soon_are_told() {
    for (age, outcome) in [(5 * YEAR + 30 * 24 * 3600, "failed"), (5 * YEAR - 20 * 24 * 3600, "warning")] {
        let clinic = Clinic::open(Mode::Certificates).await;
        let then = UnixSeconds(SystemClock.now().seconds() - age);
        let old =
            Setup::new(Arc::new(move || then)).with(Account::ordinary(MCHID, APPID), Mode::Certificates);
        let old = Simulator::start(old).await.unwrap();
        let ring = old.ring(MCHID).unwrap();
        write_files(clinic.folder(), &ring).unwrap();
        let serial = ring.certificates()[0].serial();
        let toml = fs::read_to_string(clinic.folder().join("payonce.toml")).unwrap();
        let (head, _) = toml.split_once("[[merchants.platform_keys]]").unwrap();
        let key = format!("[[merchants.platform_keys]]\ncertificate_file = \"wechatpay_{serial}.pem\"\n");
        clinic.write("payonce.toml", &format!("{head}{key}"));

        let findings = clinic.look(&["--offline"]).await;
        assert_eq!(findings.outcome("api_certificate"), outcome, "{:?}", findings.checks);
        assert_eq!(findings.outcome("platform_key"), outcome, "{:?}", findings.checks);
    }
}

/// Gives the clinic a platform certificate that was made some years and days ago, and configures it.
async fn with_old_certificate(mode: Mode, keep_configured: bool) -> Clinic {
    let clinic = Clinic::open(mode).await;
    let then = UnixSeconds(SystemClock.now().seconds() - 5 * YEAR - 30 * 24 * 3600);
    let mut old =
        Setup::new(Arc::new(move || then)).with(Account::ordinary(MCHID, APPID), Mode::Certificates);
    // Serials come from it.
    old.seed = 2;
    let old = Simulator::start(old).await.unwrap();
    let ring = old.ring(MCHID).unwrap();
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path(), &ring).unwrap();
    let name = format!("wechatpay_{}.pem", ring.certificates()[0].serial());
    clinic.write(&name, &fs::read_to_string(folder.path().join(&name)).unwrap());
    let toml = fs::read_to_string(clinic.folder().join("payonce.toml")).unwrap();
    let (head, _) = toml.split_once("[[merchants.platform_keys]]").unwrap();
    let kept = if keep_configured { &toml } else { head };
    clinic.write(
        "payonce.toml",
        &format!("{kept}[[merchants.platform_keys]]\ncertificate_file = \"{name}\"\n"),
    );
    clinic
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_key_beside_one_that_verifies_is_a_warning() {
    for mode in [Mode::PublicKey, Mode::Certificates] {
        let clinic = with_old_certificate(mode, true).await;
        let findings = clinic.look(&["--offline"]).await;
        assert_eq!(findings.complaints(), ["platform_key", "database"], "{:?}", findings.checks);
        assert_eq!(findings.code, Some(0));
        clinic.forget_private_key();
        assert_eq!(clinic.look(&["--offline"]).await.complaints(), ["platform_key", "database"]);
    }
}

/// The server starts with it, and downloads others.
#[tokio::test(flavor = "multi_thread")]
async fn only_expired_keys_are_a_failure_where_none_can_be_downloaded() {
    let clinic = with_old_certificate(Mode::Certificates, false).await;
    let findings = clinic.look(&["--offline"]).await;
    assert_eq!(findings.outcome("platform_key"), "warning", "{:?}", findings.checks);
    assert!(findings.detail("platform_key").contains("downloads new ones"), "{:?}", findings.checks);

    let findings = clinic.look(&[]).await;
    let keys = findings.checks.iter().filter(|found| found["check"] == "platform_key");
    let details: Vec<&str> = keys.map(|found| found["detail"].as_str().unwrap()).collect();
    assert!(details.len() == 2 && details[1].contains(", downloaded, expires in "), "{details:?}");

    clinic.forget_private_key();
    let findings = clinic.look(&["--offline"]).await;
    assert_eq!(findings.outcome("platform_key"), "failed", "{:?}", findings.checks);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchants_certificate_is_not_wechat_pays() {
    let clinic = Clinic::open(Mode::PublicKey).await;
    let toml = fs::read_to_string(clinic.folder().join("payonce.toml")).unwrap();
    let wrong = "[[merchants.platform_keys]]\ncertificate_file = \"apiclient_cert.pem\"\n";
    clinic.write("payonce.toml", &format!("{toml}{wrong}"));
    let findings = clinic.look(&["--offline"]).await;
    let said = findings.checks.iter().find(|check| check["outcome"] == "failed").unwrap();
    assert!(said["detail"].as_str().unwrap().contains("not WeChat Pay's"), "{said}");
}
