//! An answer on its way out: signed where it is a success, in WeChat's error shape where it is not.
//!
//! Invariant: errors carry no signature, as the live service's do not. `Request-ID` ends with a number that is finer than
//! `code`, where one is published; it is missing where the live service leaves it out.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use bytes::Bytes;
use rand::Rng as _;

use super::door::Family;
use super::error::Error;
use crate::keys::Platform;
use crate::random;
use crate::simulator::Shared;

/// Characters of the random text that is signed.
const NONCE_CHARS: usize = 32;

/// A success.
pub(super) enum Reply {
    /// 200 with JSON.
    Json(String),
    /// 204.
    Nothing,
    /// 200 with a file, which is never signed.
    File(Vec<u8>),
    /// 200 with JSON, signed with this key whatever was asked for.
    SignedBy(Arc<Platform>, String),
}

impl Reply {
    pub(super) fn json(value: &impl serde::Serialize) -> Self {
        Self::Json(serde_json::to_string(value).expect("BUG: structs of texts and integers always serialise"))
    }
}

/// A success, signed by `platform` unless it says otherwise.
pub(super) fn success(shared: &Shared, reply: Reply, platform: &Platform) -> Response<Body> {
    let (status, signer, body) = match &reply {
        Reply::File(bytes) => return file(shared, bytes),
        Reply::Json(body) => (StatusCode::OK, platform, body.as_str()),
        Reply::Nothing => (StatusCode::NO_CONTENT, platform, ""),
        Reply::SignedBy(signer, body) => (StatusCode::OK, &**signer, body.as_str()),
    };
    let nonce = random::alphanumeric(&mut shared.fork_rng(), NONCE_CHARS);
    let signed = signer.sign(Bytes::copy_from_slice(body.as_bytes()), (shared.wall)(), nonce);
    let mut response = Response::builder()
        .status(status)
        .header("Request-ID", format!("{}-0", shared.request_id()))
        .header("Cache-Control", "no-cache, must-revalidate")
        .header("Server", "nginx");
    for (name, value) in signed.headers() {
        if name != header::CONTENT_TYPE.as_str() {
            response = response.header(name, value);
        } else if !body.is_empty() {
            response = response.header(name, "application/json; charset=utf-8");
        }
    }
    response.body(Body::from(signed.body().clone())).expect("BUG: signatures are visible ASCII")
}

fn file(shared: &Shared, bytes: &[u8]) -> Response<Body> {
    Response::builder()
        .header("Request-ID", format!("{}-0", shared.request_id()))
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header("Cache-Control", "no-cache, must-revalidate")
        .header("Server", "nginx")
        .body(Body::from(Bytes::copy_from_slice(bytes)))
        .expect("BUG: all headers are visible ASCII")
}

/// An error.
pub(super) fn failure(shared: &Shared, error: &Error, family: Family) -> Response<Body> {
    let mut wire = error.to_wire();
    if let (Error::Sign(sign), Family::Transactions) = (error, family)
        && sign.unreadable()
    {
        wire.message = "签名信息错误，验签失败".to_owned();
    }
    let mut response = Response::builder()
        .status(wire.status)
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        .header("Cache-Control", "no-cache, must-revalidate")
        .header("Server", "nginx");
    if !matches!((error, family), (Error::Sign(_), Family::Transactions)) {
        let number = wire.number.unwrap_or_default();
        response = response.header("Request-ID", format!("{}-{number}", shared.request_id()));
    }
    response.body(Body::from(wire.to_json())).expect("BUG: all headers are visible ASCII")
}

impl Shared {
    /// As WeChat writes its own: `08` and upper-case hex.
    pub(in crate::api) fn request_id(&self) -> String {
        let mut rng = self.fork_rng();
        format!("08{:032X}", rng.random::<u128>())
    }
}
