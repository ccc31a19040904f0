//! What WeChat gets to hear: that it is committed, or what makes it send again. APIv3 goes by the status, APIv2 by the
//! body too; neither takes the other's.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use wechatpay::{fail_body_v3, v2};

use super::{protocol::Protocol, refusal::Refusal};

/// WeChat retries on its own schedule; this is for proxies and for tests.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("15");

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const XML: HeaderValue = HeaderValue::from_static("text/xml; charset=utf-8");

/// Committed: WeChat need not send it again.
pub(crate) fn committed(protocol: Protocol) -> Response<Body> {
    match protocol {
        Protocol::V3 => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        Protocol::V2 => {
            let mut response = Response::new(Body::from(v2::ACK_BODY));
            response.headers_mut().insert(header::CONTENT_TYPE, XML);
            response
        }
    }
}

/// Not committed: WeChat shall send it again.
pub(crate) fn refused(protocol: Protocol, refusal: &Refusal) -> Response<Body> {
    let said = refusal.to_string();
    let (body, media_type) = match protocol {
        Protocol::V3 => (fail_body_v3(&said), JSON),
        Protocol::V2 => (v2::fail_body(&said), XML),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = refusal.status();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, media_type);
    if refusal.status() == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, RETRY_AFTER_SECONDS);
    }
    response
}
