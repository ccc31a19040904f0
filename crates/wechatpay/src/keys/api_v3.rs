//! The merchant's APIv3 key, with which WeChat encrypts the resource of a callback and platform certificates.
//!
//! AEAD_AES_256_GCM: the key's 32 bytes, a nonce of 12, a tag of 16 behind the ciphertext. AEAD_SM4_GCM (feature `sm`)
//! has the same nonce and tag, and a key made of this one. Invariant: a nonce of any other length is refused before the
//! cipher sees it. Deliberately absent: sealing, which only WeChat does.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

#[cfg(feature = "sm")]
use crate::suite::Sm4Key;
use crate::{KeyError, OpenError};

/// Bytes of the key (AES-256).
const KEY_LEN: usize = 32;

/// Bytes of the tag behind a ciphertext, in either cipher.
const TAG_LEN: usize = 16;

/// The ciphers' names in WeChat Pay's `algorithm`.
const AES: &str = "AEAD_AES_256_GCM";
#[cfg(feature = "sm")]
const SM4: &str = "AEAD_SM4_GCM";

/// The secret that the merchant sets on the merchant platform; 32 ASCII characters. A clone shares it.
#[derive(Clone)]
pub struct ApiV3Key(Arc<Ciphers>);

struct Ciphers {
    aes: LessSafeKey,
    #[cfg(feature = "sm")]
    sm4: Sm4Key,
}

impl ApiV3Key {
    /// Takes the key as the merchant platform was given it.
    ///
    /// # Errors
    /// Where it does not have 32 bytes or one of them is not ASCII.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        if text.len() != KEY_LEN {
            return Err(KeyError::ApiV3KeyLength { bytes: text.len() });
        }
        if !text.is_ascii() {
            return Err(KeyError::ApiV3KeyNotAscii);
        }
        let aes = UnboundKey::new(&AES_256_GCM, text.as_bytes())
            .expect("BUG: 32 bytes are the length of an AES-256 key, and any bytes are one");
        Ok(Self(Arc::new(Ciphers {
            aes: LessSafeKey::new(aes),
            #[cfg(feature = "sm")]
            sm4: Sm4Key::derive(text.as_bytes()),
        })))
    }

    /// Decrypts `ciphertext` (base64 of ciphertext and tag; AEAD_AES_256_GCM) in the buffer that base64 was decoded
    /// into.
    ///
    /// Callbacks go through [`crate::VerifiedCallback::open`] and the certificates that `GET /v3/certificates` lists
    /// through [`crate::answer::certificates::open`]; this is for what is neither.
    ///
    /// # Errors
    /// [`OpenError::NonceLength`], [`OpenError::CiphertextNotBase64`], [`OpenError::CiphertextTooShort`],
    /// [`OpenError::WrongKey`].
    pub fn open(&self, nonce: &str, associated_data: &str, ciphertext: &str) -> Result<Vec<u8>, OpenError> {
        self.open_as(AES, nonce, associated_data, ciphertext)
    }

    /// The same with the cipher that WeChat Pay names in `algorithm`: `AEAD_AES_256_GCM`, or with the feature `sm`
    /// `AEAD_SM4_GCM`.
    ///
    /// # Errors
    /// As [`Self::open`], and [`OpenError::UnsupportedAlgorithm`].
    pub fn open_as(
        &self,
        algorithm: &str,
        nonce: &str,
        associated_data: &str,
        ciphertext: &str,
    ) -> Result<Vec<u8>, OpenError> {
        let open = match algorithm {
            AES => Ciphers::open_aes,
            #[cfg(feature = "sm")]
            SM4 => Ciphers::open_sm4,
            other => return Err(OpenError::UnsupportedAlgorithm { algorithm: other.to_owned() }),
        };
        let nonce: [u8; NONCE_LEN] =
            nonce.as_bytes().try_into().map_err(|_| OpenError::NonceLength { bytes: nonce.len() })?;
        let mut buffer = STANDARD.decode(ciphertext).map_err(|_| OpenError::CiphertextNotBase64)?;
        if buffer.len() < TAG_LEN {
            return Err(OpenError::CiphertextTooShort { bytes: buffer.len() });
        }
        open(&self.0, nonce, associated_data.as_bytes(), &mut buffer).ok_or(OpenError::WrongKey)?;
        Ok(buffer)
    }
}

impl Ciphers {
    /// Decrypts in place; the tag goes, the plaintext stays. `None` where the tag does not fit.
    fn open_aes(&self, nonce: [u8; NONCE_LEN], associated_data: &[u8], sealed: &mut Vec<u8>) -> Option<()> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let len = self.aes.open_in_place(nonce, Aad::from(associated_data), sealed).ok()?.len();
        sealed.truncate(len);
        Some(())
    }

    #[cfg(feature = "sm")]
    fn open_sm4(&self, nonce: [u8; NONCE_LEN], associated_data: &[u8], sealed: &mut Vec<u8>) -> Option<()> {
        self.sm4.open(nonce, associated_data, sealed)
    }
}

impl fmt::Debug for ApiV3Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiV3Key([REDACTED])")
    }
}
