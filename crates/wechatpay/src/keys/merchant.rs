//! The merchant's private key, which signs requests to WeChat and payments in the Mini Program, and opens the fields
//! that WeChat encrypts for the merchant.
//!
//! Deliberately absent: showing it, and the certificate, of which only the serial is needed.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Serial;
use super::pem::{self, Block};
use crate::suite::{PrivateKey, Suite};
use crate::{FieldError, KeyError};

/// The private key (`apiclient_key.pem`) and the serial of the API certificate that belongs to it.
pub struct MerchantKey {
    serial: Serial,
    key: PrivateKey,
}

impl MerchantKey {
    /// Takes `apiclient_key.pem` (PKCS#8; RSA or SM2) or an RSA key as PKCS#1, and its certificate's serial.
    ///
    /// # Errors
    /// Where the serial is not a certificate's, or the file is anything but a private key of a known suite.
    pub fn from_pkcs8_pem(serial: &str, pem: &str) -> Result<Self, KeyError> {
        let serial = Serial::parse(serial)?;
        if serial.is_public_key_id() {
            return Err(KeyError::PublicKeyIdInsteadOfCertificateSerial);
        }
        let key = match pem::decode(pem)? {
            Block::PrivateKey(der) => PrivateKey::parse_pkcs8(&der),
            Block::RsaPrivateKey(der) => PrivateKey::parse_pkcs1(&der),
            Block::Certificate(_) => Err(KeyError::CertificateInsteadOfKey),
            Block::PublicKey(_) => Err(KeyError::PublicInsteadOfPrivate),
        }?;
        Ok(Self { serial, key })
    }

    /// The serial of the API certificate, `serial_no` in the `Authorization` header.
    #[must_use]
    pub fn serial(&self) -> &Serial {
        &self.serial
    }

    /// The suite of the key, which decides the scheme of `Authorization`.
    #[must_use]
    pub fn suite(&self) -> Suite {
        self.key.suite()
    }

    /// The signature over the message in base64: SHA256-RSA2048 (RSASSA-PKCS1-v1_5), or SM2 with SM3 in DER. The same
    /// message gives the same signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> String {
        STANDARD.encode(self.sign_raw(message))
    }

    pub(super) fn sign_raw(&self, message: &[u8]) -> Vec<u8> {
        self.key.sign(message)
    }

    /// Decrypts a sensitive field of an answer, such as a name (base64; RSA-OAEP with SHA-1, or SM2). WeChat Pay
    /// encrypts it for the certificate that signed the request.
    ///
    /// # Errors
    /// [`FieldError::NotBase64`], [`FieldError::WrongKey`], [`FieldError::NotUtf8`].
    pub fn decrypt(&self, ciphertext: &str) -> Result<String, FieldError> {
        let ciphertext = STANDARD.decode(ciphertext).map_err(|_| FieldError::NotBase64)?;
        let plaintext = self.key.decrypt(&ciphertext).ok_or(FieldError::WrongKey)?;
        String::from_utf8(plaintext).map_err(|_| FieldError::NotUtf8)
    }
}

impl fmt::Debug for MerchantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MerchantKey {{ serial: {:?}, key: [REDACTED] }}", self.serial.as_str())
    }
}
