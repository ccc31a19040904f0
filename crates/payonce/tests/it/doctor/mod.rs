//! `payonce doctor` against a simulator, with the real server where a callback has to arrive.

mod echo;
mod keys;
mod notify_url;
mod wechat;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use payonce_core::{Clock as _, SystemClock};
use payonce_simulator::books::Account;
use payonce_simulator::keys::Mode;
use payonce_simulator::{Setup, Simulator, write_files};
use serde_json::Value;
use tempfile::TempDir;
use wechatpay::UnixSeconds;

use crate::server::{Said, Server, payonce, run};

const MCHID: &str = "1900000001";
const APPID: &str = "wx0123456789abcdef";
const PAGE: &str = include_str!("../../../../../docs/doctor.md");

/// A WeChat Pay, and a merchant's folder with the keys that it gave.
struct Clinic {
    simulator: Simulator,
    folder: TempDir,
}

/// What the doctor found.
struct Findings {
    code: Option<i32>,
    checks: Vec<Value>,
}

impl Clinic {
    async fn open(mode: Mode) -> Self {
        let setup = Setup::new(Arc::new(|| UnixSeconds(SystemClock.now().seconds())));
        let simulator = Simulator::start(setup.with(Account::ordinary(MCHID, APPID), mode)).await.unwrap();
        let clinic = Self { simulator, folder: tempfile::tempdir().unwrap() };
        write_files(clinic.folder(), &clinic.simulator.ring(MCHID).unwrap()).unwrap();
        clinic.write("api.key", "0123456789abcdef0123456789abcdef");
        clinic.configure(&clinic.simulator.base_url());
        clinic
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder().join(name), text).unwrap();
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(self.folder().join(name), owner_only).unwrap();
    }

    /// With WeChat Pay at this base, and all keys of its that the folder has.
    fn configure(&self, base: &str) {
        let ring = self.simulator.ring(MCHID).unwrap();
        let mut platform_keys = String::new();
        if let Some(key) = ring.public_key() {
            let id = key.serial();
            platform_keys.push_str(&format!(
                "[[merchants.platform_keys]]\npublic_key_id = \"{id}\"\npublic_key_file = \"pub_key.pem\"\n"
            ));
        }
        for key in ring.certificates() {
            let serial = key.serial();
            platform_keys.push_str(&format!(
                "[[merchants.platform_keys]]\ncertificate_file = \"wechatpay_{serial}.pem\"\n"
            ));
        }
        let toml = format!(
            r#"[server]
listen = "127.0.0.1:0"
[api]
key_file = "api.key"
[wechat]
base_url = "{base}"
[[merchants]]
mchid = "{MCHID}"
apiv3_key_file = "apiv3.key"
private_key_file = "apiclient_key.pem"
api_certificate_file = "apiclient_cert.pem"
{platform_keys}"#
        );
        self.write("payonce.toml", &toml);
    }

    fn serve(&self) -> Server {
        Server::launch(payonce(self.folder()).arg("serve"))
    }

    /// Runs the command beside this runtime, which the simulator needs.
    async fn say(&self, arguments: &[&str]) -> Said {
        let mut command = payonce(self.folder());
        command.arg("doctor").args(arguments);
        tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap()
    }

    async fn look(&self, arguments: &[&str]) -> Findings {
        let said = self.say(&[arguments, &["--json"]].concat()).await;
        assert_eq!(said.err, "", "{}", said.out);
        let report: Value = serde_json::from_str(&said.out).unwrap();
        let checks: Vec<Value> = report["checks"].as_array().unwrap().clone();
        for check in &checks {
            let name = check["check"].as_str().unwrap();
            assert!(PAGE.contains(&format!("`{name}`")), "{name} is not in docs/doctor.md");
        }
        let any_failed = checks.iter().any(|check| check["outcome"] == "failed");
        assert_eq!((report["healthy"] == false, said.code), (any_failed, Some(any_failed.into())));
        Findings { code: said.code, checks }
    }
}

impl Findings {
    /// How this check came out. Panics where it was not made, or more than once.
    fn outcome(&self, check: &str) -> &str {
        self.only(check)["outcome"].as_str().unwrap()
    }

    fn detail(&self, check: &str) -> &str {
        self.only(check)["detail"].as_str().unwrap()
    }

    fn only(&self, check: &str) -> &Value {
        let mut found = self.checks.iter().filter(|found| found["check"] == check);
        let only = found.next().unwrap_or_else(|| panic!("{check} is not in {:?}", self.checks));
        assert!(found.next().is_none(), "{check} is there twice: {:?}", self.checks);
        only
    }

    fn has(&self, check: &str) -> bool {
        self.checks.iter().any(|found| found["check"] == check)
    }

    /// What failed, and what is only a warning.
    fn complaints(&self) -> Vec<&str> {
        let bad =
            self.checks.iter().filter(|found| found["outcome"] == "failed" || found["outcome"] == "warning");
        bad.map(|found| found["check"].as_str().unwrap()).collect()
    }
}

fn notify_url(server: &Server) -> String {
    format!("http://{}/notify/v3/{MCHID}", server.addr())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_does_not_load_is_the_only_finding() {
    let clinic = Clinic::open(Mode::PublicKey).await;
    clinic.write("apiv3.key", "too short");
    let findings = clinic.look(&[]).await;
    assert_eq!(findings.complaints(), ["configuration"]);
    assert!(findings.detail("configuration").contains("apiv3_key_file"), "{:?}", findings.checks);
    assert_eq!((findings.checks.len(), findings.code), (1, Some(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_does_not_answer_is_named_and_the_rest_is_looked_at() {
    let clinic = Clinic::open(Mode::PublicKey).await;
    let toml = fs::read_to_string(clinic.folder().join("payonce.toml")).unwrap();
    clinic
        .write("payonce.toml", &format!("[store]\nurl = \"postgres://payonce@127.0.0.1:1/payonce\"\n{toml}"));
    let findings = clinic.look(&[]).await;
    assert_eq!(findings.complaints(), ["database"]);
    assert_eq!(findings.outcome("signed_call"), "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_asks_nobody() {
    let clinic = Clinic::open(Mode::Both).await;
    clinic.configure("http://127.0.0.1:1");
    let findings = clinic.look(&["--offline"]).await;
    assert_eq!(findings.complaints(), ["database"], "which is not there yet");
    assert!(!findings.has("wechat_host") && !findings.has("signed_call") && !findings.has("notify_url"));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_read_one_line_a_check_and_what_to_do() {
    let clinic = Clinic::open(Mode::PublicKey).await;
    let said = clinic.say(&["--offline"]).await;
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines[0].starts_with("ok       configuration    it loads, with 1 merchant(s)"), "{}", said.out);
    assert!(said.out.contains("what to do: `payonce serve` makes it at its first start"), "{}", said.out);
    assert_eq!((lines.last().copied(), said.code), (Some("It works, with 1 warning(s)."), Some(0)));
}
