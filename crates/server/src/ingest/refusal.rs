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
        self.status() != StatusCode::SERVICE_UNAVAILABLE && !matches!(self, Self::BodyLost)
    }
}
