//! One keep-alive HTTP/1.1 connection to the receiver, made anew when it is broken.
//!
//! Invariant: one request at a time. Deliberately absent: TLS, redirects, a second try within one attempt.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::Target;
use crate::SignedCallback;

/// Makes connections. Over TCP in earnest, in memory where a test stops the clock.
pub(super) trait Dial: Send + Sync + 'static {
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    fn dial(&self, addr: SocketAddr) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// Dials in earnest.
pub(super) struct Tcp;

impl Dial for Tcp {
    type Stream = TcpStream;

    async fn dial(&self, addr: SocketAddr) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// A connection that may be down.
pub(super) struct Line<'a, D> {
    dial: &'a D,
    addr: SocketAddr,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl<'a, D: Dial> Line<'a, D> {
    pub(super) fn new(dial: &'a D, addr: SocketAddr) -> Self {
        Self { dial, addr, sender: None }
    }

    /// The status of the whole answer; none where the connection cannot be made or breaks before the answer's end.
    pub(super) async fn post(&mut self, target: &Target, callback: &SignedCallback) -> Option<u16> {
        let request = request(target, callback);
        let response = self.connected().await?.send_request(request).await.ok()?;
        let status = response.status().as_u16();
        // Read to the end, since the connection carries the next answer only then.
        response.into_body().collect().await.ok()?;
        Some(status)
    }

    /// Forgets the connection, which closes it.
    pub(super) fn hang_up(&mut self) {
        self.sender = None;
    }

    /// A connection that is ready for a request: the old one if the receiver left it open, else a new one.
    async fn connected(&mut self) -> Option<&mut SendRequest<Full<Bytes>>> {
        let mut old = self.sender.take();
        if let Some(sender) = &mut old
            && sender.ready().await.is_err()
        {
            old = None;
        }
        let sender = match old {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        Some(self.sender.insert(sender))
    }

    async fn connect(&self) -> Option<SendRequest<Full<Bytes>>> {
        let stream = self.dial.dial(self.addr).await.ok()?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
        // Ends by itself once the sender is dropped; its error reaches us as the request's.
        tokio::spawn(connection);
        Some(sender)
    }
}

pub(super) fn request(target: &Target, callback: &SignedCallback) -> Request<Full<Bytes>> {
    let mut request = Request::post(target.path.clone())
        .header(header::HOST, target.addr.to_string())
        .header(header::ACCEPT, "*/*");
    for (name, value) in callback.headers() {
        request = request.header(name, value);
    }
    request
        .body(Full::new(callback.body().clone()))
        .expect("BUG: a callback's headers are visible ASCII, also after tampering")
}
