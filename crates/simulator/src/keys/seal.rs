//! The merchant's APIv3 key as WeChat uses it: to seal notices and certificates.
//!
//! Invariant: a key that exists has 32 letters and digits. `Debug` does not show it.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::Rng;

use crate::{Error, random};

/// Bytes of AES-GCM's nonce, which WeChat sends as that many ASCII characters.
const NONCE_BYTES: usize = 12;

/// Characters of an APIv3 key.
const KEY_CHARS: usize = 32;

/// An APIv3 key.
pub struct SealingKey {
    text: String,
    key: LessSafeKey,
}

/// `nonce` and `ciphertext` of a resource.
pub(crate) struct Sealed {
    pub(crate) nonce: String,
    /// Ciphertext and tag in base64.
    pub(crate) ciphertext: String,
}

impl SealingKey {
    /// Takes a key as a merchant would set it.
    ///
    /// # Errors
    /// [`Error::ApiV3Key`] where it is not 32 letters and digits.
    pub fn new(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        let refusal = Error::ApiV3Key { bytes: text.len() };
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(refusal);
        }
        let unbound = UnboundKey::new(&AES_256_GCM, text.as_bytes()).map_err(|_| refusal)?;
        Ok(Self { text, key: LessSafeKey::new(unbound) })
    }

    /// A random key.
    #[must_use]
    pub fn generate(rng: &mut impl Rng) -> Self {
        Self::new(random::alphanumeric(rng, KEY_CHARS)).expect("BUG: 32 letters and digits are a key")
    }

    /// The key, for the configuration of the receiver under test.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// AEAD_AES_256_GCM under a fresh nonce.
    pub(crate) fn seal(&self, associated_data: &str, plaintext: &str, rng: &mut impl Rng) -> Sealed {
        let nonce = random::alphanumeric(rng, NONCE_BYTES);
        let nonce_bytes: [u8; NONCE_BYTES] =
            nonce.as_bytes().try_into().expect("BUG: letters and digits have one byte each");
        let mut sealed = plaintext.as_bytes().to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce_bytes),
                Aad::from(associated_data.as_bytes()),
                &mut sealed,
            )
            .expect("BUG: what is sealed is shorter than the 64 GiB that AES-GCM can seal");
        Sealed { nonce, ciphertext: STANDARD.encode(sealed) }
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_another_length_or_charset_is_refused() {
        for (key, bytes) in
            [("", 0), ("0123456789abcdef0123456789abcde", 31), ("0123456789abcdef0123456789abcd 鍵", 34)]
        {
            assert_eq!(SealingKey::new(key).unwrap_err(), Error::ApiV3Key { bytes });
        }
    }
}
