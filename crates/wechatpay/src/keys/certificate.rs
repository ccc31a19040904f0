//! What a certificate says: serial, validity, key, and for a merchant's, whose it is.
//!
//! Deliberately absent: the issuer and its signature. A platform certificate is trusted since the APIv3 key decrypted it
//! or the merchant configured it; the merchant's own is only held against the merchant's own key.

use std::fmt;

use x509_cert::Certificate;
use x509_cert::der::asn1::{ObjectIdentifier, PrintableStringRef, TeletexStringRef, Utf8StringRef};
use x509_cert::der::{Any, Decode as _, Encode as _};
use x509_cert::name::Name;
use x509_cert::time::Time;

use super::pem::{self, Block};
use super::{MerchantKey, Serial};
use crate::suite::{PublicKey, Suite};
use crate::{KeyError, UnixSeconds};

/// id-at-commonName (RFC 5280, appendix A.1).
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// Digits of a merchant number (WeChat Pay's limit).
const MCHID_LEN_MAX: usize = 32;

/// Signed to see whether two keys are a pair. It is no request and no payment.
const PAIR_PROBE: &[u8] = b"do these keys belong together?";

/// The parts of a certificate that are used here.
pub(super) struct Parts {
    pub(super) serial: Serial,
    pub(super) starts: UnixSeconds,
    pub(super) expires: UnixSeconds,
    pub(super) key: PublicKey,
    /// The subject's common name, where that is a merchant number: it is a merchant's then, and not WeChat Pay's.
    pub(super) mchid: Option<String>,
}

/// Reads the PEM file of a certificate. `instead` is what is wrong where the file is a key.
pub(super) fn parse(text: &str, instead: KeyError) -> Result<Parts, KeyError> {
    let Block::Certificate(der) = pem::decode(text)? else { return Err(instead) };
    let certificate = Certificate::from_der(&der).map_err(|_| KeyError::Malformed)?.tbs_certificate;
    let spki = certificate.subject_public_key_info.to_der().map_err(|_| KeyError::Malformed)?;
    Ok(Parts {
        serial: Serial::from_certificate(certificate.serial_number.as_bytes()),
        starts: seconds(certificate.validity.not_before)?,
        expires: seconds(certificate.validity.not_after)?,
        key: PublicKey::parse(&spki)?,
        mchid: mchid(&certificate.subject),
    })
}

fn seconds(time: Time) -> Result<UnixSeconds, KeyError> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs());
    seconds.map(UnixSeconds).map_err(|_| KeyError::Malformed)
}

/// The merchant's API certificate (`apiclient_cert.pem`): public, and only good for checking the private key by it.
///
/// ```
/// # let keys: serde_json::Value = serde_json::from_str(include_str!("../../tests/vectors/keys.json"))?;
/// # let text = |field: &str| keys["merchant"][field].as_str().unwrap_or_default();
/// # let (certificate_pem, private_pem) = (text("certificate_pem"), text("private_pem"));
/// use wechatpay::{MerchantCertificate, MerchantKey};
///
/// let certificate = MerchantCertificate::from_pem(certificate_pem)?;
/// let key = MerchantKey::from_pkcs8_pem(certificate.serial().as_str(), private_pem)?;
/// assert!(certificate.matches(&key));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct MerchantCertificate {
    serial: Serial,
    starts: UnixSeconds,
    expires: UnixSeconds,
    key: PublicKey,
    mchid: Option<String>,
}

impl MerchantCertificate {
    /// Reads `apiclient_cert.pem`.
    ///
    /// # Errors
    /// Where the file is anything but a certificate with a key of a known suite.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let Parts { serial, starts, expires, key, mchid } =
            parse(pem, KeyError::KeyInsteadOfMerchantCertificate)?;
        Ok(Self { serial, starts, expires, key, mchid })
    }

    /// `serial_no` in the `Authorization` header.
    #[must_use]
    pub fn serial(&self) -> &Serial {
        &self.serial
    }

    /// The first second in which it is valid.
    #[must_use]
    pub fn starts(&self) -> UnixSeconds {
        self.starts
    }

    /// The last second in which it is valid; 5 years after its start. WeChat Pay then refuses the merchant's requests.
    #[must_use]
    pub fn expires(&self) -> UnixSeconds {
        self.expires
    }

    /// Whose it is: the subject's common name, where that is a merchant number.
    #[must_use]
    pub fn mchid(&self) -> Option<&str> {
        self.mchid.as_deref()
    }

    /// The suite of its key.
    #[must_use]
    pub fn suite(&self) -> Suite {
        self.key.suite()
    }

    /// Whether this certificate and the private key are a pair: it verifies what the key signs. The serial that the
    /// key was given is not compared.
    #[must_use]
    pub fn matches(&self, key: &MerchantKey) -> bool {
        self.key.verifies(&[PAIR_PROBE], &key.sign_raw(PAIR_PROBE))
    }
}

impl fmt::Debug for MerchantCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MerchantCertificate")
            .field("serial", &self.serial)
            .field("mchid", &self.mchid)
            .field("starts", &self.starts)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// The common name, where it is a merchant number.
fn mchid(subject: &Name) -> Option<String> {
    let attributes = subject.0.iter().flat_map(|name| name.0.iter());
    let mut names = attributes.filter(|attribute| attribute.oid == COMMON_NAME);
    let name = text(&names.next()?.value)?;
    let is_mchid =
        (1..=MCHID_LEN_MAX).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_digit());
    is_mchid.then(|| name.to_owned())
}

/// A name in the encodings that hold digits as ASCII.
fn text(value: &Any) -> Option<&str> {
    let printable = || value.decode_as::<PrintableStringRef<'_>>().map(|text| text.as_str()).ok();
    let utf8 = || value.decode_as::<Utf8StringRef<'_>>().map(|text| text.as_str()).ok();
    let teletex = || value.decode_as::<TeletexStringRef<'_>>().map(|text| text.as_str()).ok();
    printable().or_else(utf8).or_else(teletex)
}
