//! What is said to a control call. The body is JSON, whatever its content type says, so that `curl -d` is enough; no body is
//! an empty object.
//!
//! Invariant: what cannot be read is a [`Problem`], wherever it stands.

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::Problem;

/// What the body says.
pub(super) struct Said<T>(pub(super) T);

/// What the path says.
pub(super) struct InPath<T>(pub(super) T);

/// What stands behind the question mark.
pub(super) struct InQuery<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Said<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|refused| Problem::Body { reason: refused.to_string() })?;
        let body = if body.trim_ascii().is_empty() { &b"{}"[..] } else { &body };
        serde_json::from_slice(body).map(Self).map_err(|error| Problem::Body { reason: error.to_string() })
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for InPath<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::from_request_parts(parts, state).await;
        let Path(said) = path.map_err(|refused| malformed("the path", refused.body_text()))?;
        Ok(Self(said))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for InQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::from_request_parts(parts, state).await;
        let Query(said) = query.map_err(|refused| malformed("the query", refused.body_text()))?;
        Ok(Self(said))
    }
}

fn malformed(part: &'static str, reason: String) -> Problem {
    Problem::Url { part, reason }
}
