//! A form that somebody sent: what cannot be read is said on a page, as whatever else is not done.

use axum::extract::{self, FromRequest, FromRequestParts as _, Request};
use axum::http::StatusCode;
use axum::response::Response;
use serde::de::DeserializeOwned;

use super::frame::problem;
use super::lang::Asked;

/// What it says.
pub(super) struct Form<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Ok(asked) = Asked::from_request_parts(&mut parts, state).await;
        let form = extract::Form::from_request(Request::from_parts(parts, body), state).await;
        let refused = |refused: extract::rejection::FormRejection| {
            problem(&asked, StatusCode::BAD_REQUEST, &refused.body_text())
        };
        form.map(|extract::Form(said)| Self(said)).map_err(refused)
    }
}
