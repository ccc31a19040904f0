//! One callback: read, verify, open, translate, commit, acknowledge.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, HttpBody as _, to_bytes},
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, Request, Response},
};
use payonce_core::{
    NotificationId, Outcome, UnixMillis, fault,
    store::{Note, Rejected, Unopened},
};
use tokio::{
    runtime::Handle,
    task::spawn_blocking,
    time::{Instant, timeout_at},
};
use wechatpay::{VerifyError, headers};

use super::{ack, protocol::Protocol, refusal::Refusal};
use crate::{config::Merchant, server::App};

/// The largest body that is read. WeChat's envelope field `ciphertext` has at most 1,048,576 characters; real
/// callbacks have about a thousand.
pub const CALLBACK_BYTES_MAX: usize = 1024 * 1024;

/// WeChat waits 5 s for the whole answer; this leaves a second for the network.
pub(crate) const CALLBACK_BUDGET: Duration = Duration::from_secs(4);

/// How much of a refused body is kept: enough for any real callback, little enough to hold many.
pub const KEPT_BODY_BYTES_MAX: usize = 16 * 1024;

/// How much is kept of a path that names no merchant (an mchid has 32 digits at the most).
const KEPT_MERCHANT_BYTES_MAX: usize = 64;

/// How much is kept of the signature's headers (WeChat's take about 600 bytes) and of the reason.
const KEPT_TEXT_BYTES_MAX: usize = 2 * 1024;

