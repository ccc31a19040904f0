//! Why a callback was not accepted, and what to do about it.

use std::fmt;

use super::remedy;
use super::{BodyChange, HeaderChange};

/// One reason. [`Display`](fmt::Display) says what happened, [`remedy`](Self::remedy) what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The body was changed: undoing it, the signature fits.
    Body(BodyChange),
    /// The headers were changed: undoing it, the signature fits.
    Header(HeaderChange),
    /// A header is not there.
    HeaderMissing {
        /// Which, one of [`crate::headers::ALL`].
        header: &'static str,
    },
    /// A header is there, but is none.
    HeaderMalformed {
        /// What is wrong with it.
        problem: String,
    },
    /// The request announced more body than there is.
    BodyTruncated {
        /// Bytes that `Content-Length` says.
        announced: u64,
        /// Bytes that there are.
        bytes: usize,
    },
    /// Another configured key signed it: the serial is not the one that WeChat Pay sent.
    SerialAltered {
        /// The serial that came, if any.
        named: Option<String>,
        /// The serial of the key that signed.
        signed_by: String,
    },
    /// The header that names the algorithm is not the one that WeChat Pay sent: the key that signed is of another.
    SignatureTypeAltered {
        /// The algorithm that it names.
        named: String,
    },
    /// A certificate goes by the serial, but it has expired.
    CertificateExpired {
        /// Its serial.
        serial: String,
        /// Its last second, Unix time.
        expired: i64,
        /// Whether it signed this callback all the same, which WeChat Pay does not do.
        signed: bool,
    },
    /// A public key signed, and only certificates are configured: WeChat Pay's grey switch to the public key.
    GreyPublicKey {
        /// The id of the key.
        serial: String,
    },
    /// A certificate signed, and only public keys are configured: the switch has not come to its end, or was turned back.
    GreyCertificate {
        /// The serial of the certificate.
        serial: String,
    },
    /// A certificate signed that is not among the configured ones: WeChat Pay changes its certificate.
    NewCertificate {
        /// Its serial.
        serial: String,
    },
    /// A public key signed that is not among the configured ones.
    OtherPublicKey {
        /// Its id.
        serial: String,
    },
    /// The serial is neither a public key's id nor a certificate's.
    SerialNone {
        /// What came.
        serial: String,
    },
    /// The configured platform key is the merchant's own.
    MerchantKeyAsPlatformKey {
        /// Under which serial it is configured.
        serial: String,
    },
    /// Another configured merchant's keys verify or open it.
    WrongMerchant {
        /// Whose it is.
        mchid: String,
    },
    /// No merchant of the number in its path is configured.
    UnknownMerchant {
        /// The number.
        mchid: String,
    },
    /// What it says is about another merchant, whose keys are not needed to say so.
    AboutOtherMerchant {
        /// The merchant that it names.
        mchid: String,
    },
    /// The signature fits; it was received more than 300 s before it was signed.
    SignedInTheFuture {
        /// By how many seconds.
        seconds: u64,
    },
    /// The signature fits; it was received more than 300 s after it was signed.
    SignedLongAgo {
        /// By how many seconds.
        seconds: u64,
    },
    /// It is a probe.
    SignatureProbe,
    /// SM2 signatures, or resources in SM4.
    SmSuite,
    /// The key that goes by the serial is one of the other suite.
    OtherSuite {
        /// Which suite signed, and which the key is of.
        problem: String,
    },
    /// An algorithm that nobody here knows.
    UnknownAlgorithm {
        /// Its name.
        algorithm: String,
    },
    /// The APIv3 key does not open it, nor does any other that is configured.
    WrongApiV3Key,
    /// The APIv2 key opens it: the two stand in each other's place.
    ApiV2KeyInPlace,
    /// It is signed, but not a notification as documented.
    NotANotification {
        /// What is wrong with it.
        problem: String,
    },
    /// A notice of APIv2, and no APIv2 key to check it with.
    ApiV2KeyMissing,
    /// The `sign` of a notice of APIv2 is missing or is none.
    SignMalformed {
        /// What is wrong with it.
        problem: String,
    },
    /// The APIv2 key neither signed nor opens a notice of APIv2, nor does any other that is configured.
    WrongApiV2Key,
    /// None of the known causes.
    NoneFound,
}

