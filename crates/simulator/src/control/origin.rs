//! Keeps web pages of others away: a browser says from which page a request comes, and only our own may change things; and
//! it says by which name it got here, and a name that anybody may lead here is none of ours (DNS rebinding).
//!
//! Deliberately absent: WeChat's own API, whose callers name WeChat's host, and whose every call is signed.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::Problem;
use crate::simulator::Shared;

/// Names under these are in no public DNS (RFC 6761, and ICANN's resolution 2024.07.29.06): nobody can lead them here from
/// outside. `host.docker.internal` is one.
const PRIVATE: [&str; 3] = ["localhost", "internal", "test"];

/// Refuses what comes by a name that is not ours, and what changes something and comes from a page that is not ours.
pub(crate) async fn refuse_others(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    // In the first line, where there is one, it goes before the header.
    let named = request.uri().authority().map(Authority::as_str);
    let host = named.or_else(|| text(headers, header::HOST));
    if let Some(host) = host.filter(|host| !is_ours(host, &shared.hosts)) {
        return Problem::Host { host: host.to_owned() }.into_response();
    }
    match text(headers, header::ORIGIN) {
        Some(origin) if request.method() != Method::GET && !is_from_here(origin, headers) => {
            Problem::Origin { origin: origin.to_owned() }.into_response()
        }
        _ => next.run(request).await,
    }
}

/// An address, a name that no public DNS has (such as that of a container), or one that was named.
fn is_ours(host: &str, named: &[String]) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().to_ascii_lowercase();
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&name);
    let name = name.strip_suffix('.').unwrap_or(&name);
    address.parse::<IpAddr>().is_ok()
        || !name.is_empty() && !name.contains(['.', '[', ']'])
        || PRIVATE.iter().any(|last| name.rsplit_once('.').is_some_and(|(_, end)| end == *last))
        || named.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn is_from_here(origin: &str, headers: &HeaderMap) -> bool {
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.is_some() && host == text(headers, header::HOST)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_ours_that_nobody_can_lead_here() {
        let named = ["sim.corp.example".to_owned()];
        for (host, expected) in [
            ("127.0.0.1:8090", true),
            ("192.168.1.7", true),
            ("[::1]:8090", true),
            ("localhost:8090", true),
            ("LOCALHOST", true),
            ("shop.localhost", true),
            ("wechat:8090", true),
            ("wechat_pay-1:8090", true),
            ("host.docker.internal:8090", true),
            ("sim.corp.example:8090", true),
            ("Sim.Corp.Example.", true),
            ("evil.example:8090", false),
            ("evil.example.", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("internal.example", false),
            ("api.mch.weixin.qq.com", false),
            ("", false),
            (".", false),
            ("a b", false),
        ] {
            assert_eq!(is_ours(host, &named), expected, "{host}");
        }
    }
}
