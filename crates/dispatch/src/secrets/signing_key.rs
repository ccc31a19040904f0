//! A key that messages are signed with, in the text forms of Standard Webhooks.
//!
//! Invariant: a key that exists can sign. `whsec_` holds a shared secret, `whsk_` an ed25519 key (its seed, then its public
//! half; the seed alone is read too), `whpk_` a public half. `Debug` shows neither.

use std::{fmt, sync::Arc};

use aws_lc_rs::signature::{ED25519_PUBLIC_KEY_LEN, Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand::CryptoRng;
use standardwebhooks::Webhook;

const SHARED_PREFIX: &str = "whsec_";
const PRIVATE_PREFIX: &str = "whsk_";
const PUBLIC_PREFIX: &str = "whpk_";

/// How long an ed25519 seed is.
const SEED_BYTES: usize = 32;

/// A key that messages are signed with.
#[derive(Clone)]
pub struct SigningKey(Kind);

#[derive(Clone)]
enum Kind {
    /// HMAC-SHA256 under a secret that the receiver has as well.
    Shared(Arc<[u8]>),
    /// ed25519: the receiver has the public half.
    Private { seed: [u8; SEED_BYTES], pair: Arc<Ed25519KeyPair> },
}

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA256 (`v1`): the receiver has the same secret.
    Hmac,
    /// ed25519 (`v1a`): the receiver has the public half.
    Ed25519,
}

/// Why a text is no key. It does not repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Another beginning.
    #[error("a signing key begins with whsec_ (HMAC) or whsk_ (ed25519)")]
    Prefix,
    /// The public half.
    #[error(
        "whpk_ is the public half of a key, which the receiver verifies with; signing needs the whsk_ of it"
    )]
    Public,
    /// What follows is no Base64.
    #[error("what follows the key's prefix is not standard Base64 with padding")]
    Base64,
    /// Too short to be secret, or longer than the specification allows.
    #[error(
        "the secret has {bytes} bytes; Standard Webhooks asks for {} to {}",
        SigningKey::SHARED_BYTES_MIN,
        SigningKey::SHARED_BYTES_MAX
    )]
    SharedLength {
        /// How long it is.
        bytes: usize,
    },
    /// Neither a seed nor a seed with its public half.
    #[error(
        "an ed25519 key has 64 bytes (its seed, then its public half) or 32 (the seed alone), not {bytes}"
    )]
    PrivateLength {
        /// How long it is.
        bytes: usize,
    },
    /// The two halves are of two keys.
    #[error("the public half in the ed25519 key is not that of its seed; copy the whole key again")]
    Halves,
}

impl SigningKey {
    /// The shortest secret, in bytes.
    pub const SHARED_BYTES_MIN: usize = 24;
    /// The longest secret, in bytes.
    pub const SHARED_BYTES_MAX: usize = 64;
    /// How long a secret is that is made here.
    const SHARED_BYTES: usize = 32;

    /// Reads `whsec_…` or `whsk_…`.
    ///
    /// # Errors
    /// [`KeyError`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if let Some(text) = text.strip_prefix(SHARED_PREFIX) {
            Self::shared(&decode(text)?)
        } else if let Some(text) = text.strip_prefix(PRIVATE_PREFIX) {
            Self::private(&decode(text)?)
        } else if text.starts_with(PUBLIC_PREFIX) {
            Err(KeyError::Public)
        } else {
            Err(KeyError::Prefix)
        }
    }

    /// Makes a new key.
    pub fn generate(algorithm: Algorithm, random: &mut impl CryptoRng) -> Self {
        // Invariant: both lengths are right, so neither reading fails.
        match algorithm {
            Algorithm::Hmac => {
                let mut secret = [0; Self::SHARED_BYTES];
                random.fill_bytes(&mut secret);
                Self(Kind::Shared(secret.as_slice().into()))
            }
            Algorithm::Ed25519 => {
                let mut seed = [0; SEED_BYTES];
                random.fill_bytes(&mut seed);
                Self::private(&seed).expect("BUG: each 32 bytes are a seed")
            }
        }
    }

    fn shared(secret: &[u8]) -> Result<Self, KeyError> {
        if (Self::SHARED_BYTES_MIN..=Self::SHARED_BYTES_MAX).contains(&secret.len()) {
            Ok(Self(Kind::Shared(secret.into())))
        } else {
            Err(KeyError::SharedLength { bytes: secret.len() })
        }
    }

    fn private(key: &[u8]) -> Result<Self, KeyError> {
        let length = KeyError::PrivateLength { bytes: key.len() };
        let (seed, public) = key.split_first_chunk::<SEED_BYTES>().ok_or(length)?;
        if !matches!(public.len(), 0 | ED25519_PUBLIC_KEY_LEN) {
            return Err(length);
        }
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| length)?;
        if !public.is_empty() && public != pair.public_key().as_ref() {
            return Err(KeyError::Halves);
        }
        Ok(Self(Kind::Private { seed: *seed, pair: Arc::new(pair) }))
    }

    /// How it signs.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            Kind::Shared(_) => Algorithm::Hmac,
            Kind::Private { .. } => Algorithm::Ed25519,
        }
    }

    /// The secret itself: `whsec_…` or `whsk_…`.
    #[must_use]
    pub fn secret_text(&self) -> String {
        match &self.0 {
            Kind::Shared(secret) => format!("{SHARED_PREFIX}{}", STANDARD.encode(secret)),
            Kind::Private { seed, pair } => {
                let key = [seed, pair.public_key().as_ref()].concat();
                format!("{PRIVATE_PREFIX}{}", STANDARD.encode(key))
            }
        }
    }

    /// What everybody may know: `whpk_…`. `None` of a shared secret.
    #[must_use]
    pub fn public_text(&self) -> Option<String> {
        match &self.0 {
            Kind::Shared(_) => None,
            Kind::Private { pair, .. } => {
                Some(format!("{PUBLIC_PREFIX}{}", STANDARD.encode(pair.public_key())))
            }
        }
    }

    /// What the receiver verifies with: the secret itself (`whsec_…`), or the public half (`whpk_…`).
    #[must_use]
    pub fn receivers_text(&self) -> String {
        self.public_text().unwrap_or_else(|| self.secret_text())
    }

    /// One signature, `v1,…` or `v1a,…`, of a message sent at a time (seconds since the epoch).
    pub(crate) fn sign(&self, id: &str, seconds: i64, body: &str) -> String {
        match &self.0 {
            Kind::Shared(secret) => Webhook::from_bytes(secret.to_vec())
                .and_then(|webhook| webhook.sign(id, seconds, body.as_bytes()))
                .expect("BUG: any bytes are a secret, and a str is UTF-8"),
            Kind::Private { pair, .. } => {
                let signature = pair.sign(format!("{id}.{seconds}.{body}").as_bytes());
                format!("v1a,{}", STANDARD.encode(signature))
            }
        }
    }
}

