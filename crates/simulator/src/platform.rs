//! WeChat's side of the signature, in public-key mode: an RSA-2048 key pair, its `PUB_KEY_ID_…` and its PEM.
//!
//! Deliberately absent: platform certificates; new merchants get none.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use wechatpay::UnixSeconds;

use crate::{Error, SignedCallback};

/// Columns of base64 in a PEM file (RFC 7468 §2).
const PEM_COLUMNS: usize = 64;

/// WeChat Pay as a signer. May sign on many threads at once.
pub struct Platform {
    key_pair: KeyPair,
    public_key_id: String,
    public_key_pem: String,
}

impl Platform {
    /// A platform with a fresh key pair.
    ///
    /// # Errors
    /// [`Error::KeyGeneration`] where the crypto library has no randomness or memory.
    pub fn generate() -> Result<Self, Error> {
        let key_pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| Error::KeyGeneration)?;
        let spki = key_pair.public_key().as_der().map_err(|_| Error::KeyGeneration)?;
        let public_key_id = key_id(spki.as_ref());
        let public_key_pem = pem(spki.as_ref());
        Ok(Self { key_pair, public_key_id, public_key_pem })
    }

    /// `PUB_KEY_ID_` and digits: the value of `Wechatpay-Serial`.
    #[must_use]
    pub fn public_key_id(&self) -> &str {
        &self.public_key_id
    }

    /// What a merchant downloads as `pub_key.pem`: a SubjectPublicKeyInfo in PEM.
    #[must_use]
    pub fn public_key_pem(&self) -> &str {
        &self.public_key_pem
    }

    /// Signs a body with SHA256-RSA2048 over timestamp, nonce and body.
    #[must_use]
    pub fn sign(&self, body: Bytes, timestamp: UnixSeconds, nonce: String) -> SignedCallback {
        let timestamp = timestamp.0.to_string();
        let message = wechatpay::callback_message(&timestamp, &nonce, &body);
        let mut signature = vec![0; self.key_pair.public_modulus_len()];
        self.key_pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &message, &mut signature)
            .expect("BUG: the key was generated for signing and the buffer is as long as its modulus");
        SignedCallback {
            timestamp,
            nonce,
            signature: STANDARD.encode(signature),
            serial: self.public_key_id.clone(),
            body,
        }
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform")
            .field("public_key_id", &self.public_key_id)
            .field("key_pair", &"[REDACTED]")
            .finish_non_exhaustive()
    }
}

/// An id that belongs to the key: 34 digits like WeChat's, from the key's hash.
fn key_id(spki: &[u8]) -> String {
    let hash = digest(&SHA256, spki);
    let digits: String = hash.as_ref().iter().map(|byte| char::from(b'0' + byte % 10)).collect();
    format!("PUB_KEY_ID_01{digits}")
}

fn pem(spki: &[u8]) -> String {
    let mut text = String::from("-----BEGIN PUBLIC KEY-----\n");
    for (column, character) in STANDARD.encode(spki).chars().enumerate() {
        if column > 0 && column % PEM_COLUMNS == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str("\n-----END PUBLIC KEY-----\n");
    text
}
