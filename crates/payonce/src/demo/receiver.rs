//! The merchant's own system: takes messages, verifies each, and counts.

use std::{
    collections::HashSet,
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::{
    Request, Response, StatusCode, body::Incoming, header::HeaderMap, server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use standardwebhooks::Webhook;
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle, time::timeout};

/// How long the next message may take.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Ledger {
    /// The ids of the messages that came: the same message may come twice.
    ids: Mutex<HashSet<String>>,
    forged: Mutex<u64>,
    came: Notify,
}

/// What the receiver saw.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Received {
    /// Different messages.
    pub messages: u64,
    /// Calls whose signature is not payonce's.
    pub forged: u64,
}

pub(super) struct Receiver {
    addr: SocketAddr,
    ledger: Arc<Ledger>,
    serving: JoinHandle<()>,
}

impl Receiver {
    /// Listens on a port of the loopback. `secret`: what payonce signs with.
    pub(super) async fn open(secret: &str) -> anyhow::Result<Self> {
        let webhook = Arc::new(Webhook::new(secret).context("the secret of the demo's endpoint")?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let ledger = Arc::<Ledger>::default();
        let serving = tokio::spawn(serve(listener, webhook, Arc::clone(&ledger)));
        Ok(Self { addr, ledger, serving })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/messages", self.addr)
    }

    /// Waits for so many different messages, as long as some come.
    pub(super) async fn received(&self, messages: u64) -> Received {
        while self.seen().messages < messages {
            if timeout(PATIENCE, self.ledger.came.notified()).await.is_err() {
                // Too few are a figure as well.
                break;
            }
        }
        self.seen()
    }

    fn seen(&self) -> Received {
        let messages = self.ledger.ids.lock().unwrap_or_else(PoisonError::into_inner).len() as u64;
        Received { messages, forged: *self.ledger.forged.lock().unwrap_or_else(PoisonError::into_inner) }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, webhook: Arc<Webhook>, ledger: Arc<Ledger>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (webhook, ledger) = (Arc::clone(&webhook), Arc::clone(&ledger));
        let service = service_fn(move |request| take(request, Arc::clone(&webhook), Arc::clone(&ledger)));
        // A connection that breaks is the dispatcher's business: it calls again.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn take(
    request: Request<Incoming>,
    webhook: Arc<Webhook>,
    ledger: Arc<Ledger>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let status = match body.collect().await {
        Ok(body) => note(&head.headers, &body.to_bytes(), &webhook, &ledger),
        Err(_) => StatusCode::BAD_REQUEST,
    };
    let mut response = Response::new(Empty::new());
    *response.status_mut() = status;
    Ok(response)
}

fn note(headers: &HeaderMap, body: &[u8], webhook: &Webhook, ledger: &Ledger) -> StatusCode {
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok());
    let (Some(id), Ok(())) = (id, webhook.verify(body, headers)) else {
        *ledger.forged.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        return StatusCode::UNAUTHORIZED;
    };
    ledger.ids.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
    ledger.came.notify_one();
    StatusCode::NO_CONTENT
}
