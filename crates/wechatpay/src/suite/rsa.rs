//! RSA: RSASSA-PKCS1-v1_5 with SHA-256 (`WECHATPAY2-SHA256-RSA2048`), and RSAES-OAEP with SHA-1 for sensitive fields.
//!
//! Invariant: 2048 to 8192 bits. The library blinds and pads with randomness of its own; a signature is the same each
//! time nonetheless. Verifying is the hottest path of a server: the digest goes over the parts as they lie.

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    KeyPair, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
    PublicEncryptingKey,
};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaParameters};
use x509_cert::der::asn1::UintRef;
use x509_cert::der::{Decode as _, Reader as _, SliceReader};
use x509_cert::spki::SubjectPublicKeyInfoRef;

use crate::{FieldError, KeyError};

#[derive(Clone)]
pub(crate) struct PublicKey {
    verifying: ParsedPublicKey,
    encrypting: PublicEncryptingKey,
}

impl PublicKey {
    /// Reads SubjectPublicKeyInfo of an RSA key.
    pub(super) fn parse(spki: &[u8]) -> Result<Self, KeyError> {
        let info = SubjectPublicKeyInfoRef::from_der(spki).map_err(|_| KeyError::Malformed)?;
        let pkcs1 = info.subject_public_key.as_bytes().ok_or(KeyError::Malformed)?;
        check_bits(RsaParameters::public_modulus_len(pkcs1).map_err(|_| KeyError::Malformed)?)?;
        Ok(Self {
            verifying: ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, spki)
                .map_err(|_| KeyError::Malformed)?,
            encrypting: PublicEncryptingKey::from_der(spki).map_err(|_| KeyError::Malformed)?,
        })
    }

    pub(super) fn verifies(&self, message: &[&[u8]], signature: &[u8]) -> bool {
        let mut context = Context::new(&SHA256);
        for part in message {
            context.update(part);
        }
        self.verifying.verify_digest_sig(&context.finish(), signature).is_ok()
    }

    pub(super) fn encrypt(&self, plaintext: &[u8]) -> Result<Vec<u8>, FieldError> {
        let key = OaepPublicEncryptingKey::new(self.encrypting.clone()).map_err(|_| FieldError::UnfitKey)?;
        let (bytes, bytes_max) = (plaintext.len(), key.max_plaintext_size(&OAEP_SHA1_MGF1SHA1));
        if bytes > bytes_max {
            return Err(FieldError::TooLong { bytes, bytes_max });
        }
        let mut ciphertext = vec![0; key.ciphertext_size()];
        let sealed = key.encrypt(&OAEP_SHA1_MGF1SHA1, plaintext, &mut ciphertext, None);
        let len = sealed.map_err(|_| FieldError::UnfitKey)?.len();
        ciphertext.truncate(len);
        Ok(ciphertext)
    }
}

pub(crate) struct PrivateKey {
    signing: KeyPair,
    decrypting: OaepPrivateDecryptingKey,
}

impl PrivateKey {
    /// Reads PKCS#1.
    pub(super) fn parse(pkcs1: &[u8]) -> Result<Self, KeyError> {
        check_bits(private_bits(pkcs1)?)?;
        let signing = KeyPair::from_der(pkcs1).map_err(|_| KeyError::Malformed)?;
        let pkcs8 = signing.as_der().map_err(|_| KeyError::Malformed)?;
        let decrypting = PrivateDecryptingKey::from_pkcs8(pkcs8.as_ref()).map_err(|_| KeyError::Malformed)?;
        let decrypting = OaepPrivateDecryptingKey::new(decrypting).map_err(|_| KeyError::Malformed)?;
        Ok(Self { signing, decrypting })
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.signing.public_modulus_len()];
        // PKCS#1 v1.5 is deterministic; the library asks for a source of randomness and does not use it.
        self.signing.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).expect(
            "BUG: the key was checked when it was parsed, and the signature is as long as its modulus",
        );
        signature
    }

    pub(super) fn decrypt(&self, ciphertext: &[u8]) -> Option<Vec<u8>> {
        let mut plaintext = vec![0; self.decrypting.min_output_size()];
        let opened = self.decrypting.decrypt(&OAEP_SHA1_MGF1SHA1, ciphertext, &mut plaintext, None);
        let len = opened.ok()?.len();
        plaintext.truncate(len);
        Some(plaintext)
    }
}

/// Bits of a PKCS#1 private key's modulus.
fn private_bits(pkcs1: &[u8]) -> Result<u32, KeyError> {
    SliceReader::new(pkcs1)
        .and_then(|mut reader| {
            reader.sequence(|fields| {
                let _version: u8 = fields.decode()?;
                let modulus: UintRef<'_> = fields.decode()?;
                while !fields.is_finished() {
                    fields.tlv_bytes()?;
                }
                let leading = modulus.as_bytes().first().map_or(0, |byte| byte.leading_zeros());
                Ok(u32::from(modulus.len()) * u8::BITS - leading)
            })
        })
        .map_err(|_| KeyError::Malformed)
}

fn check_bits(bits: u32) -> Result<(), KeyError> {
    if bits < RSA_PKCS1_2048_8192_SHA256.min_modulus_len() {
        return Err(KeyError::TooShort { bits });
    }
    if bits > RSA_PKCS1_2048_8192_SHA256.max_modulus_len() {
        return Err(KeyError::TooLong { bits });
    }
    Ok(())
}
