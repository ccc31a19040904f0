//! Why a callback is not acknowledged, and the one table that says with which status.

use axum::http::StatusCode;
use payonce_core::StoreError;
use wechatpay::{HeaderError, OpenError, VerifyError};

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
    /// WeChat's, but unreadable.
    #[error("{0}")]
    Unopened(#[from] OpenError),
    /// WeChat's and open, but an identifier in it is not one.
    #[error("the notification does not make sense: {0}")]
    Senseless(#[from] payonce_core::ids::IdError),
    /// Too much waits already.
    #[error("too many callbacks are waiting for the database")]
    Overloaded,
    /// Not done within the budget.
    #[error("it could not be committed within the time that WeChat allows")]
    TooSlow,
    /// The database did not take it.
    #[error("it could not be committed: {0}")]
    NotStored(std::sync::Arc<StoreError>),
    /// The server is going down.
    #[error("the server is shutting down")]
    ShuttingDown,
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
                | VerifyError::MalformedSignature
                | VerifyError::SignatureMismatch => StatusCode::UNAUTHORIZED,
            },
            // Our key is at fault: stored, and applied once the key is mended.
            Self::Unopened(error) if error.is_key_fault() => StatusCode::INTERNAL_SERVER_ERROR,
            Self::UnknownMerchant { .. }
            | Self::OtherMerchant { .. }
            | Self::BodyLost
            | Self::Unopened(_)
            | Self::Senseless(_) => StatusCode::BAD_REQUEST,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Overloaded | Self::TooSlow | Self::NotStored(_) | Self::ShuttingDown => {
                StatusCode::SERVICE_UNAVAILABLE
            }
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
                VerifyError::MalformedSignature => "malformed_signature",
                VerifyError::SignatureMismatch => "signature_mismatch",
            },
            Self::Unopened(error) if error.is_key_fault() => "wrong_apiv3_key",
            Self::Unopened(_) => "malformed_notification",
            Self::Senseless(_) => "senseless_notification",
            Self::Overloaded => "overloaded",
            Self::TooSlow => "too_slow",
            Self::NotStored(_) => "not_stored",
            Self::ShuttingDown => "shutting_down",
        }
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
    use wechatpay::UnixSeconds;

    use super::*;

    fn not_json() -> serde_json::Error {
        serde_json::from_str::<u8>("{").expect_err("it is none")
    }

    fn text() -> String {
        "x".to_owned()
    }

    /// Every refusal: its status, its verdict, whether the callback is kept among the rejected.
    #[test]
    fn table_of_refusals() {
        use HeaderError as H;
        use OpenError as O;
        use Refusal as R;
        use VerifyError as V;
        let header = "wechatpay-nonce";
        let seconds = UnixSeconds(0);
        let store = |error| R::NotStored(Arc::new(error));
        let senseless = NotificationId::parse("").expect_err("it is empty");
        for (refusal, status, verdict, kept) in [
            (R::UnknownMerchant { path_merchant: text() }, 400, "unknown_merchant", true),
            (R::OtherMerchant { path: text(), named: text() }, 400, "other_merchant", true),
            (R::WrongMethod, 405, "wrong_method", false),
            (R::BodyTooLarge, 413, "body_too_large", true),
            (R::BodyLost, 400, "body_lost", false),
            (R::Headers(H::Missing { header }), 401, "headers", true),
            (R::Headers(H::Repeated { header }), 401, "headers", true),
            (R::Headers(H::Empty { header }), 401, "headers", true),
            (R::Headers(H::Oversized { header, len: 2, len_max: 1 }), 401, "headers", true),
            (R::Headers(H::NotAscii { header }), 401, "headers", true),
            (R::Headers(H::MalformedTimestamp), 401, "headers", true),
            (R::Unverified(V::SignatureProbe), 401, "signature_probe", true),
            (
                R::Unverified(V::StaleTimestamp { timestamp: seconds, now: seconds }),
                401,
                "stale_timestamp",
                true,
            ),
            (R::Unverified(V::UnknownSerial { serial: text() }), 401, "unknown_serial", true),
            (
                R::Unverified(V::UnsupportedSignatureType { signature_type: text() }),
                400,
                "unsupported_signature_type",
                true,
            ),
            (R::Unverified(V::MalformedSignature), 401, "malformed_signature", true),
            (R::Unverified(V::SignatureMismatch), 401, "signature_mismatch", true),
            (R::Unopened(O::BodyNotUtf8), 400, "malformed_notification", true),
            (R::Unopened(O::BodyNotJson(not_json())), 400, "malformed_notification", true),
            (
                R::Unopened(O::UnsupportedResourceType { resource_type: text() }),
                400,
                "malformed_notification",
                true,
            ),
            (R::Unopened(O::UnsupportedAlgorithm { algorithm: text() }), 400, "malformed_notification", true),
            (R::Unopened(O::NonceLength { bytes: 1 }), 400, "malformed_notification", true),
            (R::Unopened(O::CiphertextNotBase64), 400, "malformed_notification", true),
            (R::Unopened(O::CiphertextTooShort { bytes: 1 }), 400, "malformed_notification", true),
            (R::Unopened(O::WrongKey), 500, "wrong_apiv3_key", true),
            (R::Unopened(O::PlaintextNotUtf8), 400, "malformed_notification", true),
            (R::Unopened(O::PlaintextNotJson(not_json())), 400, "malformed_notification", true),
            (
                R::Unopened(O::ResourceMalformed { original_type: text(), source: not_json() }),
                400,
                "malformed_notification",
                true,
            ),
            (R::Senseless(senseless), 400, "senseless_notification", true),
            (R::Overloaded, 503, "overloaded", false),
            (R::TooSlow, 503, "too_slow", false),
            (store(StoreError::Conflict("x".into())), 503, "not_stored", false),
            (
                store(StoreError::Unavailable { reason: Unavailability::Locked, source: "x".into() }),
                503,
                "not_stored",
                false,
            ),
            (store(StoreError::Constraint { name: "x", source: "x".into() }), 503, "not_stored", false),
            (store(StoreError::Unexpected("x".into())), 503, "not_stored", false),
            (R::ShuttingDown, 503, "shutting_down", false),
        ] {
            let found = (refusal.status().as_u16(), refusal.verdict(), refusal.worth_keeping());
            assert_eq!(found, (status, verdict, kept), "{refusal:?}");
        }
    }
}
