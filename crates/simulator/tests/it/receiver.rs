//! A notify URL: takes what comes, keeps it, and answers what it is told to.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// One callback as it came.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The receiver; it serves until the runtime ends.
pub(crate) struct Receiver {
    pub(crate) addr: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    status: u16,
    body: String,
    came: Vec<Came>,
}

impl Receiver {
    /// Answers every callback with this status.
    pub(crate) async fn answering(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { status, body: "answered".to_owned(), came: Vec::new() }));
        let serving = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&serving);
                let service = service_fn(move |request| answer(Arc::clone(&state), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { addr, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/notify/v3/shop", self.addr)
    }

    /// Answers with another status from now on.
    pub(crate) fn answer(&self, status: u16) {
        self.state.lock().unwrap().status = status;
    }

    /// Says this from now on.
    pub(crate) fn answer_with(&self, body: &str) {
        body.clone_into(&mut self.state.lock().unwrap().body);
    }

    pub(crate) fn came(&self) -> Vec<Came> {
        self.state.lock().unwrap().came.clone()
    }
}

async fn answer(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let mut state = state.lock().unwrap();
    state.came.push(Came { path: parts.uri.path().to_owned(), headers: parts.headers, body });
    let answer = Response::builder().status(state.status).body(Full::new(Bytes::from(state.body.clone())));
    Ok(answer.unwrap())
}
