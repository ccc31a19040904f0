//! WeChat Pay's keys, with which it signs callbacks and answers.
//!
//! During a change WeChat signs with either of two keys, and a merchant that moves from certificates to the public key
//! (or back) gets both kinds of serial: hence a set, looked up by serial. Invariant: an expired certificate is found by
//! nobody, since WeChat never signs with one. Deliberately absent: the issuer's chain; configuring a key is trusting it.

use std::fmt;

use aws_lc_rs::digest::{Digest, SHA256, digest};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};

use super::Serial;
use super::pem::{self, Block};
use crate::headers::SIGNATURE_LEN_MAX;
use crate::{KeyError, UnixSeconds, VerifyError};

/// One key of WeChat Pay's, parsed once.
#[derive(Clone)]
pub struct PlatformKey {
    serial: Serial,
    key: ParsedPublicKey,
    expires: Option<UnixSeconds>,
}

impl PlatformKey {
    /// WeChat Pay's public key: `pub_key.pem` and its id, `PUB_KEY_ID_…`, from the merchant platform.
    ///
    /// # Errors
    /// Where the id is not one, or the file is anything but an RSA public key.
    pub fn from_public_key_pem(id: &str, pem: &str) -> Result<Self, KeyError> {
        let serial = Serial::parse(id)?;
        if !serial.is_public_key_id() {
            return Err(KeyError::CertificateSerialInsteadOfPublicKeyId);
        }
        match pem::decode(pem)? {
            Block::PublicKey(spki) => Ok(Self { serial, key: parse(&spki)?, expires: None }),
            Block::Certificate(_) => Err(KeyError::CertificateInsteadOfKey),
            Block::PrivateKey(_) | Block::RsaPrivateKey(_) => Err(KeyError::PrivateInsteadOfPublic),
        }
    }

    /// A platform certificate; serial and expiry are read from it.
    ///
    /// # Errors
    /// Where the file is anything but a certificate with an RSA key.
    pub fn from_certificate_pem(pem: &str) -> Result<Self, KeyError> {
        let Block::Certificate(der) = pem::decode(pem)? else {
            return Err(KeyError::KeyInsteadOfCertificate);
        };
        let certificate = Certificate::from_der(&der).map_err(|_| KeyError::Malformed)?.tbs_certificate;
        let spki = certificate.subject_public_key_info.to_der().map_err(|_| KeyError::Malformed)?;
        let not_after = certificate.validity.not_after.to_unix_duration().as_secs();
        Ok(Self {
            serial: Serial::from_certificate(certificate.serial_number.as_bytes()),
            key: parse(&spki)?,
            expires: Some(UnixSeconds(i64::try_from(not_after).map_err(|_| KeyError::Malformed)?)),
        })
    }

    /// By which name `Wechatpay-Serial` calls it.
    #[must_use]
    pub fn serial(&self) -> &Serial {
        &self.serial
    }

    /// The last second in which a certificate is valid; a public key has none.
    #[must_use]
    pub fn expires(&self) -> Option<UnixSeconds> {
        self.expires
    }

    /// Whether this key made `signature` (base64) over exactly these bytes. Callbacks go through
    /// [`crate::Callback::verify`], which also minds the time; this is for what is not a callback.
    ///
    /// # Errors
    /// [`VerifyError::MalformedSignature`], [`VerifyError::SignatureMismatch`].
    pub fn verify(&self, message: &[u8], signature: &str) -> Result<(), VerifyError> {
        self.verify_digest(&digest(&SHA256, message), signature)
    }

    /// The same for a message's SHA-256.
    pub(crate) fn verify_digest(&self, digest: &Digest, signature: &str) -> Result<(), VerifyError> {
        // On the stack: this is the hottest path of a server. STANDARD refuses what is not canonical, so that no two
        // texts are one signature.
        let mut buffer = [0; SIGNATURE_LEN_MAX / 4 * 3];
        let len =
            STANDARD.decode_slice(signature, &mut buffer).map_err(|_| VerifyError::MalformedSignature)?;
        self.key.verify_digest_sig(digest, &buffer[..len]).map_err(|_| VerifyError::SignatureMismatch)
    }

    fn is_valid(&self, now: UnixSeconds) -> bool {
        self.expires.is_none_or(|expires| now <= expires)
    }
}

fn parse(spki: &[u8]) -> Result<ParsedPublicKey, KeyError> {
    pem::check_public_key(spki)?;
    ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, spki).map_err(|_| KeyError::Malformed)
}

impl fmt::Debug for PlatformKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlatformKey")
            .field("serial", &self.serial)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// The keys that a merchant trusts as WeChat Pay's, one for each serial.
#[derive(Clone, Debug, Default)]
pub struct PlatformKeys(Vec<PlatformKey>);

impl PlatformKeys {
    /// A set of these keys.
    #[must_use]
    pub fn new(keys: impl IntoIterator<Item = PlatformKey>) -> Self {
        let mut set = Self::default();
        for key in keys {
            set.insert(key);
        }
        set
    }

    /// Adds a key, in place of one with the same serial.
    pub fn insert(&mut self, key: PlatformKey) {
        self.0.retain(|other| other.serial != key.serial);
        self.0.push(key);
    }

    /// The serials, in the order in which their keys were added.
    pub fn serials(&self) -> impl Iterator<Item = &Serial> {
        self.0.iter().map(PlatformKey::serial)
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that a header names, unless it has expired. A merchant has two or three: looking at each is fastest.
    pub(crate) fn valid(&self, serial: &str, now: UnixSeconds) -> Option<&PlatformKey> {
        self.0.iter().find(|key| key.serial.is_named_by(serial) && key.is_valid(now))
    }
}
