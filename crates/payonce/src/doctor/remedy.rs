//! What to do about what WeChat Pay, or somebody in its place, answered. Each error says itself what it is.
//!
//! Careful with the APIv3 key: whoever sets a new one makes callbacks that are on their way unreadable. It is advised only
//! where the key itself is at fault, and then as the last resort.

use wechatpay::VerifyError;
use wechatpay::answer::{ApiError, certificates::CertificatesError};
use wechatpay_client::{ClientError, RefreshError, Unknown};

pub(super) const KEEP_TIME: &str = "keep this machine's time by NTP (chrony, systemd-timesyncd)";

const AGAIN: &str = "see wechat_host above, then try again";

const NEWER: &str = "take a newer payonce: WeChat Pay answers in a way that this one does not know";

const BETWEEN: &str = "look for a proxy that answers in WeChat Pay's place, or changes its answers";

/// Of a list of certificates that was not had.
pub(super) fn of_refresh(error: &RefreshError) -> &'static str {
    match error {
        RefreshError::NoCertificates => {
            "download the public key from the merchant platform, and configure it with its id under platform_keys"
        }
        RefreshError::Call(error) => of_call(error),
        RefreshError::Certificates(error) => of_certificates(error),
        _ => AGAIN,
    }
}

fn of_certificates(error: &CertificatesError) -> &'static str {
    match error {
        CertificatesError::Sealed(error) if error.is_key_fault() => {
            "configure under apiv3_key_file the APIv3 key that is set at the merchant platform now; only if nobody has \
             it any more, set a new one there and configure the same here"
        }
        CertificatesError::Sealed(_) | CertificatesError::Unusable(_) => NEWER,
        CertificatesError::NotGiven { .. } | CertificatesError::Malformed(_) => BETWEEN,
        CertificatesError::NoneFound => {
            "build payonce with the feature `sm` if this merchant uses 国密; else configure WeChat Pay's public key"
        }
        CertificatesError::Unverified(error) => of_proof(error),
        _ => NEWER,
    }
}

/// Of a call that has no answer.
pub(super) fn of_call(error: &ClientError) -> &'static str {
    match error {
        ClientError::Refused(error) => of_code(error, "look the code up in the docs of WeChat Pay"),
        ClientError::Unknown(Unknown::Undecided(error)) => of_code(error, AGAIN),
        ClientError::Unknown(Unknown::Unsigned(_)) => {
            "look for a proxy that answers in WeChat Pay's place, or takes the headers Wechatpay-* away"
        }
        ClientError::Unknown(Unknown::Unproven(error)) => of_proof(error),
        ClientError::Unknown(Unknown::AboutAnother { .. }) => BETWEEN,
        ClientError::Unreadable(_) => NEWER,
        _ => AGAIN,
    }
}

fn of_code(error: &ApiError, otherwise: &'static str) -> &'static str {
    error.hint().map_or(otherwise, |hint| hint.fix)
}

/// Of an answer that is not proven.
fn of_proof(error: &VerifyError) -> &'static str {
    match error {
        VerifyError::SignatureProbe => "WeChat Pay tests for wrong signatures, twice in a row: run it again",
        VerifyError::StaleTimestamp { .. } => KEEP_TIME,
        VerifyError::UnknownSerial { .. } => {
            "configure under platform_keys the public key of this id, or the certificate of this serial"
        }
        VerifyError::OtherSuite { .. } | VerifyError::MalformedSignature | VerifyError::SignatureMismatch => {
            "download WeChat Pay's public key (or certificate) anew from the merchant platform, and see that id and file \
             belong together; else look for a proxy that changes answers"
        }
        VerifyError::UnsupportedSignatureType { .. } => NEWER,
    }
}

/// Whether it is WeChat Pay's test of whether signatures are verified: ask once more.
pub(super) fn is_probe(error: &ClientError) -> bool {
    matches!(error, ClientError::Unknown(Unknown::Unproven(VerifyError::SignatureProbe)))
}

/// The same of a list of certificates.
pub(super) fn is_probe_of_refresh(error: &RefreshError) -> bool {
    match error {
        RefreshError::Call(error) => is_probe(error),
        RefreshError::Certificates(CertificatesError::Unverified(VerifyError::SignatureProbe)) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use wechatpay::{KeyError, OpenError, UnixSeconds};

    use super::*;

    /// A new APIv3 key makes callbacks unreadable that are on their way.
    #[test]
    fn a_new_apiv3_key_is_advised_only_where_the_key_is_at_fault() {
        let (timestamp, now) = (UnixSeconds(0), UnixSeconds(300));
        for (error, said) in [
            (CertificatesError::Sealed(OpenError::WrongKey), "set at the merchant platform now"),
            (CertificatesError::Sealed(OpenError::PlaintextNotUtf8), "newer payonce"),
            (CertificatesError::Unusable(KeyError::NotRsa), "newer payonce"),
            (CertificatesError::NotGiven { status: 302 }, "proxy"),
            (CertificatesError::NoneFound, "`sm`"),
            (VerifyError::SignatureProbe.into(), "run it again"),
            (VerifyError::StaleTimestamp { timestamp, now }.into(), "NTP"),
            (
                VerifyError::UnknownSerial { serial: "PUB_KEY_ID_1".to_owned() }.into(),
                "public key of this id",
            ),
            (VerifyError::SignatureMismatch.into(), "id and file belong together"),
        ] {
            let is_key_fault = matches!(&error, CertificatesError::Sealed(error) if error.is_key_fault());
            let error = RefreshError::from(error);
            let remedy = of_refresh(&error);
            assert!(remedy.contains(said), "{error}: {remedy}");
            assert_eq!(remedy.contains("APIv3 key"), is_key_fault, "{error}: {remedy}");
        }
    }

    #[test]
    fn a_test_of_whether_signatures_are_verified_is_asked_past() {
        let probe = || VerifyError::SignatureProbe;
        assert!(is_probe(&Unknown::Unproven(probe()).into()));
        assert!(is_probe_of_refresh(&CertificatesError::from(probe()).into()));
        assert!(is_probe_of_refresh(&RefreshError::Call(Unknown::Unproven(probe()).into())));
        assert!(!is_probe(&Unknown::Unproven(VerifyError::SignatureMismatch).into()));
        assert!(!is_probe_of_refresh(&RefreshError::NoCertificates));
    }
}
