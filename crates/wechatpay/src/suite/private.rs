//! A private key of either suite: signs, decrypts sensitive fields.

use x509_cert::der::asn1::OctetStringRef;
use x509_cert::der::{Reader as _, SliceReader};
use x509_cert::spki::AlgorithmIdentifierRef;

#[cfg(feature = "sm")]
use super::sm;
use super::{Suite, rsa, suite_of};
use crate::KeyError;

pub(crate) enum PrivateKey {
    Rsa(Box<rsa::PrivateKey>),
    #[cfg(feature = "sm")]
    Sm(Box<sm::PrivateKey>),
}

impl PrivateKey {
    /// Reads PKCS#8 (DER).
    pub(crate) fn parse_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let (algorithm, key) = split_pkcs8(der)?;
        match suite_of(algorithm)? {
            Suite::Rsa => Self::parse_pkcs1(key),
            #[cfg(feature = "sm")]
            Suite::Sm => sm::PrivateKey::parse(der).map(Box::new).map(Self::Sm),
            #[cfg(not(feature = "sm"))]
            Suite::Sm => Err(KeyError::SmNotBuilt),
        }
    }

    /// Reads PKCS#1 (DER), which only RSA has.
    pub(crate) fn parse_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        rsa::PrivateKey::parse(der).map(Box::new).map(Self::Rsa)
    }

    pub(crate) fn suite(&self) -> Suite {
        match self {
            Self::Rsa(_) => Suite::Rsa,
            #[cfg(feature = "sm")]
            Self::Sm(_) => Suite::Sm,
        }
    }

    /// The same message gives the same signature, in either suite.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Rsa(key) => key.sign(message),
            #[cfg(feature = "sm")]
            Self::Sm(key) => key.sign(message),
        }
    }

    /// `None` where this was not encrypted for this key.
    pub(crate) fn decrypt(&self, ciphertext: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Rsa(key) => key.decrypt(ciphertext),
            #[cfg(feature = "sm")]
            Self::Sm(key) => key.decrypt(ciphertext),
        }
    }
}

/// What PKCS#8 says of the key within, and that key.
fn split_pkcs8(der: &[u8]) -> Result<(AlgorithmIdentifierRef<'_>, &[u8]), KeyError> {
    SliceReader::new(der)
        .and_then(|mut reader| {
            reader.sequence(|fields| {
                let _version: u8 = fields.decode()?;
                let algorithm: AlgorithmIdentifierRef<'_> = fields.decode()?;
                let key: OctetStringRef<'_> = fields.decode()?;
                // Attributes may follow (RFC 5958 §2).
                while !fields.is_finished() {
                    fields.tlv_bytes()?;
                }
                Ok((algorithm, key.as_bytes()))
            })
        })
        .map_err(|_| KeyError::Malformed)
}
