//! Lies round the whole of WeChat's API and does to calls what the rules say.
//!
//! Invariant: what fails did nothing; what loses its answer did all. Without rules for calls, a call goes through
//! untouched.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::middleware::Next;
use axum::response::IntoResponse as _;
use bytes::Bytes;
use hyper::body::Frame;
use serde_json::json;
use tokio::time::sleep;

use super::about::About;
use super::tally::Call;
use super::{AnswerChange, CallTrouble, Failure};
use crate::notify::{other_first, probe};
use crate::simulator::Shared;

/// The largest body that is read.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Who gets no answer hangs up sooner.
const SILENCE: Duration = Duration::from_secs(300);

pub(crate) async fn layer(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response<Body> {
    if !shared.with_troubles(|troubles| troubles.hits_calls()) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let path = parts.uri.path().to_owned();
    let authorization = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let about = shared.read(|books, _| About::of(books, &path, authorization, &body));
    let troubles = shared.with_troubles(|troubles| {
        troubles.judge_call(&Call {
            method: parts.method.as_str(),
            path: &path,
            merchant: about.merchant.as_deref(),
            orders: &about.orders,
        })
    });
    if !troubles.is_empty() {
        // What rules counted is part of the state, whatever the call itself changes.
        shared.announce();
    }
    for (_, trouble) in &troubles {
        match trouble {
            CallTrouble::Slow { millis } => wait(&shared, Duration::from_millis((*millis).into())).await,
            CallTrouble::Fails(failure) => return failed(&shared, *failure, &path).await,
            CallTrouble::LosesAnswer(_) | CallTrouble::Answer(_) | CallTrouble::PaidMeanwhile => {}
        }
    }
    let mut response = next.run(Request::from_parts(parts, Body::from(body))).await;
    for (rule, trouble) in &troubles {
        match trouble {
            CallTrouble::LosesAnswer(failure) => return failed(&shared, *failure, &path).await,
            CallTrouble::Answer(change) => response = changed(response, *change).await,
            // A close that was refused closed nothing in whose moment anybody could have paid.
            CallTrouble::PaidMeanwhile if !about.is_paid(&shared) => {
                shared.with_troubles(|troubles| troubles.missed(rule));
            }
            CallTrouble::PaidMeanwhile | CallTrouble::Slow { .. } | CallTrouble::Fails(_) => {}
        }
    }
    response
}

async fn failed(shared: &Shared, failure: Failure, path: &str) -> Response<Body> {
    match failure {
        Failure::Status(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            error(status, path)
        }
        Failure::Broken => broken(),
        Failure::Silent => {
            wait(shared, SILENCE).await;
            broken()
        }
    }
}

/// Waits, but not beyond the end of the simulation.
async fn wait(shared: &Shared, how_long: Duration) {
    tokio::select! {
        () = sleep(how_long) => {}
        () = shared.stopping() => {}
    }
}

/// The connection ends before the first byte of an answer: its body fails, so that nothing of it is sent.
fn broken() -> Response<Body> {
    Response::new(Body::new(Failing))
}

/// A body that fails at once.
struct Failing;

impl hyper::body::Body for Failing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(Some(Err(io::Error::other("the simulator broke the connection"))))
    }
}

fn error(status: StatusCode, path: &str) -> Response<Body> {
    let (code, message) = match status.as_u16() {
        429 => ("FREQUENCY_LIMITED", "频率超限，请降低调用频率"),
        502..=504 => ("SERVICE_UNAVAILABLE", "服务不可用，请稍后重试"),
        500.. => ("SYSTEM_ERROR", "系统错误，请稍后重试"),
        _ => ("INVALID_REQUEST", "请求被拒绝"),
    };
    let json = "application/json; charset=utf-8";
    let (content_type, body) = if path.starts_with("/v3/") {
        (json, json!({ "code": code, "message": message }).to_string())
    } else if path.starts_with("/sns/") {
        (json, json!({ "errcode": -1, "errmsg": "system error" }).to_string())
    } else {
        let body = format!(
            "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[{message}]]></return_msg></xml>"
        );
        ("text/plain; charset=utf-8", body)
    };
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}

async fn changed(response: Response<Body>, change: AnswerChange) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    let signature = || parts.headers.get("wechatpay-signature").and_then(|value| value.to_str().ok());
    let mut set = None;
    match change {
        AnswerChange::SignatureProbe => {
            set = signature().map(|old| ("wechatpay-signature", probe(old)));
        }
        AnswerChange::SignatureChanged => {
            set = signature().map(|old| ("wechatpay-signature", other_first(old)));
        }
        AnswerChange::SerialUnknown => {
            set = Some(("wechatpay-serial", format!("PUB_KEY_ID_00{}", "9".repeat(32))));
        }
        AnswerChange::Unsigned => {
            for name in ["wechatpay-signature", "wechatpay-serial", "wechatpay-nonce", "wechatpay-timestamp"]
            {
                parts.headers.remove(name);
            }
        }
        AnswerChange::BodyChanged => {
            let body = to_bytes(body, BODY_BYTES_MAX).await.unwrap_or_default();
            return Response::from_parts(parts, Body::from([b" ", &body[..]].concat()));
        }
    }
    if let Some((name, value)) = set
        && let Ok(value) = HeaderValue::from_str(&value)
    {
        parts.headers.insert(name, value);
    }
    Response::from_parts(parts, body)
}
