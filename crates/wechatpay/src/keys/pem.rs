//! What is in a PEM file, before it is used: which kind of block, which algorithm, how many bits.
//!
//! Invariant: key material is not in any error. Deliberately absent: files of several blocks.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaParameters};
use x509_cert::der::asn1::{ObjectIdentifier, OctetStringRef, UintRef};
use x509_cert::der::{Decode as _, Reader, SliceReader, pem};
use x509_cert::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use crate::KeyError;

/// rsaEncryption (RFC 8017, appendix A.1).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// One PEM block by its kind; the bytes are DER.
pub(super) enum Block {
    Certificate(Vec<u8>),
    PublicKey(Vec<u8>),
    PrivateKey(Vec<u8>),
    /// PKCS#1, as `openssl rsa -traditional` writes it.
    RsaPrivateKey(Vec<u8>),
}

/// Reads the one block of a PEM file; blank space around it is allowed.
pub(super) fn decode(text: &str) -> Result<Block, KeyError> {
    let (label, der) = pem::decode_vec(text.trim().as_bytes()).map_err(|_| KeyError::NotPem)?;
    match label {
        "CERTIFICATE" => Ok(Block::Certificate(der)),
        "PUBLIC KEY" => Ok(Block::PublicKey(der)),
        "PRIVATE KEY" => Ok(Block::PrivateKey(der)),
        "RSA PRIVATE KEY" => Ok(Block::RsaPrivateKey(der)),
        "ENCRYPTED PRIVATE KEY" => Err(KeyError::EncryptedPrivateKey),
        "EC PRIVATE KEY" => Err(KeyError::NotRsa),
        other => Err(KeyError::UnexpectedPem { label: other.to_owned() }),
    }
}

/// Whether SubjectPublicKeyInfo holds an RSA key of a usable size.
pub(super) fn check_public_key(spki: &[u8]) -> Result<(), KeyError> {
    let spki = SubjectPublicKeyInfoRef::from_der(spki).map_err(|_| KeyError::Malformed)?;
    if spki.algorithm.oid != RSA {
        return Err(KeyError::NotRsa);
    }
    let key = spki.subject_public_key.as_bytes().ok_or(KeyError::Malformed)?;
    check_bits(RsaParameters::public_modulus_len(key).map_err(|_| KeyError::Malformed)?)
}

/// The PKCS#1 key within PKCS#8.
pub(super) fn rsa_in_pkcs8(der: &[u8]) -> Result<&[u8], KeyError> {
    let (algorithm, key) = SliceReader::new(der)
        .and_then(|mut reader| {
            reader.sequence(|fields| {
                let _version: u8 = fields.decode()?;
                let algorithm: AlgorithmIdentifierRef<'_> = fields.decode()?;
                let key: OctetStringRef<'_> = fields.decode()?;
                // Attributes may follow (RFC 5958 §2).
                while !fields.is_finished() {
                    fields.tlv_bytes()?;
                }
                Ok((algorithm, key.as_bytes()))
            })
        })
        .map_err(|_| KeyError::Malformed)?;
    if algorithm.oid == RSA { Ok(key) } else { Err(KeyError::NotRsa) }
}

/// Whether a PKCS#1 private key has a usable size.
pub(super) fn check_private_key(pkcs1: &[u8]) -> Result<(), KeyError> {
    let bits = SliceReader::new(pkcs1)
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
        .map_err(|_| KeyError::Malformed)?;
    check_bits(bits)
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
