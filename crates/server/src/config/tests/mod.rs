//! Configuration from files in memory, so that every text it gives can be compared in full.
//!
//! The two PEM files were made with openssl; their private keys were thrown away:
//! `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 | openssl pkey -pubout`, and
//! `openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -subj "/CN=payonce test platform"
//! -set_serial 0x1A2B3C4D5E6F708192A3B4C5D6E7F8091A2B3C4D -days 36500`.

mod alerts;
mod effects;
mod endpoints;
mod refused;
mod values;
mod written;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use super::{
    ConfigErrors, Environment, Loaded,
    files::{Content, Files, Look},
    load::load,
};

const PUBLIC_KEY: &str = include_str!("platform_public_key.pem");
const CERTIFICATE: &str = include_str!("platform_certificate.pem");
const API_KEY: &str = "0123456789abcdef0123456789abcdef";
const APIV3_KEY: &str = "apiv3keyapiv3keyapiv3keyapiv3key";

/// A merchant without fault, whose files [`setup`] has.
const MERCHANT: &str = r#"
[[merchants]]
mchid = "1900000001"
apiv3_key_file = "keys/apiv3.key"

[[merchants.platform_keys]]
public_key_id = "PUB_KEY_ID_0119000000012024101100000000000000"
public_key_file = "keys/public.pem"

[[merchants.platform_keys]]
certificate_file = "keys/certificate.pem"
"#;

/// Files and variables, to which a test adds.
#[derive(Default)]
struct Setup {
    files: BTreeMap<PathBuf, (Vec<u8>, u32)>,
    variables: BTreeMap<String, String>,
}

/// The configuration file `toml`, and key files beside it.
fn setup(toml: &str) -> Setup {
    Setup::default()
        .file("payonce.toml", toml)
        .file("keys/api.key", &format!("{API_KEY}\n"))
        .file("keys/apiv3.key", &format!("{APIV3_KEY}\n"))
        .file("keys/public.pem", PUBLIC_KEY)
        .file("keys/certificate.pem", CERTIFICATE)
}

impl Setup {
    fn file(self, path: &str, text: &str) -> Self {
        self.bytes(path, text.as_bytes(), 0o600)
    }

    fn bytes(mut self, path: &str, bytes: &[u8], mode: u32) -> Self {
        self.files.insert(path.into(), (bytes.to_vec(), mode));
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    fn load(&self) -> Result<Loaded, ConfigErrors> {
        self.load_path(None)
    }

    fn load_path(&self, path: Option<&str>) -> Result<Loaded, ConfigErrors> {
        let environment: Environment = self.variables.clone().into_iter().collect();
        load(path.map(Path::new), &environment, self)
    }

    /// The errors as text.
    fn refused(&self) -> String {
        self.load().expect_err("it is wrong").to_string()
    }
}

impl Files for Setup {
    fn look(&self, _: &Path) -> Option<Look> {
        None
    }

    fn read(&self, path: &Path) -> io::Result<Content> {
        let (bytes, mode) = self.files.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Content { bytes: bytes.clone(), mode: Some(*mode) })
    }
}
