//! The merchant's own system, with several endpoints: verifies each call, keeps it, and answers as it is told.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

use super::PATIENCE;

/// What all endpoints here are signed with.
pub(super) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A call, with its signature verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// Which endpoint.
    pub(super) endpoint: String,
    pub(super) id: String,
    pub(super) body: Bytes,
    /// What it was answered, whether or not anybody was there to hear it.
    pub(super) status: u16,
}

impl Call {
    pub(super) fn is_of(&self, endpoint: &str) -> bool {
        self.endpoint == endpoint
    }
}

/// What is done with a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Does {
    Answers(u16),
    /// Answers once [`Receiver::let_go`] says so.
    Holds(u16),
}

/// Decides on a call by its endpoint and its id.
type Manner = Box<dyn FnMut(&str, &str) -> Does + Send>;

struct Door {
    webhook: Webhook,
    calls: watch::Sender<Vec<Call>>,
    forged: Mutex<usize>,
    manner: Mutex<Manner>,
    let_go: watch::Sender<bool>,
    connections: watch::Sender<usize>,
}

pub(super) struct Receiver {
    addr: SocketAddr,
    door: Arc<Door>,
}

impl Receiver {
    /// Listens on a loopback port until the test's runtime ends, and takes everything.
    pub(super) async fn open() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let door = Arc::new(Door {
            webhook: Webhook::new(SECRET).unwrap(),
            calls: watch::Sender::default(),
            forged: Mutex::default(),
            manner: Mutex::new(Box::new(|_, _| Does::Answers(204))),
            let_go: watch::Sender::default(),
            connections: watch::Sender::default(),
        });
        tokio::spawn(serve(listener, Arc::clone(&door)));
        Self { addr, door }
    }

    pub(super) fn url(&self, endpoint: &str) -> String {
        format!("http://{}/{endpoint}", self.addr)
    }

    /// What is done with calls from now on.
    pub(super) fn does(&self, manner: impl FnMut(&str, &str) -> Does + Send + 'static) {
        *self.door.manner.lock().unwrap() = Box::new(manner);
    }

    /// Answers what it holds.
    pub(super) fn let_go(&self) {
        self.door.let_go.send_replace(true);
    }

    /// All calls that came, in the order in which they did.
    pub(super) fn calls(&self) -> Vec<Call> {
        assert_eq!(*self.door.forged.lock().unwrap(), 0, "calls that do not verify");
        self.door.calls.borrow().clone()
    }

    /// Waits until the calls are as they should be.
    pub(super) async fn heard(&self, what: &str, are: impl FnMut(&Vec<Call>) -> bool) {
        let mut calls = self.door.calls.subscribe();
        let heard = timeout(PATIENCE, calls.wait_for(are)).await.map(|heard| heard.is_ok());
        assert_eq!(heard, Ok(true), "never heard: {what}; {} calls came", self.calls().len());
    }

    /// Waits until every connection has ended: what a process that died had sent is heard then.
    pub(super) async fn is_left(&self) {
        let mut connections = self.door.connections.subscribe();
        let left = timeout(PATIENCE, connections.wait_for(|open| *open == 0)).await;
        assert!(left.is_ok(), "somebody is still connected");
    }
}

async fn serve(listener: TcpListener, door: Arc<Door>) {
    while let Ok((stream, _)) = listener.accept().await {
        door.connections.send_modify(|open| *open += 1);
        let door = Arc::clone(&door);
        tokio::spawn(async move {
            let service = service_fn(|request| take(request, Arc::clone(&door)));
            // A connection that breaks is the dispatcher's business: it calls again.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            door.connections.send_modify(|open| *open -= 1);
        });
    }
}

async fn take(request: Request<Incoming>, door: Arc<Door>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let mut response = Response::new(Empty::new());
    // A call that was cut off was not made.
    let Ok(body) = body.collect().await else { return Ok(response) };
    let body = body.to_bytes();
    if door.webhook.verify(&body, &head.headers).is_err() {
        *door.forged.lock().unwrap() += 1;
    }
    let id = head.headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let endpoint = head.uri.path().trim_start_matches('/').to_owned();
    let does = (door.manner.lock().unwrap())(&endpoint, &id);
    let (Does::Answers(status) | Does::Holds(status)) = does;
    door.calls.send_modify(|calls| calls.push(Call { endpoint, id, body, status }));
    if matches!(does, Does::Holds(_)) {
        let _ = door.let_go.subscribe().wait_for(|let_go| *let_go).await;
    }
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    Ok(response)
}
