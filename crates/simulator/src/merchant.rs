//! The merchant as WeChat knows it, with the APIv3 key under which notifications for it are sealed.
//!
//! Invariant: a `Merchant` that exists has a usable key. Deliberately absent: the merchant's own RSA key, since the
//! simulator answers no API requests.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::Rng;

use crate::{Error, random};

/// A merchant and its APIv3 key. `Debug` does not show the key.
pub struct Merchant {
    mchid: String,
    appid: String,
    apiv3_key: String,
    sealing_key: LessSafeKey,
}

impl Merchant {
    /// A merchant with the given numbers and key.
    ///
    /// # Errors
    /// [`Error::ApiV3Key`] where the key is not 32 letters and digits.
    pub fn new(
        mchid: impl Into<String>,
        appid: impl Into<String>,
        apiv3_key: impl Into<String>,
    ) -> Result<Self, Error> {
        let apiv3_key = apiv3_key.into();
        let refusal = Error::ApiV3Key { bytes: apiv3_key.len() };
        if !apiv3_key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(refusal);
        }
        let unbound = UnboundKey::new(&AES_256_GCM, apiv3_key.as_bytes()).map_err(|_| refusal)?;
        let sealing_key = LessSafeKey::new(unbound);
        Ok(Self { mchid: mchid.into(), appid: appid.into(), apiv3_key, sealing_key })
    }

    /// A merchant with random numbers (10 digits, `wx` + 16 hex digits) and a random key.
    #[must_use]
    pub fn generate(rng: &mut impl Rng) -> Self {
        let mchid = format!("19{}", random::digits(rng, 8));
        let appid = format!("wx{:016x}", rng.random::<u64>());
        Self::new(mchid, appid, random::alphanumeric(rng, 32)).expect("BUG: 32 letters and digits are a key")
    }

    /// The merchant number.
    #[must_use]
    pub fn mchid(&self) -> &str {
        &self.mchid
    }

    /// The Mini Program's appid.
    #[must_use]
    pub fn appid(&self) -> &str {
        &self.appid
    }

    /// The APIv3 key, for the configuration of the receiver under test.
    #[must_use]
    pub fn apiv3_key(&self) -> &str {
        &self.apiv3_key
    }

    /// AES-256-GCM ciphertext and tag in base64, as in `resource.ciphertext`.
    pub(crate) fn seal(&self, nonce: [u8; 12], associated_data: &str, plaintext: &str) -> String {
        let mut sealed = plaintext.as_bytes().to_vec();
        self.sealing_key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated_data.as_bytes()),
                &mut sealed,
            )
            .expect("BUG: a payment is shorter than the 64 GiB that AES-GCM can seal");
        STANDARD.encode(sealed)
    }
}

impl fmt::Debug for Merchant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Merchant")
            .field("mchid", &self.mchid)
            .field("appid", &self.appid)
            .field("apiv3_key", &"[REDACTED]")
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;

    #[test]
    fn a_key_of_another_length_or_charset_is_refused() {
        for (key, bytes) in
            [("", 0), ("0123456789abcdef0123456789abcde", 31), ("0123456789abcdef0123456789abcd 鍵", 34)]
        {
            assert_eq!(Merchant::new("m", "a", key).unwrap_err(), Error::ApiV3Key { bytes });
        }
    }

    #[test]
    fn debug_hides_the_key() {
        let merchant = Merchant::generate(&mut StdRng::seed_from_u64(1));
        let shown = format!("{merchant:?}");
        assert!(shown.contains("[REDACTED]") && !shown.contains(merchant.apiv3_key()), "{shown}");
    }
}
