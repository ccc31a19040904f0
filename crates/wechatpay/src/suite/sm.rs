//! 国密: SM2 with SM3 (`WECHATPAY2-SM2-WITH-SM3`), SM2 encryption for sensitive fields, SM4-GCM for resources.
//!
//! Signatures and ciphertexts are DER, as WeChat Pay has them (`SEQUENCE{r, s}`, `SEQUENCE{x, y, C3, C2}`). A signature
//! takes its secret number from key and message (RFC 6979), so that signing needs no randomness; encrypting draws it
//! from the operating system, as OAEP does. Deliberately absent: the raw r‖s and C1‖C3‖C2 layouts.

use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aes_gcm::{AesGcm, Nonce};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;
use sm2::dsa::signature::{MultipartVerifier as _, Signer as _};
use sm2::dsa::{Signature, SigningKey, VerifyingKey};
use sm2::elliptic_curve::rand_core::{TryCryptoRng, TryRng};
use sm2::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};
use sm2::pke::{DecryptingKey, EncryptingKey};
use sm3::{Digest as _, Sm3};

use crate::{FieldError, KeyError};

/// The signer's id that goes into every signature (GM/T 0009 §10; WeChat Pay uses this default).
const SIGNER_ID: &str = "1234567812345678";

/// Bytes of an SM4 key.
const SM4_KEY_LEN: usize = 16;

#[derive(Clone)]
pub(crate) struct PublicKey {
    verifying: VerifyingKey,
    encrypting: EncryptingKey,
}

impl PublicKey {
    /// Reads SubjectPublicKeyInfo of an SM2 key.
    pub(super) fn parse(spki: &[u8]) -> Result<Self, KeyError> {
        let key = sm2::PublicKey::from_public_key_der(spki).map_err(|_| KeyError::Malformed)?;
        let verifying = VerifyingKey::new(SIGNER_ID, key).map_err(|_| KeyError::Malformed)?;
        Ok(Self { verifying, encrypting: EncryptingKey::new(key) })
    }

    pub(super) fn verifies(&self, message: &[&[u8]], signature: &[u8]) -> bool {
        Signature::from_der(signature)
            .is_ok_and(|signature| self.verifying.multipart_verify(message, &signature).is_ok())
    }

    pub(super) fn encrypt(&self, plaintext: &[u8]) -> Result<Vec<u8>, FieldError> {
        self.encrypting.encrypt_der(&mut OperatingSystem, plaintext).map_err(|_| FieldError::UnfitKey)
    }
}

pub(crate) struct PrivateKey {
    signing: SigningKey,
    decrypting: DecryptingKey,
}

impl PrivateKey {
    /// Reads PKCS#8 of an SM2 key.
    pub(super) fn parse(pkcs8: &[u8]) -> Result<Self, KeyError> {
        let key = sm2::SecretKey::from_pkcs8_der(pkcs8).map_err(|_| KeyError::Malformed)?;
        let signing = SigningKey::new(SIGNER_ID, &key).map_err(|_| KeyError::Malformed)?;
        Ok(Self { signing, decrypting: DecryptingKey::new(key) })
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self
            .signing
            .try_sign(message)
            .expect("BUG: one key and message in 2^250 or so has no signature (r or s is 0)");
        signature.to_der().to_vec()
    }

    pub(super) fn decrypt(&self, ciphertext: &[u8]) -> Option<Vec<u8>> {
        self.decrypting.decrypt_der(ciphertext).ok()
    }
}

/// Randomness for [`PublicKey::encrypt`], from the source that aws-lc-rs uses for OAEP.
struct OperatingSystem;

impl TryRng for OperatingSystem {
    type Error = Unspecified;

    fn try_next_u32(&mut self) -> Result<u32, Unspecified> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_ne_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Unspecified> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_ne_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Unspecified> {
        rand::fill(bytes)
    }
}

impl TryCryptoRng for OperatingSystem {}

/// AEAD_SM4_GCM: a nonce of 12 bytes, a tag of 16 behind the ciphertext.
pub(crate) struct Sm4Key(AesGcm<sm4::Sm4, U12>);

impl Sm4Key {
    /// The key is the first half of the APIv3 key's SM3 (WeChat Pay's rule).
    pub(crate) fn derive(apiv3_key: &[u8]) -> Self {
        let digest = Sm3::digest(apiv3_key);
        let key = AesGcm::new_from_slice(&digest[..SM4_KEY_LEN]);
        Self(key.expect("BUG: 16 bytes are the length of an SM4 key, and any bytes are one"))
    }

    /// Decrypts in place; the tag goes, the plaintext stays. `None` where the tag does not fit.
    pub(crate) fn open(&self, nonce: [u8; 12], associated_data: &[u8], sealed: &mut Vec<u8>) -> Option<()> {
        self.0.decrypt_in_place(&Nonce::from(nonce), associated_data, sealed).ok()
    }
}
