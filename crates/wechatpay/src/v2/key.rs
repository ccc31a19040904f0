//! The APIv2 key: it signs, it verifies, and its MD5 opens refund notices.
//!
//! Invariant: 32 ASCII characters, never shown. Deliberately absent: sealing, which only WeChat does.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

use super::OpenError;
use super::sign::hex;
use crate::KeyError;

/// Bytes of the key (WeChat Pay's rule for the merchant platform).
const KEY_LEN: usize = 32;

/// The secret that the merchant sets on the merchant platform for APIv2; 32 ASCII characters. A reset takes effect at
/// once. A clone shares it.
#[derive(Clone)]
pub struct ApiV2Key(Arc<[u8; KEY_LEN]>);

impl ApiV2Key {
    /// Takes the key as the merchant platform was given it.
    ///
    /// # Errors
    /// [`KeyError::ApiV2KeyLength`], [`KeyError::ApiV2KeyNotAscii`].
    pub fn new(text: &str) -> Result<Self, KeyError> {
        let bytes = <[u8; KEY_LEN]>::try_from(text.as_bytes())
            .map_err(|_| KeyError::ApiV2KeyLength { bytes: text.len() })?;
        if !text.is_ascii() {
            return Err(KeyError::ApiV2KeyNotAscii);
        }
        Ok(Self(Arc::new(bytes)))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0[..]
    }

    /// Decrypts a refund notice's `req_info`: base64, then AES-256-ECB with PKCS#7 padding under the lower-case hex
    /// MD5 of this key (WeChat Pay's rule).
    ///
    /// The cipher authenticates nothing; [`super::SealedCallback::open`] is the way to a refund notice.
    ///
    /// # Errors
    /// [`OpenError::NotBase64`], [`OpenError::WrongKey`].
    pub fn open_req_info(&self, req_info: &str) -> Result<String, OpenError> {
        let mut buffer = STANDARD.decode(req_info).map_err(|_| OpenError::NotBase64)?;
        let key = hex(&Md5::digest(self.bytes()), false);
        let key = UnboundCipherKey::new(&AES_256, key.as_bytes())
            .expect("BUG: 32 hex digits are the length of an AES-256 key, and any bytes are one");
        let key = PaddedBlockDecryptingKey::ecb_pkcs7(key)
            .expect("BUG: ECB needs nothing of a key beyond what makes it one of AES-256");
        let plaintext = key.decrypt(&mut buffer, DecryptionContext::None).map_err(|_| OpenError::WrongKey)?;
        let len = plaintext.len();
        buffer.truncate(len);
        String::from_utf8(buffer).map_err(|_| OpenError::WrongKey)
    }
}

impl fmt::Debug for ApiV2Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiV2Key([REDACTED])")
    }
}
