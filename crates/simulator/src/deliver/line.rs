//! One keep-alive HTTP/1.1 connection to the receiver, made anew when it is broken.
//!
//! Invariants: one request at a time; of an answer's body no more than its beginning is kept. Deliberately absent: TLS,
//! which a [`super::Way`] brings along, redirects, a second try within one attempt.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt as _;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::{Payload, Posted, Target};

/// An acknowledgement is shorter, however much a framework puts around it.
const BODY_BYTES_KEPT: usize = 64 * 1024;

/// Makes connections. Over TCP in earnest, in memory where a test stops the clock.
pub(crate) trait Dial: Send + Sync + 'static {
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    fn dial(&self, addr: SocketAddr) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// Dials in earnest.
pub(crate) struct Tcp;

impl Dial for Tcp {
    type Stream = TcpStream;

    async fn dial(&self, addr: SocketAddr) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// The receiver's whole answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The first [`BODY_BYTES_KEPT`] of it.
    pub(crate) body: Vec<u8>,
}

/// Why there is no whole answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("no connection: {0}")]
    Dial(#[source] io::Error),
    #[error("no whole answer within {0:?}")]
    HungUp(Duration),
    #[error("the connection broke before the end of the answer: {0}")]
    Http(#[source] hyper::Error),
}

/// A connection that may be down.
pub(crate) struct Line<'a, D> {
    dial: &'a D,
    addr: SocketAddr,
    sender: Option<SendRequest<Payload>>,
}

impl<'a, D: Dial> Line<'a, D> {
    pub(crate) fn new(dial: &'a D, addr: SocketAddr) -> Self {
        Self { dial, addr, sender: None }
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn post(&mut self, target: &Target, posted: &Posted) -> Result<Reply, Broken> {
        exchange(self.connected().await?, posted.request(target).0).await
    }

    /// Forgets the connection, which closes it.
    pub(crate) fn hang_up(&mut self) {
        self.sender = None;
    }

    /// A connection that is ready for a request: the old one if the receiver left it open, else a new one.
    async fn connected(&mut self) -> Result<&mut SendRequest<Payload>, Broken> {
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
        Ok(self.sender.insert(sender))
    }

    async fn connect(&self) -> Result<SendRequest<Payload>, Broken> {
        let stream = self.dial.dial(self.addr).await.map_err(Broken::Dial)?;
        handshake(stream, false).await
    }
}

/// Sends one request over a connection that was just made, and reads the whole answer.
pub(crate) async fn post_once(
    stream: Box<dyn super::way::Stream>,
    target: &Target,
    posted: &Posted,
) -> Result<Reply, Broken> {
    let mut sender = handshake(stream, posted.carriage.small_letters).await?;
    let (request, sent) = posted.request(target);
    let answer = exchange(&mut sender, request);
    let Some(patience) = posted.carriage.patience else { return answer.await };
    let out_of_patience = async {
        let _ = sent.await; // it ends with the body, whichever way
        sleep(patience).await;
    };
    tokio::select! {
        biased;
        answered = answer => answered,
        () = out_of_patience => Err(Broken::HungUp(patience)),
    }
}

/// WeChat writes the names of headers with capitals.
async fn handshake(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    small_letters: bool,
) -> Result<SendRequest<Payload>, Broken> {
    let mut builder = Builder::new();
    builder.title_case_headers(!small_letters);
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(Broken::Http)?;
    // Ends by itself once the sender is dropped; its error reaches us as the request's.
    tokio::spawn(connection);
    Ok(sender)
}

async fn exchange(sender: &mut SendRequest<Payload>, request: Request<Payload>) -> Result<Reply, Broken> {
    let response = sender.send_request(request).await.map_err(Broken::Http)?;
    let status = response.status().as_u16();
    // Read to the end, since the connection carries the next answer only then.
    let (mut body, mut beginning) = (response.into_body(), Vec::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(Broken::Http)?;
        let data = frame.data_ref().map_or(&[][..], Bytes::as_ref);
        let room = BODY_BYTES_KEPT - beginning.len();
        beginning.extend_from_slice(&data[..data.len().min(room)]);
    }
    Ok(Reply { status, body: beginning })
}
