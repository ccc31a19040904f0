//! `payonce explain`: what it says of callbacks that were saved, and how it exits.

mod bad_input;
mod classes;
mod documented;
mod said;
mod stored;

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::server::{Said, payonce, run};

const MCHID: &str = "1900000001";

/// Keys and callbacks that were made once for all, so that what is said of them is always the same.
fn vectors(name: &str) -> Value {
    let text = match name {
        "keys" => include_str!("../../../../wechatpay/tests/vectors/keys.json"),
        "callbacks" => include_str!("../../../../wechatpay/tests/vectors/callbacks.json"),
        other => panic!("no vectors {other}"),
    };
    serde_json::from_str(text).unwrap()
}

/// A callback as it goes over the wire.
#[derive(Clone)]
struct Request {
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Request {
    /// Genuine, and signed at 1750000000.
    fn genuine() -> Self {
        let vector = &vectors("callbacks")["vectors"][0];
        let headers = vector["headers"].as_object().unwrap().iter();
        let mut headers: Vec<_> =
            headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        let body = vector["body"].as_str().unwrap().to_owned();
        headers.push(("Content-Length".to_owned(), body.len().to_string()));
        Self { path: format!("/notify/v3/{MCHID}"), headers, body }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    fn body(mut self, change: impl FnOnce(&str) -> String) -> Self {
        self.body = change(&self.body);
        self
    }

    fn value(&self, name: &str) -> &str {
        &self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).unwrap().1
    }

    fn raw(&self) -> String {
        let mut raw = format!("POST {} HTTP/1.1\r\n", self.path);
        for (name, value) in &self.headers {
            raw.push_str(&format!("{name}: {value}\r\n"));
        }
        format!("{raw}\r\n{}", self.body)
    }

    fn json(&self) -> Value {
        serde_json::json!({ "path": self.path, "headers": self.headers, "body": self.body })
    }
}

/// A folder with a configuration of two merchants: that of the callbacks, and one with keys of its own.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        let keys = vectors("keys");
        desk.file("apiv3.key", keys["apiv3_key"].as_str().unwrap());
        desk.file("other.key", "0".repeat(32));
        desk.file("apiv2.key", "a".repeat(32));
        desk.file("pub_key.pem", keys["public_key"]["public_pem"].as_str().unwrap());
        desk.file("certificate.pem", keys["certificate"]["certificate_pem"].as_str().unwrap());
        let id = keys["public_key"]["id"].as_str().unwrap();
        desk.configure(&format!(
            "{}{}",
            merchant(
                MCHID,
                "apiv3.key",
                &format!("public_key_id = \"{id}\"\npublic_key_file = \"pub_key.pem\"")
            ),
            merchant("1900000002", "other.key", "certificate_file = \"certificate.pem\""),
        ));
        desk
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.folder().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn configure(&self, merchants: &str) {
        self.file("payonce.toml", format!("[store]\nurl = \"sqlite://payonce.db\"\n{merchants}"));
    }

    /// What is said of a callback in a file, and the exit status.
    fn explain(&self, callback: impl AsRef<[u8]>, arguments: &[&str]) -> Said {
        self.file("callback", callback);
        self.run(&[&["callback"], arguments].concat())
    }

    fn run(&self, arguments: &[&str]) -> Said {
        let said = run(payonce(self.folder()).arg("explain").args(arguments));
        let apiv3_key = vectors("keys")["apiv3_key"].as_str().unwrap().to_owned();
        for out in [&said.out, &said.err] {
            assert!(!out.contains(&apiv3_key) && !out.contains("panicked"), "{out}");
        }
        assert!(!self.folder().join("payonce.db").exists(), "nothing is made");
        said
    }

    /// The class and the causes, as `--json` says them.
    #[track_caller]
    fn found(&self, callback: impl AsRef<[u8]>, arguments: &[&str]) -> (Option<i32>, String) {
        let said = self.explain(callback, &[&["--json"], arguments].concat());
        let report: Value =
            serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}{}", said.out, said.err));
        assert_eq!(report["exit_status"].as_i64().map(|status| status as i32), said.code);
        let causes = report["causes"].as_array().unwrap().iter();
        let words = std::iter::once(&report["class"]).chain(causes.map(|cause| &cause["cause"]));
        (said.code, words.map(|word| word.as_str().unwrap()).collect::<Vec<_>>().join(" "))
    }
}

fn merchant(mchid: &str, apiv3_key_file: &str, platform_key: &str) -> String {
    format!(
        "[[merchants]]\nmchid = \"{mchid}\"\napiv3_key_file = \"{apiv3_key_file}\"\n\
         [[merchants.platform_keys]]\n{platform_key}\n"
    )
}
