//! Errors of the API: one exhaustive table from error to status and public code (`docs/errors/PAYnnnn.md`).

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use payonce_core::{NotApplied, StoreError, ids::IdError, money::MoneyError, store::Unavailability};
use serde::Serialize;

use crate::config::Place;

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("send one header `Authorization: Bearer <key>` with a key of [api] in payonce's configuration")]
    Unauthorized,
    #[error("the body is not a registration: {0}")]
    Body(String),
    #[error("{0}")]
    Id(#[from] IdError),
    #[error("{0}")]
    Money(#[from] MoneyError),
    #[error("amount is 0 fen; WeChat's smallest payment is 1 fen")]
    ZeroAmount,
    #[error("expires_at is not an RFC 3339 time such as 2026-03-02T09:15:07+08:00")]
    ExpiresAt,
    #[error("query parameters: {0}")]
    Query(String),
    #[error("no merchant {mchid} is configured, nor is it among the sellers of one")]
    UnknownMerchant { mchid: String },
    #[error("several merchants are configured: say which with ?mchid=")]
    WhichMerchant,
    #[error("order {out_trade_no} is registered with other terms, which stand")]
    OtherTerms { out_trade_no: String },
    #[error("no order {out_trade_no} is registered for merchant {mchid}")]
    NoSuchOrder { mchid: String, out_trade_no: String },
    #[error("too much waits for the database; nothing was done, send it again")]
    Overloaded,
    #[error("the server is shutting down; nothing was done, send it again")]
    ShuttingDown,
    #[error("{0}; sending it again is safe")]
    Store(std::sync::Arc<StoreError>),
    #[error("{0}")]
    Endpoint(String),
    #[error("there is no endpoint {name}")]
    NoSuchEndpoint { name: String },
    #[error(
        "endpoint {name} is defined in the configuration ({}); change it there, and send SIGHUP or start payonce anew",
        place.as_ref().map_or_else(|| "of another node".to_owned(), ToString::to_string)
    )]
    Configured { name: String, place: Option<Place> },
    #[error("{0}")]
    Consumer(String),
    #[error(
        "there is no consumer {name}: PUT /v1/consumers/{name} with {{\"position\": 0}} makes one that begins with the first message"
    )]
    NoSuchConsumer { name: String },
    #[error("consumer {name} {}, and not at `from`: another instance has moved it; read on from there", stands(*.stands_at))]
    ConsumerElsewhere { name: String, stands_at: Option<i64> },
    #[error(
        "no channel for alerts is configured, or none of that name: [[alerts]] in payonce's configuration"
    )]
    NoChannel,
    #[error("{0}")]
    NoSealingKey(&'static str),
    #[error("{0}; nothing was done, send it again once that is mended")]
    EffectFailed(NotApplied),
    #[error("nothing is at {path}")]
    NoSuchRoute { path: String },
    #[error("this path does not take that method")]
    NoSuchMethod,
    #[error("the request is larger than this path takes")]
    TooLarge,
}

impl ApiError {
    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "PAY0001"),
            Self::Body(_) | Self::Query(_) => (StatusCode::BAD_REQUEST, "PAY0002"),
            Self::Id(_) | Self::Money(_) | Self::ZeroAmount | Self::ExpiresAt => {
                (StatusCode::UNPROCESSABLE_ENTITY, "PAY0003")
            }
            Self::UnknownMerchant { .. } | Self::WhichMerchant => {
                (StatusCode::UNPROCESSABLE_ENTITY, "PAY0004")
            }
            Self::OtherTerms { .. } => (StatusCode::CONFLICT, "PAY0005"),
            Self::NoSuchOrder { .. } => (StatusCode::NOT_FOUND, "PAY0006"),
            Self::Overloaded | Self::ShuttingDown => (StatusCode::SERVICE_UNAVAILABLE, "PAY0007"),
            Self::Store(error) => (StatusCode::SERVICE_UNAVAILABLE, code_of(error)),
            Self::Endpoint(_) => (StatusCode::UNPROCESSABLE_ENTITY, "PAY0012"),
            Self::NoSuchEndpoint { .. } => (StatusCode::NOT_FOUND, "PAY0013"),
            Self::NoSealingKey(_) => (StatusCode::CONFLICT, "PAY0014"),
            Self::Configured { .. } => (StatusCode::CONFLICT, "PAY0021"),
            Self::Consumer(_) => (StatusCode::UNPROCESSABLE_ENTITY, "PAY0030"),
            Self::NoSuchConsumer { .. } => (StatusCode::NOT_FOUND, "PAY0031"),
            Self::ConsumerElsewhere { .. } => (StatusCode::CONFLICT, "PAY0032"),
            Self::NoChannel => (StatusCode::NOT_FOUND, "PAY0040"),
            Self::EffectFailed(_) => (StatusCode::SERVICE_UNAVAILABLE, "PAY0020"),
            Self::NoSuchRoute { .. } => (StatusCode::NOT_FOUND, "PAY0009"),
            Self::NoSuchMethod => (StatusCode::METHOD_NOT_ALLOWED, "PAY0009"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "PAY0010"),
        }
    }
}

/// Where a consumer stands, in words.
fn stands(at: Option<i64>) -> String {
    at.map_or_else(|| "is not there".to_owned(), |position| format!("stands at {position}"))
}

/// That everything was, or is being, copied elsewhere has a page of its own.
fn code_of(error: &StoreError) -> &'static str {
    match error {
        StoreError::Unavailable { reason: Unavailability::Copying | Unavailability::Moved, .. } => "PAY0011",
        _ => "PAY0008",
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Store(std::sync::Arc::new(error))
    }
}

impl From<NotApplied> for ApiError {
    fn from(not_applied: NotApplied) -> Self {
        match not_applied {
            NotApplied::Store(error) => error.into(),
            failed @ NotApplied::Effects(_) => Self::EffectFailed(failed),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            code: &'static str,
            message: String,
            /// Of a consumer that stands elsewhere: where; `null` if it is not there.
            #[serde(skip_serializing_if = "Option::is_none")]
            position: Option<Option<i64>>,
        }
        let (status, code) = self.status_and_code();
        let position = match &self {
            Self::ConsumerElsewhere { stands_at, .. } => Some(*stands_at),
            _ => None,
        };
        let mut response = (status, Json(Body { code, message: self.to_string(), position })).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
