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
