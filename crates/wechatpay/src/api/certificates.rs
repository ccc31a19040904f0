//! `GET /v3/certificates`: the platform's certificates, encrypted. Deliberately absent: decrypting them.

use serde::Deserialize;

use super::wire::{Target, text};
use super::{Call, Operation, wire};
use crate::answer::AnswerError;

/// Which kind of certificates is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CertificateAlgorithm {
    /// RSA, WeChat Pay's default.
    Rsa,
    /// SM2 (国密).
    Sm2,
    /// Both.
    All,
}

/// Asks for the platform's certificates. Merchants that only have WeChat Pay's public key are answered 404
/// `RESOURCE_NOT_EXISTS`. While certificates change, the answer is signed by the newer one: decrypt the certificates,
/// whose encryption proves their origin, before the signature is verified with them.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListCertificates {
    algorithm: Option<CertificateAlgorithm>,
}

impl ListCertificates {
    /// Of the default kind.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Of this kind.
    #[must_use]
    pub fn algorithm(self, algorithm: CertificateAlgorithm) -> Self {
        Self { algorithm: Some(algorithm) }
    }
}

impl Call for ListCertificates {
    type Answer = Certificates;

    fn method(&self) -> &'static str {
        "GET"
    }

    fn path_and_query(&self) -> String {
        let algorithm = self.algorithm.map(|algorithm| match algorithm {
            CertificateAlgorithm::Rsa => "RSA",
            CertificateAlgorithm::Sm2 => "SM2",
            CertificateAlgorithm::All => "ALL",
        });
        Target::new("/v3/certificates").query_optional("algorithm_type", algorithm).finish()
    }

    fn operation(&self) -> Operation {
        Operation::Query
    }

    fn read(&self, body: &[u8]) -> Result<Certificates, AnswerError> {
        wire::read(body)
    }
}

/// The platform's certificates.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Certificates {
    /// Usually one, two around a change.
    pub data: Vec<SealedCertificate>,
}

/// One certificate of the platform's, encrypted under the APIv3 key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SealedCertificate {
    /// Its serial. The decrypted certificate's own counts.
    #[serde(default, deserialize_with = "text")]
    pub serial_no: Option<String>,
    /// From when, RFC 3339 with offset.
    #[serde(default, deserialize_with = "text")]
    pub effective_time: Option<String>,
    /// Until when, RFC 3339 with offset. The decrypted certificate's own counts.
    #[serde(default, deserialize_with = "text")]
    pub expire_time: Option<String>,
    /// The certificate.
    pub encrypt_certificate: EncryptedCertificate,
}

/// A certificate's PEM under AES-256-GCM or SM4-GCM.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct EncryptedCertificate {
    /// `AEAD_AES_256_GCM` or `AEAD_SM4_GCM`.
    pub algorithm: String,
    /// 12 characters.
    pub nonce: String,
    /// `certificate`; may be absent.
    #[serde(default, deserialize_with = "text")]
    pub associated_data: Option<String>,
    /// Base64 of ciphertext and tag.
    pub ciphertext: String,
}
