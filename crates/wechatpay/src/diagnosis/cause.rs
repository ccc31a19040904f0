//! Why a callback was not accepted, and what to do about it.

use std::fmt;

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
            Self::Header(_) => {
                "hand the Wechatpay-* headers on as they came; look at the proxy, gateway or framework in front, and at \
                 how this copy was saved"
            }
            Self::HeaderMissing { .. } => {
                "let the proxy, CDN or WAF in front pass all Wechatpay-* headers; without any of them the request may \
                 not be WeChat Pay's at all"
            }
            Self::HeaderMalformed { .. } => {
                "compare the header with what WeChat Pay sent; a proxy may have cut it, or the request is forged"
            }
            Self::BodyTruncated { .. } => {
                "save the body whole, and look for a limit on bodies in the proxy in front and in what saved this copy"
            }
            Self::SerialAltered { .. } => {
                "find out who writes Wechatpay-Serial on the way and let it pass as it came"
            }
            Self::SignatureTypeAltered { .. } => {
                "find out who writes Wechatpay-Signature-Type on the way and let it pass as it came"
            }
            Self::CertificateExpired { .. } => {
                "download the platform certificates (GET /v3/certificates) or the WeChat Pay public key, and configure \
                 what is valid now"
            }
            Self::GreyPublicKey { .. } => {
                "on the merchant platform, under API security, download the WeChat Pay public key and configure it with \
                 this id beside the certificates: during the switch both sign"
            }
            Self::GreyCertificate { .. } => {
                "download the platform certificates (GET /v3/certificates) and configure them beside the public key until \
                 the switch is at 100 %"
            }
            Self::NewCertificate { .. } => {
                "download the platform certificates (GET /v3/certificates) and configure the new one beside the old one"
            }
            Self::OtherPublicKey { .. } => {
                "compare public_key_id with the merchant platform's; each merchant has one of its own, so that the \
                 callback may be another merchant's"
            }
            Self::SerialNone { .. } => {
                "WeChat Pay sends PUB_KEY_ID_… or hex digits here: something on the way wrote this"
            }
            Self::MerchantKeyAsPlatformKey { .. } => {
                "configure WeChat Pay's public key (pub_key.pem) or platform certificate in its place; \
                 apiclient_cert.pem is the merchant's own, with which WeChat Pay never signs"
            }
            Self::WrongMerchant { .. } | Self::AboutOtherMerchant { .. } => {
                "end the notify_url of that merchant's orders in that merchant's number"
            }
            Self::UnknownMerchant { .. } => {
                "configure that merchant, or mend the notify_url, which ends in the merchant's number"
            }
            Self::SignedInTheFuture { .. } => "set this machine's clock right (NTP): it is slow",
            Self::SignedLongAgo { .. } => {
                "set this machine's clock right if it is fast; else something kept the request and sent it again: WeChat \
                 Pay signs every resend anew, so refusing it loses nothing"
            }
            Self::SignatureProbe => {
                "nothing: it was refused as it should be, and the genuine callback follows on WeChat Pay's retry plan"
            }
            Self::SmSuite => {
                "build with the feature `sm`, or have the merchant's algorithm set back to RSA on the merchant platform"
            }
            Self::OtherSuite { .. } => {
                "configure the key of the merchant's suite, as the merchant platform shows it (RSA, or SM on application)"
            }
            Self::UnknownAlgorithm { .. } => "take a newer version that knows it",
            Self::WrongApiV3Key => {
                "the APIv3 key was reset on the merchant platform, or mistyped, or is another merchant's, or is the APIv2 \
                 key: set it anew there and configure the same; it cannot be read back"
            }
            Self::ApiV2KeyInPlace => "let the APIv3 key and the APIv2 key change places in the configuration",
            Self::NotANotification { .. } => {
                "keep it and report it: WeChat Pay signed something that is not as documented"
            }
            Self::ApiV2KeyMissing => {
                "configure the merchant's APIv2 key; or have WeChat Pay tell by APIv3: a refund without notify_url is told \
                 in APIv2 if the merchant platform has a URL for it"
            }
            Self::SignMalformed { .. } => {
                "compare the notice with what WeChat Pay sent; whatever has no good sign is not to be believed"
            }
            Self::WrongApiV2Key => {
                "the APIv2 key was reset on the merchant platform, or mistyped, or is another merchant's, or is the APIv3 \
                 key: set it anew there and configure the same"
            }
            Self::NoneFound => {
                "capture the request as it leaves the outermost proxy and compare it with this; if it comes from nobody \
                 you know, it is forged, and refusing it is right"
            }
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
        | BodyChange::BomDropped => {
            "an editor or a log may have done that to this copy alone; if the server refused it as well, verify over the \
             bytes as they came, before anything reads them as text"
        }
        BodyChange::ReadAsLatin1 | BodyChange::ReadAsWindows1252 | BodyChange::CharsetConverted => {
            "verify over the bytes as they came; whoever needs text reads them as UTF-8, whatever Content-Type says"
        }
        BodyChange::FormDecoded
        | BodyChange::FormField
        | BodyChange::PercentEncoded
        | BodyChange::JsonString
        | BodyChange::HtmlEscaped => {
            "verify over the bytes as they came: take the raw body, not a form, a parameter or a line of a log"
        }
        BodyChange::JsonBlanks
        | BodyChange::JsonSlashes
        | BodyChange::JsonUnicode
        | BodyChange::JsonHtml
        | BodyChange::JsonOrder => {
            "verify over the bytes as they came, before anything parses them; look for a framework, gateway or WAF that \
             reads JSON and writes it anew"
        }
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