/// `POST /notify/v3/{merchant}`.
pub(crate) async fn notify_v3(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Response<Body> {
    notify(Protocol::V3, &app, path, request).await
}

/// `POST /notify/v2/{merchant}`.
pub(crate) async fn notify_v2(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Response<Body> {
    notify(Protocol::V2, &app, path, request).await
}

async fn notify(
    protocol: Protocol,
    app: &App,
    path: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Response<Body> {
    let started = Instant::now();
    let received_at = app.clock.now();
    let (head, body) = request.into_parts();
    // A path that is no text names no merchant; it is kept as it was sent.
    let path_merchant = path.map_or_else(|_| head.uri.path().to_owned(), |Path(merchant)| merchant);
    let headers = head.headers;
    let mut arrival = Arrival { app, protocol, path_merchant, headers, body: None, received_at };
    let deadline = started + app.callback_budget;
    let taken = timeout_at(deadline, arrival.take(body)).await;
    let result = taken.unwrap_or_else(|_| match arrival.body {
        // The client's doing, or the network's.
        None => Err(Refusal::BodyTooSlow),
        Some(_) => Err(Refusal::TooSlow),
    });
    let answer = match result {
        Ok(outcome) => {
            app.metrics.accepted(outcome);
            ack::committed(protocol)
        }
        Err(refusal) => {
            if let Refusal::Unverified(VerifyError::UnknownSerial { .. }) = &refusal {
                app.refreshing.wake(&arrival.path_merchant);
            }
            let refusal = arrival.keep(refusal, deadline).await;
            app.metrics.refused(refusal.verdict());
            let merchant = merchant(app, &arrival.path_merchant).ok();
            app.alerts.refused(merchant.as_ref().map(|known| &known.mchid), refusal.verdict(), received_at);
            ack::refused(protocol, &refusal)
        }
    };
    app.metrics.callback_seconds.observe(started.elapsed().as_secs_f64());
    answer
}

/// Any other method on its path.
pub(crate) async fn wrong_method_v3(State(app): State<Arc<App>>) -> Response<Body> {
    wrong_method(Protocol::V3, &app)
}

/// Any other method on its path.
pub(crate) async fn wrong_method_v2(State(app): State<Arc<App>>) -> Response<Body> {
    wrong_method(Protocol::V2, &app)
}

fn wrong_method(protocol: Protocol, app: &App) -> Response<Body> {
    app.metrics.refused(Refusal::WrongMethod.verdict());
    ack::refused(protocol, &Refusal::WrongMethod)
}

/// A callback and where it arrived.
struct Arrival<'a> {
    app: &'a App,
    protocol: Protocol,
    path_merchant: String,
    headers: HeaderMap,
    /// `None` until it has come.
    body: Option<Bytes>,
    received_at: UnixMillis,
}

impl Arrival<'_> {
    async fn take(&mut self, body: Body) -> Result<Outcome, Refusal> {
        let body = read(body).await?;
        let body = self.body.insert(body);
        let merchant = merchant(self.app, &self.path_merchant)?;
        let statement = self.protocol.believe(&merchant, &self.headers, body, self.received_at)?;
        if statement.is_committed(self.app).await {
            self.app.intake()?.note(Note::Answered(statement.receipt));
            return Ok(Outcome::Duplicate);
        }
        fault!("ingest: verified, before the queue");
        let outcome = statement.commit(self.app).await?;
        fault!("ingest: after commit, before ack");
        Ok(outcome)
    }

    /// Keeps a callback that was refused, with its verdict. Returns why it is refused, after all.
    async fn keep(&self, refusal: Refusal, deadline: Instant) -> Refusal {
        tracing::debug!(
            verdict = refusal.verdict(),
            status = refusal.status().as_u16(),
            merchant = %beginning(&self.path_merchant, KEPT_MERCHANT_BYTES_MAX).escape_debug(),
            "callback refused"
        );
        let body = self.body.as_deref().unwrap_or_default();
        if refusal.may_be_read_later()
            && let Ok(merchant) = merchant(self.app, &self.path_merchant)
            && let Some(notification) = envelope_id(body)
        {
            let unopened = Unopened {
                merchant: merchant.mchid.clone(),
                notification,
                received_at: self.received_at,
                headers: self.signature_headers(),
                body: body.to_vec(),
            };
            // The answer says that it is stored: not before it is.
            match timeout_at(deadline, self.set_aside(unopened)).await {
                Ok(Ok(())) if refusal.is_key_fault() => return refusal,
                // What is not understood is somebody's to look at, too.
                Ok(Ok(())) => {}
                Ok(Err(not_stored)) => return not_stored,
                Err(_) => return Refusal::TooSlow,
            }
        }
        if let Ok(intake) = self.app.intake()
            && refusal.worth_keeping()
        {
            intake.note(Note::Rejected(Rejected {
                received_at: self.received_at,
                path_merchant: beginning(&self.path_merchant, KEPT_MERCHANT_BYTES_MAX).to_owned(),
                http_status: refusal.status().as_u16(),
                verdict: refusal.verdict().to_owned(),
                reason: beginning(&refusal.to_string(), KEPT_TEXT_BYTES_MAX).to_owned(),
                headers: beginning(&self.signature_headers(), KEPT_TEXT_BYTES_MAX).to_owned(),
                body: body[..body.len().min(KEPT_BODY_BYTES_MAX)].to_vec(),
            }));
        }
        refusal
    }

    /// Stores a verified callback that may be read later. Rare: it may take a transaction of its own.
    async fn set_aside(&self, unopened: Unopened) -> Result<(), Refusal> {
        let (store, runtime) = (Arc::clone(&self.app.store), Handle::current());
        let note = [Note::Unopened(unopened)];
        let written = spawn_blocking(move || runtime.block_on(store.note(&note))).await;
        written.map_err(|_| Refusal::ShuttingDown)?.map_err(|error| Refusal::NotStored(Arc::new(error)))
    }

    fn signature_headers(&self) -> String {
        let mut lines = String::new();
        for name in headers::ALL.iter().copied() {
            for value in self.headers.get_all(name) {
                lines.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
            }
        }
        lines
    }
}

fn merchant(app: &App, path_merchant: &str) -> Result<Arc<Merchant>, Refusal> {
    app.merchants
        .load()
        .get(path_merchant)
        .cloned()
        .ok_or_else(|| Refusal::UnknownMerchant { path_merchant: path_merchant.to_owned() })
}

/// The first bytes of a text, as far as whole characters go.
fn beginning(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

async fn read(body: Body) -> Result<Bytes, Refusal> {
    // What announces too much is refused before it is sent.
    if body.size_hint().lower() > CALLBACK_BYTES_MAX as u64 {
        return Err(Refusal::BodyTooLarge);
    }
    to_bytes(body, CALLBACK_BYTES_MAX).await.map_err(|error| {
        let too_large = std::error::Error::source(&error)
            .is_some_and(|source| source.is::<http_body_util::LengthLimitError>());
        if too_large { Refusal::BodyTooLarge } else { Refusal::BodyLost }
    })
}

/// The envelope's `id`, which stands outside the ciphertext. The body is verified.
fn envelope_id(body: &[u8]) -> Option<NotificationId> {
    #[derive(serde::Deserialize)]
    struct Envelope {
        id: String,
    }
    let envelope: Envelope = serde_json::from_slice(body).ok()?;
    NotificationId::parse(&envelope.id).ok()
}