impl PartialEq for SigningKey {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: &[u8], b: &[u8]| aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok();
        match (&self.0, &other.0) {
            (Kind::Shared(a), Kind::Shared(b)) => same(a, b),
            (Kind::Private { seed: a, .. }, Kind::Private { seed: b, .. }) => same(a, b),
            (Kind::Shared(_), Kind::Private { .. }) | (Kind::Private { .. }, Kind::Shared(_)) => false,
        }
    }
}

impl Eq for SigningKey {}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

fn decode(text: &str) -> Result<Vec<u8>, KeyError> {
    STANDARD.decode(text).map_err(|_| KeyError::Base64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;

    #[test]
    fn a_text_is_a_key_or_says_why_not() {
        let text = |prefix: &str, bytes: usize| format!("{prefix}{}", STANDARD.encode(vec![7; bytes]));
        for (text, expected) in [
            (String::new(), Some(KeyError::Prefix)),
            ("C2FVsBQIhrscChlQIMV".to_owned(), Some(KeyError::Prefix)),
            (text("WHSEC_", 32), Some(KeyError::Prefix)),
            (text("whpk_", 32), Some(KeyError::Public)),
            ("whsec_%".to_owned(), Some(KeyError::Base64)),
            ("whsec_".to_owned() + "AAAA\n", Some(KeyError::Base64)),
            (text("whsec_", 23), Some(KeyError::SharedLength { bytes: 23 })),
            (text("whsec_", 24), None),
            (text("whsec_", 64), None),
            (text("whsec_", 65), Some(KeyError::SharedLength { bytes: 65 })),
            (text("whsk_", 0), Some(KeyError::PrivateLength { bytes: 0 })),
            (text("whsk_", 31), Some(KeyError::PrivateLength { bytes: 31 })),
            (text("whsk_", 32), None),
            (text("whsk_", 63), Some(KeyError::PrivateLength { bytes: 63 })),
            (text("whsk_", 64), Some(KeyError::Halves)),
            (text("whsk_", 65), Some(KeyError::PrivateLength { bytes: 65 })),
        ] {
            assert_eq!(SigningKey::parse(&text).err(), expected, "{text}");
        }
    }

    #[test]
    fn generated_keys_differ_and_are_read_back() {
        let mut random = StdRng::seed_from_u64(1);
        for algorithm in [Algorithm::Hmac, Algorithm::Ed25519] {
            let key = SigningKey::generate(algorithm, &mut random);
            assert_eq!(key.algorithm(), algorithm);
            assert_eq!(SigningKey::parse(&key.secret_text()).as_ref(), Ok(&key));
            assert_ne!(SigningKey::generate(algorithm, &mut random), key);
            assert_eq!(format!("{key:?}"), "[REDACTED]");
        }
    }

    #[test]
    fn the_receiver_of_ed25519_learns_the_public_half_alone() {
        let mut random = StdRng::seed_from_u64(1);
        let shared = SigningKey::generate(Algorithm::Hmac, &mut random);
        assert_eq!((shared.public_text(), shared.receivers_text()), (None, shared.secret_text()));
        let private = SigningKey::generate(Algorithm::Ed25519, &mut random);
        let public = private.public_text().expect("a public half");
        assert!(public.starts_with("whpk_") && public == private.receivers_text());
        assert_eq!(SigningKey::parse(&public), Err(KeyError::Public));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(prefix in prop::sample::select(vec!["", "whsec_", "whsk_", "whpk_"]), rest: String) {
            if let Ok(key) = SigningKey::parse(&format!("{prefix}{rest}")) {
                prop_assert_eq!(SigningKey::parse(&key.secret_text()), Ok(key));
            }
        }
    }
}
