//! The merchant's private key, which signs requests to WeChat and payments in the Mini Program.
//!
//! Deliberately absent: showing it, and the certificate, of which only the serial is needed.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Serial;
use super::pem::{self, Block};
use crate::KeyError;

/// The private key (`apiclient_key.pem`) and the serial of the API certificate that belongs to it.
pub struct MerchantKey {
    serial: Serial,
    key: KeyPair,
}

impl MerchantKey {
    /// Takes `apiclient_key.pem` (PKCS#8) or the same key as PKCS#1, and its certificate's serial.
    ///
    /// # Errors
    /// Where the serial is not a certificate's, or the file is anything but an RSA private key.
    pub fn from_pkcs8_pem(serial: &str, pem: &str) -> Result<Self, KeyError> {
        let serial = Serial::parse(serial)?;
        if serial.is_public_key_id() {
            return Err(KeyError::PublicKeyIdInsteadOfCertificateSerial);
        }
        let key = match pem::decode(pem)? {
            Block::PrivateKey(der) => parse(pem::rsa_in_pkcs8(&der)?),
            Block::RsaPrivateKey(der) => parse(&der),
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

    /// SHA256-RSA2048 (RSASSA-PKCS1-v1_5) over the message, in base64. The same message gives the same signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> String {
        let mut signature = vec![0; self.key.public_modulus_len()];
        // PKCS#1 v1.5 is deterministic; the library asks for a source of randomness and does not use it.
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).expect(
            "BUG: the key was checked when it was parsed, and the signature is as long as its modulus",
        );
        STANDARD.encode(signature)
    }
}

fn parse(pkcs1: &[u8]) -> Result<KeyPair, KeyError> {
    pem::check_private_key(pkcs1)?;
    KeyPair::from_der(pkcs1).map_err(|_| KeyError::Malformed)
}

impl fmt::Debug for MerchantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MerchantKey {{ serial: {:?}, key: [REDACTED] }}", self.serial.as_str())
    }
}
