//! The merchant's own API: register orders, look at them, read messages.

pub(crate) mod alerts;
pub(crate) mod consumers;
pub(crate) mod effects;
pub(crate) mod endpoints;
mod error;
pub(crate) mod keys;
pub(crate) mod messages;
pub(crate) mod newest;
pub(crate) mod orders;
pub(crate) mod stream;

use axum::http::Uri;
pub(crate) use error::ApiError;

/// Any path that is not in the router.
pub(crate) async fn no_such_route(uri: Uri) -> ApiError {
    ApiError::NoSuchRoute { path: uri.path().to_owned() }
}

/// A path of the router with a method that it does not take.
pub(crate) async fn no_such_method() -> ApiError {
    ApiError::NoSuchMethod
}
