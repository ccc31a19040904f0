//! A notify URL: takes what comes, keeps it, and answers what it is told to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Barrier, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

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
    scheme: &'static str,
    state: Arc<Mutex<State>>,
    count: watch::Receiver<usize>,
}

struct State {
    /// Without one it never answers.
    status: Option<u16>,
    body: String,
    came: Vec<Came>,
    count: watch::Sender<usize>,
    /// So many are answered at one moment.
    together: Arc<Barrier>,
    is_let_go: watch::Sender<bool>,
}

impl Receiver {
    /// Answers every callback with this status.
    pub(crate) async fn answering(status: u16) -> Self {
        Self::listening("127.0.0.1:0", Some(status), None).await
    }

    /// Answers callbacks once so many wait for it.
    pub(crate) async fn answering_together(status: u16, count: usize) -> Self {
        let receiver = Self::answering(status).await;
        receiver.state.lock().unwrap().together = Arc::new(Barrier::new(count));
        receiver
    }

    /// Answers with this status, once it is let go.
    pub(crate) async fn holding(status: u16) -> Self {
        let receiver = Self::answering(status).await;
        receiver.state.lock().unwrap().is_let_go.send_replace(false);
        receiver
    }

    /// Answers what it holds, and what comes.
    pub(crate) fn let_go(&self) {
        self.state.lock().unwrap().is_let_go.send_replace(true);
    }

    /// Takes callbacks and never answers.
    pub(crate) async fn silent() -> Self {
        Self::listening("127.0.0.1:0", None, None).await
    }

    /// Answers over IPv6.
    pub(crate) async fn over_ipv6(status: u16) -> Self {
        Self::listening("[::1]:0", Some(status), None).await
    }

    /// Answers over TLS, with a certificate and its key in PEM.
    pub(crate) async fn over_tls(status: u16, certificate: &str, key: &str) -> Self {
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Self::listening("127.0.0.1:0", Some(status), Some(Arc::new(config).into())).await
    }

    async fn listening(addr: &str, status: Option<u16>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(addr).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (sender, count) = watch::channel(0);
        let state = Arc::new(Mutex::new(State {
            status,
            body: "answered".to_owned(),
            came: Vec::new(),
            count: sender,
            together: Arc::new(Barrier::new(1)),
            is_let_go: watch::Sender::new(true),
        }));
        let serving = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (state, tls) = (Arc::clone(&serving), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, state).await,
                        // Who does not trust the certificate hangs up.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, state).await;
                            }
                        }
                    }
                });
            }
        });
        Self { addr, scheme, state, count }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://{}/notify/v3/shop", self.scheme, self.addr)
    }

    /// Answers with another status from now on.
    pub(crate) fn answer(&self, status: u16) {
        self.state.lock().unwrap().status = Some(status);
    }

    /// Says this from now on.
    pub(crate) fn answer_with(&self, body: &str) {
        body.clone_into(&mut self.state.lock().unwrap().body);
    }

    pub(crate) fn came(&self) -> Vec<Came> {
        self.state.lock().unwrap().came.clone()
    }

    /// Waits until so many callbacks have come.
    pub(crate) async fn until(&self, count: usize) -> Vec<Came> {
        self.count.clone().wait_for(|came| *came >= count).await.unwrap();
        self.came()
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, state: Arc<Mutex<State>>) {
    let service = service_fn(move |request| answer(Arc::clone(&state), request));
    // A connection that breaks is the simulator's business.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let (status, body, together, mut is_let_go) = {
        let mut state = state.lock().unwrap();
        state.came.push(Came { path: parts.uri.path().to_owned(), headers: parts.headers, body });
        state.count.send_modify(|count| *count += 1);
        (state.status, state.body.clone(), Arc::clone(&state.together), state.is_let_go.subscribe())
    };
    is_let_go.wait_for(|is_let_go| *is_let_go).await.unwrap();
    together.wait().await;
    match status {
        Some(status) => Ok(Response::builder().status(status).body(Full::new(Bytes::from(body))).unwrap()),
        None => std::future::pending().await,
    }
}
