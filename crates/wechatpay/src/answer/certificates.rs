//! `GET /v3/certificates`: WeChat Pay's platform certificates, each encrypted with the merchant's APIv3 key.
//!
//! Invariant: keys come only out of an answer that one of the known keys, or of those found in it, signed. The first
//! download knows none, and during a change WeChat signs this answer with the new certificate: hence the certificates
//! are decrypted first, which proves that they are WeChat's (nobody else has the APIv3 key), and may then prove the
//! answer. Deliberately absent: what the JSON says about each certificate (serial and times, written in several ways in
//! WeChat Pay's own samples), since the certificate says it itself; asking, and when to ask again.

use std::borrow::Cow;

use serde::Deserialize;

use super::Answer;
use crate::{ApiV3Key, KeyError, OpenError, PlatformKey, PlatformKeys, Suite, UnixSeconds, VerifyError};

/// Path and query to ask for the certificates of a suite. It is signed like any request; at least every 12 hours (WeChat
/// Pay's rule), and where a serial is not known.
#[must_use]
pub const fn path(suite: Suite) -> &'static str {
    match suite {
        Suite::Rsa => "/v3/certificates",
        Suite::Sm => "/v3/certificates?algorithm_type=SM2",
    }
}

/// The answer gives no keys. Those that were known stay as good as they were.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificatesError {
    /// Not 200. A merchant who has a WeChat Pay public key and no certificates is answered 404.
    #[error(
        "the certificates were not given (HTTP {status}); a merchant without any uses WeChat Pay's public key"
    )]
    NotGiven {
        /// The HTTP status.
        status: u16,
    },
    /// The body is not the JSON of a list of certificates.
    #[error("the answer is not a list of certificates: {0}")]
    Malformed(#[source] serde_json::Error),
    /// A certificate cannot be decrypted; most often the APIv3 key is wrong or was reset.
    #[error("a certificate does not open: {0}")]
    Sealed(#[from] OpenError),
    /// What was decrypted is not a certificate that can be used.
    #[error("a decrypted certificate cannot be used: {0}")]
    Unusable(#[from] KeyError),
    /// There is no certificate, or none of a suite that this build has.
    #[error("the answer holds no certificate for this build; 国密 needs the feature `sm`")]
    NoneFound,
    /// Signed by none of the known keys and none of those found, or at another time.
    #[error("the list of certificates is not proven to come from WeChat Pay: {0}")]
    Unverified(#[from] VerifyError),
}

#[derive(Deserialize)]
struct Listing<'a> {
    #[serde(borrow)]
    data: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    encrypt_certificate: Sealed<'a>,
}

#[derive(Deserialize)]
struct Sealed<'a> {
    #[serde(borrow)]
    algorithm: Cow<'a, str>,
    #[serde(borrow)]
    nonce: Cow<'a, str>,
    #[serde(borrow)]
    associated_data: Option<Cow<'a, str>>,
    #[serde(borrow)]
    ciphertext: Cow<'a, str>,
}

/// Takes the certificates out of an answer and proves it, by the keys known so far (none, at the first download) or
/// those in it. Certificates of a suite that this build does not have are passed over, and so is one that cannot be used
/// beside one that can: a new kind of certificate must not take away the keys that verify today. Some of those returned
/// may not have started yet, or have expired: [`PlatformKeys`] minds that.
///
/// # Errors
/// [`CertificatesError`]; in each case, keep the keys that are known. An APIv3 key that does not open one of them is an
/// error whatever the others are.
pub fn open(
    answer: Answer<'_>,
    known: &PlatformKeys,
    apiv3_key: &ApiV3Key,
    now: UnixSeconds,
) -> Result<Vec<PlatformKey>, CertificatesError> {
    let status = answer.status();
    if status != 200 {
        return Err(CertificatesError::NotGiven { status });
    }
    let unverified: Listing<'_> =
        serde_json::from_slice(answer.signed.unverified_body).map_err(CertificatesError::Malformed)?;
    let (mut found, mut unusable) = (Vec::with_capacity(unverified.data.len()), None);
    for entry in unverified.data {
        match open_one(&entry.encrypt_certificate, apiv3_key) {
            Ok(opened) => found.extend(opened),
            Err(CertificatesError::Sealed(error)) if error.is_key_fault() => return Err(error.into()),
            Err(error) => unusable = unusable.or(Some(error)),
        }
    }
    if found.is_empty() {
        return Err(unusable.unwrap_or(CertificatesError::NoneFound));
    }
    // Order matters: of two keys with one serial, the known one proves.
    let proving = PlatformKeys::new(found.iter().chain(known.iter()).cloned());
    answer.verify(&proving, now)?;
    Ok(found)
}

/// `None` for a certificate of a suite that this build does not have.
fn open_one(sealed: &Sealed<'_>, apiv3_key: &ApiV3Key) -> Result<Option<PlatformKey>, CertificatesError> {
    let associated_data = sealed.associated_data.as_deref().unwrap_or_default();
    let opened = apiv3_key.open_as(&sealed.algorithm, &sealed.nonce, associated_data, &sealed.ciphertext);
    let pem = match opened {
        Err(OpenError::UnsupportedAlgorithm { .. }) => return Ok(None),
        opened => String::from_utf8(opened?).map_err(|_| OpenError::PlaintextNotUtf8)?,
    };
    match PlatformKey::from_certificate_pem(&pem) {
        Err(KeyError::SmNotBuilt) => Ok(None),
        parsed => Ok(Some(parsed?)),
    }
}
