//! A key of WeChat Pay's, with which it signs callbacks and answers, and for which merchants encrypt fields.
//!
//! Deliberately absent: the issuer's chain; configuring a key is trusting it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::pem::{self, Block};
use super::{Serial, certificate};
use crate::headers::SIGNATURE_LEN_MAX;
use crate::suite::{PublicKey, Suite};
use crate::{FieldError, KeyError, UnixSeconds, VerifyError};

/// One key of WeChat Pay's, parsed once.
#[derive(Clone)]
pub struct PlatformKey {
    serial: Serial,
    key: PublicKey,
    validity: Option<Validity>,
    /// Of a merchant's certificate that was given in WeChat Pay's place.
    mchid: Option<String>,
}

/// From its first second to its last.
#[derive(Clone, Copy)]
struct Validity {
    starts: UnixSeconds,
    expires: UnixSeconds,
}

impl PlatformKey {
    /// WeChat Pay's public key: `pub_key.pem` and its id, `PUB_KEY_ID_…`, from the merchant platform.
    ///
    /// # Errors
    /// Where the id is not one, or the file is anything but a public key of a known suite.
    pub fn from_public_key_pem(id: &str, pem: &str) -> Result<Self, KeyError> {
        let serial = Serial::parse(id)?;
        if !serial.is_public_key_id() {
            return Err(KeyError::CertificateSerialInsteadOfPublicKeyId);
        }
        match pem::decode(pem)? {
            Block::PublicKey(spki) => {
                Ok(Self { serial, key: PublicKey::parse(&spki)?, validity: None, mchid: None })
            }
            Block::Certificate(_) => Err(KeyError::CertificateInsteadOfKey),
            Block::PrivateKey(_) | Block::RsaPrivateKey(_) => Err(KeyError::PrivateInsteadOfPublic),
        }
    }

    /// A platform certificate; serial and validity are read from it.
    ///
    /// # Errors
    /// Where the file is anything but a certificate with a key of a known suite.
    pub fn from_certificate_pem(pem: &str) -> Result<Self, KeyError> {
        let certificate = certificate::parse(pem, KeyError::KeyInsteadOfCertificate)?;
        let certificate::Parts { serial, starts, expires, key, mchid } = certificate;
        Ok(Self { serial, key, validity: Some(Validity { starts, expires }), mchid })
    }

    /// By which name `Wechatpay-Serial` calls it.
    #[must_use]
    pub fn serial(&self) -> &Serial {
        &self.serial
    }

    /// The suite of the key: only a signature of that type can be its.
    #[must_use]
    pub fn suite(&self) -> Suite {
        self.key.suite()
    }

    /// The first second in which a certificate is valid; a public key has none.
    #[must_use]
    pub fn starts(&self) -> Option<UnixSeconds> {
        self.validity.map(|validity| validity.starts)
    }

    /// The last second in which a certificate is valid; a public key has none.
    #[must_use]
    pub fn expires(&self) -> Option<UnixSeconds> {
        self.validity.map(|validity| validity.expires)
    }

    /// The merchant whose API certificate this is, by its subject. WeChat Pay's own have none: where there is one,
    /// `apiclient_cert.pem` was given in the place of a platform certificate, and nothing will ever verify.
    #[must_use]
    pub fn merchant(&self) -> Option<&str> {
        self.mchid.as_deref()
    }

    /// Whether it is a certificate that WeChat Pay no longer signs with.
    #[must_use]
    pub fn has_expired(&self, now: UnixSeconds) -> bool {
        self.validity.is_some_and(|validity| validity.expires < now)
    }

    /// Whether this key made `signature` (base64) over exactly these bytes. Callbacks go through
    /// [`crate::Callback::verify`] and answers through [`crate::answer::Answer::verify`], which also mind the time;
    /// this is for what is neither.
    ///
    /// # Errors
    /// [`VerifyError::MalformedSignature`], [`VerifyError::SignatureMismatch`].
    pub fn verify(&self, message: &[u8], signature: &str) -> Result<(), VerifyError> {
        self.verify_parts(&[message], signature)
    }

    /// The same for a message in parts.
    pub(crate) fn verify_parts(&self, message: &[&[u8]], signature: &str) -> Result<(), VerifyError> {
        // On the stack: this is the hottest path of a server. STANDARD refuses what is not canonical, so that no two
        // texts are one signature.
        let mut buffer = [0; SIGNATURE_LEN_MAX / 4 * 3];
        let len =
            STANDARD.decode_slice(signature, &mut buffer).map_err(|_| VerifyError::MalformedSignature)?;
        if self.key.verifies(message, &buffer[..len]) { Ok(()) } else { Err(VerifyError::SignatureMismatch) }
    }

    /// Encrypts a sensitive field of a request, such as a name, so that only WeChat Pay can read it; base64 (RSA-OAEP
    /// with SHA-1, or SM2). The request must name this key's [`serial`](Self::serial) in `Wechatpay-Serial`, and one
    /// request has one key: choose it by [`crate::PlatformKeys::encryption_key`].
    ///
    /// Both schemes need randomness, and the cryptographic library draws it from the operating system: the one
    /// exception to this crate's rule that it has none. Hence each call gives another text. Whether WeChat Pay takes a
    /// request repeated with another ciphertext for the same request is not documented: keep the first, send it again.
    ///
    /// # Errors
    /// [`FieldError::Empty`], [`FieldError::TooLong`] (RSA-2048 takes 214 bytes), [`FieldError::UnfitKey`].
    pub fn encrypt(&self, plaintext: &str) -> Result<String, FieldError> {
        if plaintext.is_empty() {
            return Err(FieldError::Empty);
        }
        self.key.encrypt(plaintext.as_bytes()).map(|ciphertext| STANDARD.encode(ciphertext))
    }
}

impl fmt::Debug for PlatformKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlatformKey")
            .field("serial", &self.serial)
            .field("suite", &self.suite())
            .field("starts", &self.starts())
            .field("expires", &self.expires())
            .finish_non_exhaustive()
    }
}