impl Cause {
    /// A stable name for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Body(change) => change.code(),
            Self::Header(change) => change.code(),
            Self::HeaderMissing { .. } => "header_missing",
            Self::HeaderMalformed { .. } => "header_malformed",
            Self::BodyTruncated { .. } => "body_truncated",
            Self::SerialAltered { .. } => "serial_altered",
            Self::SignatureTypeAltered { .. } => "signature_type_altered",
            Self::CertificateExpired { .. } => "certificate_expired",
            Self::GreyPublicKey { .. } => "grey_public_key",
            Self::GreyCertificate { .. } => "grey_certificate",
            Self::NewCertificate { .. } => "new_certificate",
            Self::OtherPublicKey { .. } => "other_public_key",
            Self::SerialNone { .. } => "serial_malformed",
            Self::MerchantKeyAsPlatformKey { .. } => "merchant_key_as_platform_key",
            Self::WrongMerchant { .. } => "wrong_merchant",
            Self::UnknownMerchant { .. } => "unknown_merchant",
            Self::AboutOtherMerchant { .. } => "about_other_merchant",
            Self::SignedInTheFuture { .. } => "signed_in_the_future",
            Self::SignedLongAgo { .. } => "signed_long_ago",
            Self::SignatureProbe => "signature_probe",
            Self::SmSuite => "sm_suite",
            Self::OtherSuite { .. } => "other_suite",
            Self::UnknownAlgorithm { .. } => "unknown_algorithm",
            Self::WrongApiV3Key => "wrong_apiv3_key",
            Self::ApiV2KeyInPlace => "apiv2_key_in_place",
            Self::NotANotification { .. } => "not_a_notification",
            Self::ApiV2KeyMissing => "apiv2_key_missing",
            Self::SignMalformed { .. } => "sign_malformed",
            Self::WrongApiV2Key => "wrong_apiv2_key",
            Self::NoneFound => "none_found",
        }
    }

    /// Whether it is certain: something verified or opened that otherwise does not, or the callback itself says so.
    /// The others are what such a callback most often means.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        !matches!(
            self,
            Self::GreyPublicKey { .. }
                | Self::GreyCertificate { .. }
                | Self::NewCertificate { .. }
                | Self::OtherPublicKey { .. }
                | Self::WrongApiV3Key
                | Self::WrongApiV2Key
                | Self::NoneFound
        )
    }

    /// What to do.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Body(change) => body_remedy(*change),
            Self::Header(_) => remedy::HEADERS_AS_THEY_CAME,
            Self::HeaderMissing { .. } => remedy::HEADER_MISSING,
            Self::HeaderMalformed { .. } => remedy::HEADER_MALFORMED,
            Self::BodyTruncated { .. } => remedy::BODY_TRUNCATED,
            Self::SerialAltered { .. } => remedy::SERIAL_ALTERED,
            Self::SignatureTypeAltered { .. } => remedy::SIGNATURE_TYPE_ALTERED,
            Self::CertificateExpired { .. } => remedy::CERTIFICATE_EXPIRED,
            Self::GreyPublicKey { .. } => remedy::GREY_PUBLIC_KEY,
            Self::GreyCertificate { .. } => remedy::GREY_CERTIFICATE,
            Self::NewCertificate { .. } => remedy::NEW_CERTIFICATE,
            Self::OtherPublicKey { .. } => remedy::OTHER_PUBLIC_KEY,
            Self::SerialNone { .. } => remedy::SERIAL_NONE,
            Self::MerchantKeyAsPlatformKey { .. } => remedy::MERCHANT_KEY_AS_PLATFORM_KEY,
            Self::WrongMerchant { .. } | Self::AboutOtherMerchant { .. } => remedy::MERCHANTS_NUMBER_IN_URL,
            Self::UnknownMerchant { .. } => remedy::UNKNOWN_MERCHANT,
            Self::SignedInTheFuture { .. } => remedy::SIGNED_IN_THE_FUTURE,
            Self::SignedLongAgo { .. } => remedy::SIGNED_LONG_AGO,
            Self::SignatureProbe => remedy::SIGNATURE_PROBE,
            Self::SmSuite => remedy::SM_SUITE,
            Self::OtherSuite { .. } => remedy::OTHER_SUITE,
            Self::UnknownAlgorithm { .. } => remedy::UNKNOWN_ALGORITHM,
            Self::WrongApiV3Key => remedy::WRONG_API_V3_KEY,
            Self::ApiV2KeyInPlace => remedy::API_V2_KEY_IN_PLACE,
            Self::NotANotification { .. } => remedy::NOT_A_NOTIFICATION,
            Self::ApiV2KeyMissing => remedy::API_V2_KEY_MISSING,
            Self::SignMalformed { .. } => remedy::SIGN_MALFORMED,
            Self::WrongApiV2Key => remedy::WRONG_API_V2_KEY,
            Self::NoneFound => remedy::NONE_FOUND,
        }
    }
}

