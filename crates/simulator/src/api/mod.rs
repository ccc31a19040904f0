//! WeChat's API over HTTP: what is asked is checked as WeChat checks it, done in the books, and answered in WeChat's
//! words. Deliberately absent: business, which is the books'.

mod login;
mod v2;
mod v3;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;

use crate::simulator::Shared;

/// Every path of every API.
pub(crate) fn routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .merge(v2::routes())
        .merge(v3::routes())
        .route("/sns/jscode2session", get(login::code2session))
        // Both with an empty body, as the live service answers.
        .fallback(async || StatusCode::NOT_FOUND)
        .method_not_allowed_fallback(async || StatusCode::METHOD_NOT_ALLOWED)
        .with_state(shared)
}
