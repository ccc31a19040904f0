//! One of WeChat's keys: a public key with its `PUB_KEY_ID_…`, or a platform certificate with its serial.

use std::fmt;

use bytes::Bytes;
use rand::Rng;
use wechatpay::UnixSeconds;

use super::authority::Subject;
use super::{Authority, Certificate, RsaKey};
use crate::{Error, SignedCallback};

/// WeChat Pay as a signer. May sign on many threads at once.
pub struct Platform {
    key: RsaKey,
    serial: String,
    public_key_pem: String,
    certificate: Option<Certificate>,
}

impl Platform {
    /// A fresh key pair in public-key mode.
    ///
    /// # Errors
    /// [`Error::KeyGeneration`] where the crypto library has no randomness or memory.
    pub fn generate() -> Result<Self, Error> {
        RsaKey::generate().map(|key| Self::of(key, None))
    }

    /// A fresh key pair with a certificate.
    ///
    /// # Errors
    /// [`Error::KeyGeneration`].
    pub fn certified(authority: &Authority, now: UnixSeconds, rng: &mut impl Rng) -> Result<Self, Error> {
        let key = RsaKey::generate()?;
        let certificate = authority.issue(&Subject::Platform, &key, now, rng)?;
        Ok(Self::of(key, Some(certificate)))
    }

    pub(super) fn of(key: RsaKey, certificate: Option<Certificate>) -> Self {
        // An id of 34 digits like WeChat's, that belongs to the key.
        let id = || format!("PUB_KEY_ID_01{}", key.fingerprint_digits());
        let serial = certificate.as_ref().map_or_else(id, |certificate| certificate.serial.clone());
        let public_key_pem = key.public_pem();
        Self { key, serial, public_key_pem, certificate }
    }

    /// The value of `Wechatpay-Serial`: `PUB_KEY_ID_` and digits, or the certificate's serial.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// What a merchant downloads as `pub_key.pem`: a SubjectPublicKeyInfo in PEM.
    #[must_use]
    pub fn public_key_pem(&self) -> &str {
        &self.public_key_pem
    }

    /// The platform certificate, where it is one.
    #[must_use]
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// Signs a body with SHA256-RSA2048 over timestamp, nonce and body.
    #[must_use]
    pub fn sign(&self, body: Bytes, timestamp: UnixSeconds, nonce: String) -> SignedCallback {
        let timestamp = timestamp.0.to_string();
        let message = wechatpay::callback_message(&timestamp, &nonce, &body);
        let signature = self.key.sign(&message);
        SignedCallback { timestamp, nonce, signature, serial: self.serial.clone(), body }
    }

    /// Opens a sensitive field that was sealed for this key. `None` where it was not.
    pub(crate) fn decrypt(&self, ciphertext: &str) -> Option<String> {
        self.key.decrypt(ciphertext)
    }

    pub(super) fn private_pem(&self) -> String {
        self.key.private_pem()
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform")
            .field("serial", &self.serial)
            .field("key", &"[REDACTED]")
            .finish_non_exhaustive()
    }
}