fn body_remedy(change: BodyChange) -> &'static str {
    match change {
        BodyChange::NewlineAdded
        | BodyChange::NewlineDropped
        | BodyChange::BlanksAdded
        | BodyChange::LineEndsToCrLf
        | BodyChange::LineEndsToLf
        | BodyChange::BomAdded
        | BodyChange::BomDropped => remedy::BODY_ENDS,
        BodyChange::ReadAsLatin1 | BodyChange::ReadAsWindows1252 | BodyChange::CharsetConverted => {
            remedy::BODY_CHARSET
        }
        BodyChange::FormDecoded
        | BodyChange::FormField
        | BodyChange::PercentEncoded
        | BodyChange::JsonString
        | BodyChange::HtmlEscaped => remedy::BODY_RAW,
        BodyChange::JsonBlanks
        | BodyChange::JsonSlashes
        | BodyChange::JsonUnicode
        | BodyChange::JsonHtml
        | BodyChange::JsonOrder => remedy::BODY_JSON,
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(change) => change.fmt(f),
            Self::Header(change) => change.fmt(f),
            Self::HeaderMissing { header } => write!(f, "the header {header} is missing"),
            Self::HeaderMalformed { problem } => f.write_str(problem),
            Self::BodyTruncated { announced, bytes } => {
                write!(f, "the body was cut: Content-Length says {announced} bytes, there are {bytes}")
            }
            Self::SerialAltered { named: Some(named), signed_by } => write!(
                f,
                "the header wechatpay-serial was altered: it says {named:?}, but the key {signed_by} signed"
            ),
            Self::SerialAltered { named: None, signed_by } => {
                write!(f, "the header wechatpay-serial is gone: the key {signed_by} signed")
            }
            Self::SignatureTypeAltered { named } => {
                write!(f, "the header wechatpay-signature-type was altered: it says {named:?}, but the key of another one fits")
            }
            Self::CertificateExpired { serial, expired, signed } => {
                let also = if *signed { "; it did sign this" } else { "" };
                write!(f, "the certificate {serial} expired at {expired} (Unix seconds){also}")
            }
            Self::GreyPublicKey { serial } => write!(
                f,
                "WeChat Pay signed with its public key {serial:?}, and only certificates are configured: its switch to \
                 the public key has begun"
            ),
            Self::GreyCertificate { serial } => write!(
                f,
                "WeChat Pay signed with a certificate, {serial:?}, and only public keys are configured: its switch to the \
                 public key is not at its end, or was turned back"
            ),
            Self::NewCertificate { serial } => {
                write!(f, "the certificate {serial:?} is not configured: WeChat Pay changes its certificate")
            }
            Self::OtherPublicKey { serial } => write!(f, "the public key {serial:?} is not configured"),
            Self::SerialNone { serial } => write!(f, "{serial:?} is no serial"),
            Self::MerchantKeyAsPlatformKey { serial } => write!(
                f,
                "the key that is configured as WeChat Pay's under {serial} is the merchant's own API certificate or key"
            ),
            Self::WrongMerchant { mchid } => write!(f, "the keys of merchant {mchid} fit: it is that merchant's"),
            Self::UnknownMerchant { mchid } => write!(f, "no merchant {mchid:?} is configured"),
            Self::AboutOtherMerchant { mchid } => write!(f, "it tells of a payment to merchant {mchid:?}"),
            Self::SignedInTheFuture { seconds } => {
                write!(f, "it was signed {seconds} s after it was received (299 s are allowed)")
            }
            Self::SignedLongAgo { seconds } => {
                write!(f, "it was signed {seconds} s before it was received (299 s are allowed)")
            }
            Self::SignatureProbe => f.write_str("WeChat Pay tests by a deliberately wrong signature whether it is verified"),
            Self::SmSuite => f.write_str("it uses the SM suite (SM2 with SM3, or SM4), which this build does not have"),
            Self::OtherSuite { problem } => f.write_str(problem),
            Self::UnknownAlgorithm { algorithm } => write!(f, "it uses {algorithm:?}, which is not known here"),
            Self::WrongApiV3Key => f.write_str("the APIv3 key does not open what WeChat Pay signed"),
            Self::ApiV2KeyInPlace => f.write_str("the key that is configured as APIv2's opens it"),
            Self::NotANotification { problem } => f.write_str(problem),
            Self::ApiV2KeyMissing => f.write_str("the body is XML, a notice of APIv2, and no APIv2 key is configured"),
            Self::SignMalformed { problem } => f.write_str(problem),
            Self::WrongApiV2Key => f.write_str("the APIv2 key does not fit"),
            Self::NoneFound => f.write_str(
                "none of the known changes makes the signature fit: the body or a header was changed otherwise, or it is \
                 forged",
            ),
        }
    }
}
