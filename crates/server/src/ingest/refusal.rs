//! Why a callback is not acknowledged, and the one table that says with which status.

use axum::http::StatusCode;
use payonce_core::{NotApplied, StoreError};
use wechatpay::{HeaderError, OpenError, VerifyError, v2};

use super::Shed;

/// Why a callback is not acknowledged. WeChat sends it again after each of these.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The path names a merchant that is not configured.
    #[error("no merchant {path_merchant:?} is configured; the notify_url ends in the mchid")]
    UnknownMerchant {
        /// As sent.
        path_merchant: String,
    },
    /// The notification is about another merchant than the path says.
    #[error("the path names merchant {path}, the notification is for {named}")]
    OtherMerchant {
        /// The merchant in the path.
        path: String,
        /// The merchant in the notification.
        named: String,
    },
    /// Something else than a POST.
    #[error("callbacks are sent by POST")]
    WrongMethod,
    /// More than the limit.
    #[error("the body is larger than {} bytes", super::CALLBACK_BYTES_MAX)]
    BodyTooLarge,
    /// The connection broke while the body was read.
    #[error("the body did not arrive")]
    BodyLost,
    /// Signature headers that are absent, doubled or malformed.
    #[error("{0}")]
    Headers(#[from] HeaderError),
    /// Not proven to be WeChat's.
    #[error("{0}")]
    Unverified(#[from] VerifyError),
    /// WeChat's, but unreadable. Of what opens and is not as documented, only payments come here.
    #[error("{0}")]
    Unopened(#[from] OpenError),
    /// APIv2: not its XML.
    #[error("{0}")]
    Xml(#[from] v2::XmlError),
    /// APIv2: the merchant has no key to verify with.
    #[error("no APIv2 key is configured for this merchant: name its file by apiv2_key_file")]
    NoApiV2Key,
    /// APIv2: not signed by one who knows the key.
    #[error("{0}")]
    Unsigned(#[from] v2::SignError),
    /// APIv2: a refund notice that our key does not open. Nothing else would prove it, so it is not kept for later.
    #[error("{0}")]
    Sealed(#[from] v2::OpenError),
    /// APIv2: verified, but not what WeChat Pay documents.
    #[error("{0}")]
    Fields(#[from] v2::FieldError),
    /// APIv2: an unsigned word that something failed.
    #[error("return_code is FAIL: nothing is stated")]
    FailureNotice,
    /// WeChat's and open, but an identifier in it is not one.
    #[error("the notification does not make sense: {0}")]
    Senseless(#[from] payonce_core::ids::IdError),
    /// Too much waits already.
    #[error("too many callbacks are waiting for the database")]
    Overloaded,
    /// The budget was over before the body had come.
    #[error("the body did not arrive within the time that WeChat allows")]
    BodyTooSlow,
    /// Not done within the budget.
    #[error("it could not be committed within the time that WeChat allows")]
    TooSlow,
    /// The database did not take it.
    #[error("it could not be committed: {0}")]
    NotStored(std::sync::Arc<StoreError>),
    /// An effect of the merchant's failed, so that nothing of it was committed. Why is kept, and not WeChat's to know.
    #[error("the merchant's own part of the transaction failed")]
    EffectFailed,
    /// The server is going down.
    #[error("the server is shutting down")]
    ShuttingDown,
}

impl From<NotApplied> for Refusal {
    fn from(not_applied: NotApplied) -> Self {
        match not_applied {
            NotApplied::Store(error) => Self::NotStored(std::sync::Arc::new(error)),
            NotApplied::Effects(_) => Self::EffectFailed,
        }
    }
}

impl From<Shed> for Refusal {
    fn from(shed: Shed) -> Self {
        match shed {
            Shed::QueueFull => Self::Overloaded,
            Shed::Closed => Self::ShuttingDown,
        }
    }
}

impl Refusal {
    /// The status to answer with (design: "Answers to WeChat").
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Headers(_) => StatusCode::UNAUTHORIZED,
            Self::Unverified(error) => match error {
                VerifyError::UnsupportedSignatureType { .. } => StatusCode::BAD_REQUEST,
                VerifyError::SignatureProbe
                | VerifyError::StaleTimestamp { .. }
                | VerifyError::UnknownSerial { .. }
                | VerifyError::OtherSuite { .. }
                | VerifyError::MalformedSignature
                | VerifyError::SignatureMismatch => StatusCode::UNAUTHORIZED,
            },
            // Our key is at fault: stored, and applied once the key is mended.
            Self::Unopened(error) if error.is_key_fault() => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unsigned(_) | Self::Sealed(v2::OpenError::NotBase64 | v2::OpenError::WrongKey) => {
                StatusCode::UNAUTHORIZED
            }
            Self::NoApiV2Key => StatusCode::INTERNAL_SERVER_ERROR,
            Self::UnknownMerchant { .. }
            | Self::OtherMerchant { .. }
            | Self::Xml(_)
            | Self::Sealed(_)
            | Self::Fields(_)
            | Self::FailureNotice
            | Self::BodyLost
            | Self::Unopened(_)
            | Self::Senseless(_) => StatusCode::BAD_REQUEST,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTooSlow
            | Self::Overloaded
            | Self::TooSlow
            | Self::NotStored(_)
            | Self::EffectFailed
            | Self::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// One word for the database and the metrics.
    pub(crate) fn verdict(&self) -> &'static str {
        match self {
            Self::UnknownMerchant { .. } => "unknown_merchant",
            Self::OtherMerchant { .. } => "other_merchant",
            Self::WrongMethod => "wrong_method",
            Self::BodyTooLarge => "body_too_large",
            Self::BodyLost => "body_lost",
            Self::Headers(_) => "headers",
            Self::Unverified(error) => match error {
                VerifyError::SignatureProbe => "signature_probe",
                VerifyError::StaleTimestamp { .. } => "stale_timestamp",
                VerifyError::UnknownSerial { .. } => "unknown_serial",
                VerifyError::UnsupportedSignatureType { .. } => "unsupported_signature_type",
                VerifyError::OtherSuite { .. } => "other_suite",
                VerifyError::MalformedSignature => "malformed_signature",
                VerifyError::SignatureMismatch => "signature_mismatch",
            },
            Self::Unopened(error) if error.is_key_fault() => "wrong_apiv3_key",
            Self::Unopened(_) => "malformed_notification",
            Self::Xml(_) => "malformed_xml",
            Self::NoApiV2Key => "no_apiv2_key",
            Self::Unsigned(v2::SignError::Missing) => "missing_sign",
            Self::Unsigned(v2::SignError::Mismatch) => "sign_mismatch",
            Self::Unsigned(_) => "malformed_sign",
            Self::Sealed(v2::OpenError::Malformed(_)) | Self::Fields(_) => "malformed_notification",
            Self::Sealed(_) => "wrong_apiv2_key",
            Self::FailureNotice => "failure_notice",
            Self::Senseless(_) => "senseless_notification",
            Self::Overloaded => "overloaded",
            Self::BodyTooSlow => "body_too_slow",
            Self::TooSlow => "too_slow",
            Self::NotStored(_) => "not_stored",
            Self::EffectFailed => "effect_failed",
            Self::ShuttingDown => "shutting_down",
        }
    }

    /// Whether it was proved to be WeChat's and may be read later, so that it is kept whole, where no forgery gets: once
    /// our key is mended, or by a payonce that knows what WeChat has changed.
    pub(crate) fn may_be_read_later(&self) -> bool {
        self.is_key_fault() || matches!(self, Self::Unopened(OpenError::ResourceMalformed { .. }))
    }

    /// Whether our own APIv3 key is at fault.
    pub(crate) fn is_key_fault(&self) -> bool {
        matches!(self, Self::Unopened(error) if error.is_key_fault())
    }

    /// Whether the callback is worth keeping: what the sender got wrong is, what we could not do is not (WeChat
    /// sends that again, unchanged).
    pub(crate) fn worth_keeping(&self) -> bool {
        self.status() != StatusCode::SERVICE_UNAVAILABLE
            && !matches!(self, Self::BodyLost | Self::WrongMethod)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use payonce_core::{NotificationId, StoreError, store::Unavailability};
    use wechatpay::{Suite, UnixSeconds};

    use super::*;

    fn not_json() -> serde_json::Error {
        serde_json::from_str::<u8>("{").expect_err("it is none")
    }

    fn text() -> String {
        "x".to_owned()
    }

    /// Each refusal with its status, its verdict, and whether the callback is kept among the rejected.
    #[track_caller]
    fn check<const N: usize>(table: [(Refusal, u16, &str, bool); N]) {
        for (refusal, status, verdict, kept) in table {
            assert!((400..600).contains(&status), "any other is an acknowledgement, or none of ours");
            let found = (refusal.status().as_u16(), refusal.verdict(), refusal.worth_keeping());
            assert_eq!(found, (status, verdict, kept), "{refusal:?}");
        }
    }

    #[test]
    fn table_of_what_is_sent_wrongly() {
        use HeaderError as H;
        use Refusal as R;
        use VerifyError as V;
        let header = "wechatpay-nonce";
        let (timestamp, now) = (UnixSeconds(0), UnixSeconds(300));
        let (serial, signature_type) = (text(), text());
        check([
            (R::UnknownMerchant { path_merchant: text() }, 400, "unknown_merchant", true),
            (R::OtherMerchant { path: text(), named: text() }, 400, "other_merchant", true),
            (R::WrongMethod, 405, "wrong_method", false),
            (R::BodyTooLarge, 413, "body_too_large", true),
            (R::BodyLost, 400, "body_lost", false),
            (H::Missing { header }.into(), 401, "headers", true),
            (H::Repeated { header }.into(), 401, "headers", true),
            (H::Empty { header }.into(), 401, "headers", true),
            (H::Oversized { header, len: 2, len_max: 1 }.into(), 401, "headers", true),
            (H::NotAscii { header }.into(), 401, "headers", true),
            (H::MalformedTimestamp.into(), 401, "headers", true),
            (V::SignatureProbe.into(), 401, "signature_probe", true),
            (V::StaleTimestamp { timestamp, now }.into(), 401, "stale_timestamp", true),
            (V::UnknownSerial { serial }.into(), 401, "unknown_serial", true),
            (V::UnsupportedSignatureType { signature_type }.into(), 400, "unsupported_signature_type", true),
            (
                V::OtherSuite { serial: text(), signed: Suite::Sm, key: Suite::Rsa }.into(),
                401,
                "other_suite",
                true,
            ),
            (V::MalformedSignature.into(), 401, "malformed_signature", true),
            (V::SignatureMismatch.into(), 401, "signature_mismatch", true),
        ]);
    }

    #[test]
    fn table_of_what_cannot_be_read() {
        use OpenError as O;
        let (resource_type, algorithm, original_type) = (text(), text(), text());
        let senseless = NotificationId::parse("").expect_err("it is empty");
        let (source, malformed) = (not_json(), "malformed_notification");
        let notification = Box::new(wechatpay::Notification {
            id: text(),
            create_time: text(),
            event_type: text(),
            summary: text(),
            original_type: None,
            product: wechatpay::Product::Payment,
            resource: wechatpay::Resource::Other,
            plaintext: text(),
        });
        check([
            (O::WrongKey.into(), 500, "wrong_apiv3_key", true),
            (O::BodyNotUtf8.into(), 400, malformed, true),
            (O::BodyNotJson(not_json()).into(), 400, malformed, true),
            (O::UnsupportedResourceType { resource_type }.into(), 400, malformed, true),
            (O::UnsupportedAlgorithm { algorithm }.into(), 400, malformed, true),
            (O::NonceLength { bytes: 1 }.into(), 400, malformed, true),
            (O::CiphertextNotBase64.into(), 400, malformed, true),
            (O::CiphertextTooShort { bytes: 1 }.into(), 400, malformed, true),
            (O::PlaintextNotUtf8.into(), 400, malformed, true),
            (O::PlaintextNotJson(not_json()).into(), 400, malformed, true),
            (O::ResourceMalformed { original_type, source, notification }.into(), 400, malformed, true),
            (senseless.into(), 400, "senseless_notification", true),
        ]);
    }

    #[test]
    fn table_of_what_apiv2_refuses() {
        use Refusal as R;
        use v2::{FieldError as F, OpenError as O, SignError as S, XmlError as X};
        let (field, malformed) = ("total_fee", "malformed_notification");
        check([
            (X::NotUtf8.into(), 400, "malformed_xml", true),
            (R::NoApiV2Key, 500, "no_apiv2_key", true),
            (S::Missing.into(), 401, "missing_sign", true),
            (S::Mismatch.into(), 401, "sign_mismatch", true),
            (S::Length { bytes: 4 }.into(), 401, "malformed_sign", true),
            (O::NotBase64.into(), 401, "wrong_apiv2_key", true),
            (O::WrongKey.into(), 401, "wrong_apiv2_key", true),
            (F::Missing { field: field.to_owned() }.into(), 400, malformed, true),
            (R::FailureNotice, 400, "failure_notice", true),
        ]);
    }

    /// One of each kind.
    fn each() -> [Refusal; KINDS] {
        use Refusal as R;
        [
            R::UnknownMerchant { path_merchant: text() },
            R::OtherMerchant { path: text(), named: text() },
            R::WrongMethod,
            R::BodyTooLarge,
            R::BodyLost,
            HeaderError::MalformedTimestamp.into(),
            VerifyError::SignatureProbe.into(),
            OpenError::WrongKey.into(),
            v2::XmlError::NotUtf8.into(),
            R::NoApiV2Key,
            v2::SignError::Missing.into(),
            v2::OpenError::WrongKey.into(),
            v2::FieldError::Missing { field: text() }.into(),
            R::FailureNotice,
            NotificationId::parse("").expect_err("it is empty").into(),
            R::Overloaded,
            R::TooSlow,
            R::BodyTooSlow,
            R::NotStored(Arc::new(StoreError::Conflict("x".into()))),
            R::ShuttingDown,
            R::EffectFailed,
        ]
    }

    const KINDS: usize = 21;

    /// Its place in [`each`]. A kind that is new does not compile until it has one, and then fails the test below until
    /// it is there.
    fn place(refusal: &Refusal) -> usize {
        use Refusal as R;
        match refusal {
            R::UnknownMerchant { .. } => 0,
            R::OtherMerchant { .. } => 1,
            R::WrongMethod => 2,
            R::BodyTooLarge => 3,
            R::BodyLost => 4,
            R::Headers(_) => 5,
            R::Unverified(_) => 6,
            R::Unopened(_) => 7,
            R::Xml(_) => 8,
            R::NoApiV2Key => 9,
            R::Unsigned(_) => 10,
            R::Sealed(_) => 11,
            R::Fields(_) => 12,
            R::FailureNotice => 13,
            R::Senseless(_) => 14,
            R::Overloaded => 15,
            R::TooSlow => 16,
            R::BodyTooSlow => 17,
            R::NotStored(_) => 18,
            R::ShuttingDown => 19,
            R::EffectFailed => 20,
        }
    }

    /// To WeChat any 200 is an acknowledgement, whatever the body says; elsewhere what had failed was answered so, and
    /// the payment was lost.
    #[test]
    fn trap_any_200_is_an_ack_so_that_no_refusal_has_one() {
        for (expected, refusal) in each().iter().enumerate() {
            assert_eq!(place(refusal), expected, "{refusal:?}");
            let status = refusal.status();
            assert!(status.is_client_error() || status.is_server_error(), "{refusal:?}: {status}");
        }
    }

    /// WeChat sends these again, unchanged: nothing is kept.
    #[test]
    fn table_of_what_we_could_not_do() {
        let not_stored = |error| (Refusal::NotStored(Arc::new(error)), 503, "not_stored", false);
        let locked = Unavailability::Locked;
        check([
            (Refusal::Overloaded, 503, "overloaded", false),
            (Refusal::BodyTooSlow, 503, "body_too_slow", false),
            (Refusal::TooSlow, 503, "too_slow", false),
            (Refusal::ShuttingDown, 503, "shutting_down", false),
            (Refusal::EffectFailed, 503, "effect_failed", false),
            not_stored(StoreError::Conflict("x".into())),
            not_stored(StoreError::Unavailable { reason: locked, source: "x".into() }),
            not_stored(StoreError::Constraint { name: "x", source: "x".into() }),
            not_stored(StoreError::Unexpected("x".into())),
        ]);
    }
}
