//! `payonce doctor` against a simulator, with the real server where a callback has to arrive.

mod database;
mod echo;
mod keys;
mod notify_url;
mod proxy;
mod report;
mod tls;
mod wechat;

use std::fs;
use std::net::SocketAddr;
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
        Self::detoured(mode, None).await
    }

    /// WeChat Pay's callbacks go there, whatever their URL says.
    async fn detoured(mode: Mode, detour: Option<SocketAddr>) -> Self {
        let mut setup = Setup::new(Arc::new(|| UnixSeconds(SystemClock.now().seconds())));
        setup.detour = detour;
        let simulator = Simulator::start(setup.with(Account::ordinary(MCHID, APPID), mode)).await.unwrap();
        let clinic = Self { simulator, folder: tempfile::tempdir().unwrap() };
        write_files(clinic.folder(), &clinic.simulator.ring(MCHID).unwrap()).unwrap();
        // All that its TLS trusts.
        clinic.write("authority.pem", clinic.simulator.authority().certificate_pem());
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

    /// Changes a piece of the configuration.
    fn change(&self, from: &str, to: &str) {
        let toml = fs::read_to_string(self.folder().join("payonce.toml")).unwrap();
        assert!(toml.contains(from), "{from} is not in {toml}");
        self.write("payonce.toml", &toml.replacen(from, to, 1));
    }

    /// Of what is configured, only what listens: nothing can be asked.
    fn forget_private_key(&self) {
        self.change("private_key_file = \"apiclient_key.pem\"\n", "");
        self.change("api_certificate_file = \"apiclient_cert.pem\"\n", "");
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

    /// Serves with a key of yesterday: with this text in the place of that file. (A server that watches the file itself
    /// would take the new one.)
    fn serve_with(&self, file: &str, text: &str) -> Server {
        self.write("yesterday.key", text);
        let toml = fs::read_to_string(self.folder().join("payonce.toml")).unwrap();
        assert!(toml.contains(file), "{file} is not in {toml}");
        self.write("yesterday.toml", &toml.replacen(file, "yesterday.key", 1));
        Server::launch(payonce(self.folder()).args(["serve", "--config", "yesterday.toml"]))
    }

    /// Runs the command beside this runtime, which the simulator needs.
    async fn say(&self, arguments: &[&str]) -> Said {
        let mut command = payonce(self.folder());
        command.arg("doctor").args(arguments).env("SSL_CERT_FILE", self.folder().join("authority.pem"));
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

    fn remedy(&self, check: &str) -> &str {
        self.only(check)["remedy"].as_str().unwrap()
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
async fn offline_asks_nobody() {
    let clinic = Clinic::open(Mode::Both).await;
    clinic.configure("http://127.0.0.1:1");
    let findings = clinic.look(&["--offline"]).await;
    assert_eq!(findings.complaints(), ["database"], "which is not there yet");
    assert!(!findings.has("wechat_host") && !findings.has("signed_call") && !findings.has("notify_url"));
}
