//! The folder of a simulation's keys: a folder for each merchant with the files that SDKs ask for, and one file from
//! which the next simulation has the same keys.
//!
//! Invariant: files with secrets can be read by their owner only. What is there already is written over: the files say
//! what the simulation believes.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{Known, Shared, Simulator};
use crate::keys::Ring;

/// Where [`Known`] is kept.
const KNOWN: &str = "simulator.json";

/// Whom a client must trust to talk to the port with TLS.
const AUTHORITY: &str = "ca.pem";

/// A folder of keys.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder of this path, which need not be there yet.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// What an earlier simulation left; none where there was none.
    ///
    /// # Errors
    /// Where the file is there and cannot be read.
    pub fn read(&self) -> io::Result<Option<Known>> {
        match fs::read(self.path.join(KNOWN)) {
            Ok(json) => serde_json::from_slice(&json).map(Some).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes the keys of a simulation.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn write(&self, simulator: &Simulator) -> io::Result<()> {
        self.write_all(simulator.shared())
    }

    pub(super) fn write_all(&self, shared: &Shared) -> io::Result<()> {
        fs::create_dir_all(&self.path)?;
        for mchid in shared.mchids() {
            if let Some(ring) = shared.ring(&mchid) {
                write_files(&self.of_merchant(&mchid), &ring)?;
            }
        }
        write(&self.path, AUTHORITY, shared.authority.certificate_pem())?;
        let known = serde_json::to_string_pretty(&Known::of(shared))?;
        write(&self.path, KNOWN, &known)
    }

    /// The folder of one merchant's files.
    #[must_use]
    pub fn of_merchant(&self, mchid: &str) -> PathBuf {
        self.path.join(mchid)
    }
}

/// Writes the keys of one merchant into a folder, which is made where it is missing:
///
/// | file | what |
/// |---|---|
/// | `apiclient_key.pem`, `apiclient_cert.pem` | the merchant's private key (PKCS#8) and API certificate |
/// | `pub_key.pem`, `wxp_pub.pem` | WeChat Pay's public key, under both names that are in use |
/// | `wechatpay_SERIAL.pem` | each platform certificate |
/// | `apiv3.key`, `apiv2.key` | the two API keys, without a newline |
///
/// # Errors
/// Where the folder cannot be written.
pub fn write_files(folder: &Path, ring: &Ring) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    if let Some(own) = ring.own().last() {
        write(folder, "apiclient_key.pem", &own.private_pem())?;
        write(folder, "apiclient_cert.pem", &own.certificate().pem)?;
    }
    if let Some(key) = ring.public_key() {
        write(folder, "pub_key.pem", key.public_key_pem())?;
        write(folder, "wxp_pub.pem", key.public_key_pem())?;
    }
    for certificate in ring.certificates().iter().filter_map(|key| key.certificate()) {
        write(folder, &format!("wechatpay_{}.pem", certificate.serial), &certificate.pem)?;
    }
    write(folder, "apiv3.key", ring.sealing_key().text())?;
    write(folder, "apiv2.key", ring.apiv2_key())
}

/// Writes a file that only its owner may read.
fn write(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(folder.join(name))?.write_all(text.as_bytes())
}
