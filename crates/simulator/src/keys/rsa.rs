//! An RSA-2048 key pair: signs, and opens sensitive fields.
//!
//! Deliberately absent: what it is for and whose it is.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pem::{EncodeConfig, LineEnding, Pem};

use crate::Error;

/// A key pair. May sign on many threads at once.
pub(crate) struct RsaKey {
    signing: KeyPair,
    decrypting: OaepPrivateDecryptingKey,
    pkcs8: Vec<u8>,
    spki: Vec<u8>,
}

impl RsaKey {
    pub(crate) fn generate() -> Result<Self, Error> {
        let key_pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| Error::KeyGeneration)?;
        let pkcs8: Pkcs8V1Der<'_> = key_pair.as_der().map_err(|_| Error::KeyGeneration)?;
        Self::from_pkcs8(pkcs8.as_ref()).ok_or(Error::KeyGeneration)
    }

    /// Reads what [`Self::private_pem`] wrote.
    pub(crate) fn from_private_pem(text: &str) -> Result<Self, Error> {
        let pem = pem::parse(text).ok().filter(|pem| pem.tag() == "PRIVATE KEY");
        pem.and_then(|pem| Self::from_pkcs8(pem.contents())).ok_or(Error::KeptKey)
    }

    fn from_pkcs8(pkcs8: &[u8]) -> Option<Self> {
        let signing = KeyPair::from_pkcs8(pkcs8).ok()?;
        let decrypting = PrivateDecryptingKey::from_pkcs8(pkcs8).ok()?;
        let decrypting = OaepPrivateDecryptingKey::new(decrypting).ok()?;
        let spki: PublicKeyX509Der<'_> = signing.public_key().as_der().ok()?;
        let spki = spki.as_ref().to_vec();
        Some(Self { signing, decrypting, pkcs8: pkcs8.to_vec(), spki })
    }

    /// PKCS#8.
    pub(crate) fn private_pem(&self) -> String {
        to_pem("PRIVATE KEY", &self.pkcs8)
    }

    /// SubjectPublicKeyInfo.
    pub(crate) fn public_pem(&self) -> String {
        to_pem("PUBLIC KEY", &self.spki)
    }

    /// Decimal digits that belong to the key: of its hash.
    pub(crate) fn fingerprint_digits(&self) -> String {
        let hash = digest(&SHA256, &self.spki);
        hash.as_ref().iter().map(|byte| char::from(b'0' + byte % 10)).collect()
    }

    /// SHA256-RSA2048 over the message, in base64.
    pub(crate) fn sign(&self, message: &[u8]) -> String {
        let mut signature = vec![0; self.signing.public_modulus_len()];
        // PKCS#1 v1.5 is deterministic; the library asks for a source of randomness and does not use it.
        self.signing
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .expect("BUG: the key is one for signing and the buffer is as long as its modulus");
        STANDARD.encode(signature)
    }

    /// Opens a sensitive field (base64 of RSAES-OAEP with SHA-1). `None` where it was not sealed for this key.
    pub(crate) fn decrypt(&self, ciphertext: &str) -> Option<String> {
        let ciphertext = STANDARD.decode(ciphertext).ok()?;
        let mut plaintext = vec![0; self.decrypting.min_output_size()];
        let opened = self.decrypting.decrypt(&OAEP_SHA1_MGF1SHA1, &ciphertext, &mut plaintext, None);
        String::from_utf8(opened.ok()?.to_vec()).ok()
    }
}

fn to_pem(label: &str, der: &[u8]) -> String {
    pem::encode_config(&Pem::new(label, der), EncodeConfig::new().set_line_ending(LineEnding::LF))
}
