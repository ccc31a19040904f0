//! The front door of APIv3: reads a request, finds out who signed it, and hands it to its endpoint.
//!
//! Invariant: an endpoint sees only requests that their merchant signed. An endpoint is a plain function over the open
//! books, so that whatever it does happens at one moment; signing the answer comes after. Deliberately absent: TLS.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Query, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::{self, MethodRouter};
use bytes::Bytes;

use super::authorization::{self, Caller, Signed};
use super::error::{Error, SignError};
use super::reply::{self, Reply};
use crate::keys::Ring;
use crate::simulator::{Desk, Limited, Peer, Shared};

const SERIAL: HeaderName = HeaderName::from_static("wechatpay-serial");

/// The largest body that is read; uploads aside, WeChat's own limits are far below.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Which part of WeChat's API it is: they check in another order and word it otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// `/v3/pay/transactions` and its likes: the signature is looked at first.
    Transactions,
    /// Certificates, refunds, bills and the rest: `Accept` and `User-Agent` are looked at first.
    Others,
}

/// A request of a known merchant.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) caller: Caller,
    /// The caller's keys.
    pub(super) ring: Arc<Ring>,
    /// What stands in the path, decoded.
    path: Vec<(String, String)>,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Bytes,
    /// How the caller reaches us, without a slash at the end.
    pub(super) base_url: String,
    /// `Wechatpay-Serial`: a key of WeChat's for this merchant.
    pub(super) serial: Option<String>,
}

/// What an endpoint is.
pub(super) type Endpoint = fn(&mut Desk<'_>, &Ask) -> Result<Reply, Error>;

pub(super) fn get(family: Family, endpoint: Endpoint) -> MethodRouter<Arc<Shared>> {
    routing::get(async move |State(shared): State<Arc<Shared>>, path: RawPathParams, request: Request| {
        enter(&shared, family, endpoint, &path, request).await
    })
}

pub(super) fn post(family: Family, endpoint: Endpoint) -> MethodRouter<Arc<Shared>> {
    routing::post(async move |State(shared): State<Arc<Shared>>, path: RawPathParams, request: Request| {
        enter(&shared, family, endpoint, &path, request).await
    })
}

impl Ask {
    /// A part of the path. The route names it, so it is there.
    pub(super) fn path(&self, name: &str) -> &str {
        self.path.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

async fn enter(
    shared: &Shared,
    family: Family,
    endpoint: Endpoint,
    path: &RawPathParams,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    match ask(shared, family, path, &parts, body) {
        Err(error) => reply::failure(shared, &error, family),
        Ok(ask) => match work(shared, &ask, endpoint, Limited::of(&parts.method, parts.uri.path())) {
            Err(error) => reply::failure(shared, &error, family),
            Ok(reply) => {
                let platform = ask.ring.for_answer(ask.serial.as_deref(), &mut shared.fork_rng());
                reply::success(shared, reply, &platform)
            }
        },
    }
}

/// Lets the endpoint do its work, if it is not asked too often.
fn work(shared: &Shared, ask: &Ask, endpoint: Endpoint, kind: Option<Limited>) -> Result<Reply, Error> {
    shared.admit(&ask.caller.mchid, kind)?;
    let done = shared.at_desk(|desk| endpoint(desk, ask));
    if done.is_err() {
        shared.count_failure(&ask.caller.mchid, kind);
    }
    done
}

/// Who asks for what.
fn ask(
    shared: &Shared,
    family: Family,
    path: &RawPathParams,
    parts: &Parts,
    body: Bytes,
) -> Result<Ask, Error> {
    if family == Family::Others {
        speaks(&parts.headers)?;
    }
    let signed = Signed {
        method: parts.method.as_str(),
        url: parts.uri.path_and_query().map_or("/", |url| url.as_str()),
        body: &body,
    };
    let caller = authorization::caller(shared, text(&parts.headers, header::AUTHORIZATION), &signed)?;
    speaks(&parts.headers)?;
    let ring = shared.ring(&caller.mchid).ok_or(SignError::Serial)?;
    let serial = text(&parts.headers, SERIAL).map(str::to_owned);
    if serial.as_ref().is_some_and(|serial| ring.platform_of(serial).is_none()) {
        return Err(Error::SerialUnknown);
    }
    let query = Query::try_from_uri(&parts.uri).map(|Query(query)| query).unwrap_or_default();
    let path = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let base_url = base_url(parts);
    Ok(Ask { caller, ring, path, query, body, base_url, serial })
}

/// By which name the caller reaches us.
fn base_url(parts: &Parts) -> String {
    let scheme = if parts.extensions.get::<ConnectInfo<Peer>>().is_some() { "https" } else { "http" };
    format!("{scheme}://{}", text(&parts.headers, header::HOST).unwrap_or("localhost"))
}

/// Whether the client says who it is and what it takes.
fn speaks(headers: &HeaderMap) -> Result<(), Error> {
    let named = |name| text(headers, name).is_some_and(|value| !value.is_empty());
    if named(header::ACCEPT) && named(header::USER_AGENT) { Ok(()) } else { Err(Error::HeaderMissing) }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
