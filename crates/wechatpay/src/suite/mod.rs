//! The two suites of algorithms that APIv3 has, and keys of either: RSA with AES, and 国密, SM2 with SM4.
//!
//! Invariant: a key that exists can be used, and its suite was read from the key itself. Deliberately absent: files and
//! PEM, which are `keys`'; trust.

mod private;
mod public;
mod rsa;
#[cfg(feature = "sm")]
mod sm;

use std::fmt;

use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::spki::AlgorithmIdentifierRef;

use crate::KeyError;

pub(crate) use private::PrivateKey;
pub(crate) use public::PublicKey;
#[cfg(feature = "sm")]
pub(crate) use sm::Sm4Key;

/// rsaEncryption (RFC 8017, appendix A.1).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// id-ecPublicKey (RFC 5480 §2.1.1); its parameter names the curve.
const ELLIPTIC_CURVE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// The curve sm2p256v1 (GM/T 0006).
const SM2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.301");

/// Which algorithms a key is for. A merchant has one suite: every key of theirs, and of WeChat Pay's for them, is of it.
///
/// | | RSA | 国密 |
/// |---|---|---|
/// | [`scheme`](Self::scheme) | `WECHATPAY2-SHA256-RSA2048` | `WECHATPAY2-SM2-WITH-SM3` |
/// | signatures | RSASSA-PKCS1-v1_5 with SHA-256 | SM2 with SM3, in DER, signer `1234567812345678` |
/// | resources, certificates | `AEAD_AES_256_GCM`: the APIv3 key | `AEAD_SM4_GCM`: half of the APIv3 key's SM3 |
/// | sensitive fields | RSAES-OAEP with SHA-1 | SM2 encryption, C1C3C2 in DER |
/// | certificates at | `/v3/certificates` | `/v3/certificates?algorithm_type=SM2` |
///
/// Nothing has to be told which suite it is: a key knows, and a callback whose `Wechatpay-Signature-Type` is of the other
/// suite than its key is refused ([`crate::VerifyError::OtherSuite`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Suite {
    /// RSA and AES: nearly every merchant.
    Rsa,
    /// 国密, SM2 to SM4: on application. Without the feature `sm` there is no key of it.
    Sm,
}

impl Suite {
    /// Its name on the wire: the scheme of `Authorization` and the value of `Wechatpay-Signature-Type`.
    #[must_use]
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Rsa => "WECHATPAY2-SHA256-RSA2048",
            Self::Sm => "WECHATPAY2-SM2-WITH-SM3",
        }
    }

    /// The suite that a `Wechatpay-Signature-Type` names, where this build has it. Without the header it is RSA (WeChat
    /// Pay's rule).
    pub(crate) fn of_signature_type(signature_type: Option<&str>) -> Option<Self> {
        match signature_type {
            None => Some(Self::Rsa),
            Some(named) if named == Self::Rsa.scheme() => Some(Self::Rsa),
            Some(named) if cfg!(feature = "sm") && named == Self::Sm.scheme() => Some(Self::Sm),
            Some(_) => None,
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme())
    }
}

/// The suite of a key, by what X.509 or PKCS#8 says about it.
fn suite_of(algorithm: AlgorithmIdentifierRef<'_>) -> Result<Suite, KeyError> {
    let curve = || algorithm.parameters.and_then(|named| named.decode_as::<ObjectIdentifier>().ok());
    if algorithm.oid == RSA {
        Ok(Suite::Rsa)
    } else if algorithm.oid == ELLIPTIC_CURVE && curve() == Some(SM2) {
        Ok(Suite::Sm)
    } else {
        Err(KeyError::NotRsa)
    }
}
