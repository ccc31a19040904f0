//! A public key of either suite: verifies signatures, encrypts sensitive fields.

use x509_cert::der::Decode as _;
use x509_cert::spki::SubjectPublicKeyInfoRef;

#[cfg(feature = "sm")]
use super::sm;
use super::{Suite, rsa, suite_of};
use crate::{FieldError, KeyError};

/// A clone shares what was parsed.
#[derive(Clone)]
pub(crate) enum PublicKey {
    Rsa(rsa::PublicKey),
    #[cfg(feature = "sm")]
    Sm(Box<sm::PublicKey>),
}

impl PublicKey {
    /// Reads SubjectPublicKeyInfo (DER).
    pub(crate) fn parse(spki: &[u8]) -> Result<Self, KeyError> {
        let info = SubjectPublicKeyInfoRef::from_der(spki).map_err(|_| KeyError::Malformed)?;
        match suite_of(info.algorithm)? {
            Suite::Rsa => rsa::PublicKey::parse(spki).map(Self::Rsa),
            #[cfg(feature = "sm")]
            Suite::Sm => sm::PublicKey::parse(spki).map(Box::new).map(Self::Sm),
            #[cfg(not(feature = "sm"))]
            Suite::Sm => Err(KeyError::SmNotBuilt),
        }
    }

    pub(crate) fn suite(&self) -> Suite {
        match self {
            Self::Rsa(_) => Suite::Rsa,
            #[cfg(feature = "sm")]
            Self::Sm(_) => Suite::Sm,
        }
    }

    /// Whether this key signed these parts, one after the other. They are not put together: nothing is allocated.
    pub(crate) fn verifies(&self, message: &[&[u8]], signature: &[u8]) -> bool {
        match self {
            Self::Rsa(key) => key.verifies(message, signature),
            #[cfg(feature = "sm")]
            Self::Sm(key) => key.verifies(message, signature),
        }
    }

    pub(crate) fn encrypt(&self, plaintext: &[u8]) -> Result<Vec<u8>, FieldError> {
        match self {
            Self::Rsa(key) => key.encrypt(plaintext),
            #[cfg(feature = "sm")]
            Self::Sm(key) => key.encrypt(plaintext),
        }
    }
}
