//! The folder of a simulation's keys: a folder for each merchant with the files that SDKs ask for, and one file from
//! which the next simulation has the same keys.
//!
//! Invariants: files with secrets can be read by their owner only; each is whole at any moment; they say what the simulation
//! believes, so that what is there otherwise is replaced, and certificates of the platform that are no more are removed.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::state::replace;
use super::{Known, Shared, Simulator};
use crate::keys::Ring;

/// Where [`Known`] is kept.
const KNOWN: &str = "simulator.json";

/// Whom a client must trust to talk to the port with TLS.
const AUTHORITY: &str = "ca.pem";

/// Why keys cannot be read or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The system says no.
    #[error("{path:?} cannot be read or written; make it accessible, or give another folder with --keys")]
    File {
        /// Which file or folder.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
    /// It is not what was written.
    #[error("{path:?} is damaged; bring back a copy, or remove it and let new keys be made")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

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
    pub fn read(&self) -> Result<Option<Known>, FolderError> {
        let path = self.path.join(KNOWN);
        match fs::read(&path) {
            Ok(json) => match serde_json::from_slice(&json) {
                Ok(known) => Ok(Some(known)),
                Err(source) => Err(FolderError::Damaged { path, source }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(FolderError::File { path, source }),
        }
    }

    /// Writes the keys of a simulation.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn write(&self, simulator: &Simulator) -> Result<(), FolderError> {
        self.write_all(simulator.shared())
    }

    pub(super) fn write_all(&self, shared: &Shared) -> Result<(), FolderError> {
        make(&self.path)?;
        for (mchid, ring) in shared.rings.calm_rings() {
            write_files(&self.of_merchant(&mchid), &ring)?;
        }
        write(&self.path, AUTHORITY, shared.authority.certificate_pem())?;
        let known = serde_json::to_string_pretty(&Known::of(shared));
        write(&self.path, KNOWN, &known.expect("BUG: structs of texts and numbers always serialise"))
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
pub fn write_files(folder: &Path, ring: &Ring) -> Result<(), FolderError> {
    make(folder)?;
    if let Some(own) = ring.own().last() {
        write(folder, "apiclient_key.pem", &own.private_pem())?;
        write(folder, "apiclient_cert.pem", &own.certificate().pem)?;
    }
    if let Some(key) = ring.public_key() {
        write(folder, "pub_key.pem", key.public_key_pem())?;
        write(folder, "wxp_pub.pem", key.public_key_pem())?;
    }
    let mut names = Vec::new();
    for certificate in ring.certificates().iter().filter_map(|key| key.certificate()) {
        let name = format!("wechatpay_{}.pem", certificate.serial);
        write(folder, &name, &certificate.pem)?;
        names.push(name);
    }
    remove_other_certificates(folder, &names)?;
    write(folder, "apiv3.key", ring.sealing_key().text())?;
    write(folder, "apiv2.key", ring.apiv2_key())
}

/// Removes the platform certificates that have other names.
fn remove_other_certificates(folder: &Path, names: &[String]) -> Result<(), FolderError> {
    let failed = |source| FolderError::File { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let is_certificate = name.starts_with("wechatpay_") && name.ends_with(".pem");
        if is_certificate && !names.iter().any(|known| known == name) {
            fs::remove_file(&path).map_err(|source| FolderError::File { path, source })?;
        }
    }
    Ok(())
}

fn make(folder: &Path) -> Result<(), FolderError> {
    fs::create_dir_all(folder).map_err(|source| FolderError::File { path: folder.to_owned(), source })
}

/// Writes a file that only its owner may read, unless it says the same already.
fn write(folder: &Path, name: &str, text: &str) -> Result<(), FolderError> {
    let path = folder.join(name);
    if fs::read(&path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(());
    }
    replace(&path, text.as_bytes()).map_err(|source| FolderError::File { path, source })
}
