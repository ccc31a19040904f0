//! Keeps web pages of others away: a browser says from which page a request comes, and only our own may change things.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::Problem;

/// Refuses what changes something and comes from a page that is not ours.
pub(crate) async fn refuse_other_origins(request: Request, next: Next) -> Response {
    let headers = request.headers();
    match text(headers, header::ORIGIN) {
        Some(origin) if request.method() != Method::GET && !is_ours(origin, headers) => {
            Problem::Origin { origin: origin.to_owned() }.into_response()
        }
        _ => next.run(request).await,
    }
}

fn is_ours(origin: &str, headers: &HeaderMap) -> bool {
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.is_some() && host == text(headers, header::HOST)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
