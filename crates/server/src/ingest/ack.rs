//! What WeChat gets to hear (APIv3): 204 for what is committed, else a status that makes it send again.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use wechatpay::fail_body_v3;

use super::refusal::Refusal;

/// WeChat retries on its own schedule; this is for proxies and for tests.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("15");

/// Committed: WeChat need not send it again.
pub(crate) fn committed() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Not committed: WeChat shall send it again.
pub(crate) fn refused(refusal: &Refusal) -> Response<Body> {
    let mut response = Response::new(Body::from(fail_body_v3(&refusal.to_string())));
    *response.status_mut() = refusal.status();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if refusal.status() == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
    }
    response
}
