//! Which kind of block a PEM file holds. What is in the block is for `suite` and `certificate` to say.
//!
//! Invariant: key material is not in any error. Deliberately absent: files of several blocks.

use x509_cert::der::pem;

use crate::KeyError;

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
        other => Err(KeyError::UnexpectedPem { label: shown(other).to_owned() }),
    }
}

/// A label as errors may show it. Where the lines of a file were joined or cut, a piece of the key may stand in its place.
fn shown(label: &str) -> &str {
    const LABEL_BYTES_MAX: usize = 23;
    let is_label = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ';
    match label.len() <= LABEL_BYTES_MAX && label.bytes().all(is_label) {
        true => label,
        false => "(unreadable)",
    }
}
