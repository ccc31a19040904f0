//! The body of a control call: JSON, whatever its content type says, so that `curl -d` is enough. No body is an empty
//! object.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::Problem;

/// What was said.
pub(super) struct Said<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Said<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|refused| Problem::Body { reason: refused.to_string() })?;
        let body = if body.trim_ascii().is_empty() { &b"{}"[..] } else { &body };
        serde_json::from_slice(body).map(Self).map_err(|error| Problem::Body { reason: error.to_string() })
    }
}
