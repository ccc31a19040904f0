//! What is wrong with a control call: an HTTP status, a code to branch on, and what to do.
//!
//! Invariant: one table has all of them. Deliberately absent: WeChat's own errors, which are the API's.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::Error;
use crate::books::Refusal;
use crate::simulator::{FolderError, StateError};
use crate::trouble::ScenarioError;

/// Why a control call did nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error(
        "the body cannot be read: {reason}; send a JSON object with the keys that docs/simulator.md lists"
    )]
    Body { reason: String },
    #[error("{part} cannot be read: {reason}; docs/simulator.md lists what there is")]
    Url { part: &'static str, reason: String },
    #[error("{field}: {reason}")]
    Value { field: &'static str, reason: &'static str },
    #[error("there is no control call {method} {path}; GET /_sim lists them")]
    Call { method: String, path: String },
    #[error(
        "another web page ({origin}) asked for this; open the simulator's own page, or call without Origin"
    )]
    Origin { origin: String },
    #[error(
        "{host:?} is no name of this simulator, as when a web page of others leads its own name here; use an address or \
         localhost, or name it with --host"
    )]
    Host { host: String },
    #[error("there is no merchant {mchid}; GET /_sim/merchants lists them, POST /_sim/merchants makes one")]
    Merchant { mchid: String },
    #[error("there is no app {appid}; GET /_sim/merchants lists the apps of each merchant")]
    App { appid: String },
    #[error("there is no such order; GET /_sim/orders lists them")]
    Order,
    #[error("there is no such refund; GET /_sim/refunds lists them")]
    Refund,
    #[error("nobody was named: give out_trade_no, or a prepay_id, code_url or h5_url")]
    NoOrderNamed,
    #[error("several merchants have this number; name the mchid, too")]
    OrderAmbiguous,
    #[error("no order has this prepay_id, code_url or h5_url, or it has expired; place the order again")]
    Ticket,
    #[error("WeChat would not do this: {0}")]
    Refused(#[from] Refusal),
    #[error("there is no notice {number}; GET /_sim/notices lists them")]
    Notice { number: u64 },
    #[error("notice {number} is on its way; POST /_sim/quiet waits until it has come to an end")]
    NoticeOnItsWay { number: u64 },
    #[error(
        "notices were still on their way, or due, after {seconds} s; look at GET /_sim/notices, or wait longer"
    )]
    NotQuiet { seconds: u64 },
    #[error(transparent)]
    State(#[from] Arc<StateError>),
    #[error(transparent)]
    Keys(#[from] Error),
    #[error("there is no rule {name}; GET /_sim/trouble lists them")]
    Rule { name: String },
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    #[error("the merchant's keys were made, but their files could not be written: {0}")]
    Files(#[from] FolderError),
}

impl Problem {
    /// Status and code.
    fn says(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Body { .. } => (StatusCode::BAD_REQUEST, "body_malformed"),
            Self::Url { .. } => (StatusCode::BAD_REQUEST, "url_malformed"),
            Self::Value { .. } => (StatusCode::BAD_REQUEST, "value_invalid"),
            Self::Call { .. } => (StatusCode::NOT_FOUND, "call_unknown"),
            Self::Origin { .. } => (StatusCode::FORBIDDEN, "origin_refused"),
            Self::Host { .. } => (StatusCode::MISDIRECTED_REQUEST, "host_refused"),
            Self::Merchant { .. } => (StatusCode::NOT_FOUND, "merchant_unknown"),
            Self::App { .. } => (StatusCode::NOT_FOUND, "app_unknown"),
            Self::Order => (StatusCode::NOT_FOUND, "order_unknown"),
            Self::Refund => (StatusCode::NOT_FOUND, "refund_unknown"),
            Self::NoOrderNamed => (StatusCode::BAD_REQUEST, "order_missing"),
            Self::OrderAmbiguous => (StatusCode::CONFLICT, "order_ambiguous"),
            Self::Ticket => (StatusCode::NOT_FOUND, "ticket_unknown"),
            Self::Refused(_) => (StatusCode::CONFLICT, "refused"),
            Self::Notice { .. } => (StatusCode::NOT_FOUND, "notice_unknown"),
            Self::NoticeOnItsWay { .. } => (StatusCode::CONFLICT, "notice_on_its_way"),
            Self::NotQuiet { .. } => (StatusCode::GATEWAY_TIMEOUT, "not_quiet"),
            Self::Rule { .. } => (StatusCode::NOT_FOUND, "rule_unknown"),
            Self::Scenario(_) => (StatusCode::BAD_REQUEST, "value_invalid"),
            Self::State(_) => (StatusCode::INTERNAL_SERVER_ERROR, "state"),
            Self::Keys(Error::MerchantExists { .. }) => (StatusCode::CONFLICT, "merchant_exists"),
            Self::Keys(Error::TlsName) => (StatusCode::BAD_REQUEST, "value_invalid"),
            Self::Keys(_) => (StatusCode::INTERNAL_SERVER_ERROR, "keys"),
            Self::Files(_) => (StatusCode::INTERNAL_SERVER_ERROR, "files"),
        }
    }
}

impl Problem {
    /// The HTTP status that says it.
    pub(crate) fn status(&self) -> StatusCode {
        self.says().0
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, code) = self.says();
        let mut error = json!({ "code": code, "message": self.to_string() });
        if let Self::Refused(refusal) = self {
            error["wechat_code"] = refusal.says().code.into();
        }
        (status, Json(json!({ "error": error }))).into_response()
    }
}
