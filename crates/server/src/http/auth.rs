//! Who may use the merchant's API: whoever has a key.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{api::ApiError, server::App};

/// Lets a request pass that carries `Authorization: Bearer <key>`.
pub(crate) async fn authorized(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut sent = request.headers().get_all(header::AUTHORIZATION).iter();
    let key = match (sent.next(), sent.next()) {
        (Some(value), None) => value.as_bytes().strip_prefix(b"Bearer "),
        _ => None,
    };
    // Every key is compared, so that the time taken does not tell which one came near.
    let known = key.is_some_and(|key| {
        app.api_keys.iter().fold(false, |known, each| known | same_time_equal(each.expose().as_bytes(), key))
    });
    if known { next.run(request).await } else { ApiError::Unauthorized.into_response() }
}

/// Equality in a time that does not depend on where the two differ.
fn same_time_equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
}
