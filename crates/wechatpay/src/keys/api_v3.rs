//! The merchant's APIv3 key, with which WeChat encrypts the resource of a callback and platform certificates.
//!
//! AEAD_AES_256_GCM: the key's 32 bytes, a nonce of 12, a tag of 16 behind the ciphertext. Invariant: a nonce of any
//! other length is refused before the cipher sees it. Deliberately absent: sealing, which only WeChat does.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{KeyError, OpenError};

/// Bytes of the key (AES-256).
const KEY_LEN: usize = 32;

/// The secret that the merchant sets on the merchant platform; 32 ASCII characters. A clone shares it.
#[derive(Clone)]
pub struct ApiV3Key(Arc<LessSafeKey>);

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
        let key = UnboundKey::new(&AES_256_GCM, text.as_bytes())
            .expect("BUG: 32 bytes are the length of an AES-256 key, and any bytes are one");
        Ok(Self(Arc::new(LessSafeKey::new(key))))
    }

    /// Decrypts `ciphertext` (base64 of ciphertext and tag) in the buffer that base64 was decoded into.
    ///
    /// Callbacks go through [`crate::VerifiedCallback::open`]; this is for the certificates that
    /// `GET /v3/certificates` lists, which nothing but this key proves.
    ///
    /// # Errors
    /// [`OpenError::NonceLength`], [`OpenError::CiphertextNotBase64`], [`OpenError::CiphertextTooShort`],
    /// [`OpenError::WrongKey`].
    pub fn open(&self, nonce: &str, associated_data: &str, ciphertext: &str) -> Result<Vec<u8>, OpenError> {
        let nonce: [u8; NONCE_LEN] =
            nonce.as_bytes().try_into().map_err(|_| OpenError::NonceLength { bytes: nonce.len() })?;
        let mut buffer = STANDARD.decode(ciphertext).map_err(|_| OpenError::CiphertextNotBase64)?;
        if buffer.len() < AES_256_GCM.tag_len() {
            return Err(OpenError::CiphertextTooShort { bytes: buffer.len() });
        }
        let nonce = Nonce::assume_unique_for_key(nonce);
        let plaintext = self
            .0
            .open_in_place(nonce, Aad::from(associated_data.as_bytes()), &mut buffer)
            .map_err(|_| OpenError::WrongKey)?;
        let len = plaintext.len();
        buffer.truncate(len);
        Ok(buffer)
    }
}

impl fmt::Debug for ApiV3Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiV3Key([REDACTED])")
    }
}
