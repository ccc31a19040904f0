//! The port with TLS, where merchants may show their certificates: APIv2 needs that for refunds.
//!
//! Invariants: whoever shows a certificate that the simulator's authority did not issue is not let in; whoever shows none
//! is; a slow handshake keeps nobody else waiting. Validity is judged by the injected wall clock.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::time_provider::TimeProvider;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

use super::Shared;
use crate::Error;
use crate::clock::Clock;
use crate::keys::ServerIdentity;

/// A handshake takes no longer.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// Connections whose handshake is done and that nobody has taken yet.
const WAITING_MAX: usize = 64;

/// Who is at the other end.
#[derive(Clone, Debug)]
pub(crate) struct Peer(Option<CertificateDer<'static>>);

impl Peer {
    /// The certificate that was shown, in DER.
    pub(crate) fn certificate(&self) -> Option<&[u8]> {
        self.0.as_deref()
    }
}

/// Connections with TLS.
pub(super) struct TlsListener {
    addr: SocketAddr,
    shaken: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    _accepting: Accepting,
}

/// Ends with the listener.
struct Accepting(tokio::task::JoinHandle<()>);

impl Drop for Accepting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl TlsListener {
    /// Takes connections of this port.
    pub(super) fn of(port: TcpListener, shared: &Shared) -> Result<Self, Error> {
        let addr = port.local_addr().map_err(|_| Error::KeyGeneration)?;
        let acceptor = acceptor(shared, addr.ip())?;
        let (sender, shaken) = mpsc::channel(WAITING_MAX);
        let accepting = Accepting(tokio::spawn(accept(port, acceptor, sender)));
        Ok(Self { addr, shaken, _accepting: accepting })
    }
}

async fn accept(
    mut port: TcpListener,
    acceptor: TlsAcceptor,
    sender: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    loop {
        let (stream, addr) = Listener::accept(&mut port).await;
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true); // slower otherwise, and no worse
            if let Ok(Ok(stream)) = timeout(HANDSHAKE_LIMIT, acceptor.accept(stream)).await {
                let _ = sender.send((stream, addr)).await; // it fails where nobody listens any more
            }
        });
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.shaken.recv().await {
            Some(shaken) => shaken,
            // The accepting task ends only with this listener.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.addr)
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        let (_, connection) = stream.io().get_ref();
        let shown = connection.peer_certificates().and_then(<[_]>::first);
        Self(shown.map(|certificate| certificate.clone().into_owned()))
    }
}

/// The wall clock as TLS asks for it.
struct Wall(Clock);

impl std::fmt::Debug for Wall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wall")
    }
}

impl TimeProvider for Wall {
    fn current_time(&self) -> Option<UnixTime> {
        let now = (self.0)();
        Some(UnixTime::since_unix_epoch(Duration::from_secs(now.0.max(0).unsigned_abs())))
    }
}

fn acceptor(shared: &Shared, ip: IpAddr) -> Result<TlsAcceptor, Error> {
    let authority = &shared.authority;
    let ServerIdentity { certificate_pem, private_pem } =
        authority.server(ip, (shared.wall)(), &mut shared.keys_rng())?;
    let failed = || Error::KeyGeneration;
    let read = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| failed());
    let key = PrivateKeyDer::from_pem_slice(private_pem.as_bytes()).map_err(|_| failed())?;
    let mut roots = RootCertStore::empty();
    roots.add(read(authority.certificate_pem())?).map_err(|_| failed())?;
    let provider = Arc::new(default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let verifier = verifier.allow_unauthenticated().build().map_err(|_| failed())?;
    let wall = Arc::new(Wall(Arc::clone(&shared.wall)));
    let config = ServerConfig::builder_with_details(provider, wall)
        .with_safe_default_protocol_versions()
        .map_err(|_| failed())?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![read(&certificate_pem)?, read(authority.certificate_pem())?], key)
        .map_err(|_| failed())?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
