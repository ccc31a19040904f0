//! What RabbitMQ's client runs on: tokio, and connections that we open.
//!
//! Invariant: the client opens no connection itself, so that none leads where it may not; it is given one that stands, be
//! it encrypted or not.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use async_compat::Compat;
use async_rs::{
    Tokio,
    traits::{Executor, Reactor, RuntimeKit},
    util::Task,
};
use futures_core::Stream as Items;
use futures_io::{AsyncRead, AsyncWrite};
use tokio::{io::ReadBuf, sync::oneshot};

/// A connection, whatever it is.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

pub(super) type Streams = Box<dyn Stream>;

/// A connection of tokio's as the client takes it. It ends when its tether does: the client has a thread for each, which
/// would otherwise wait for a broker that hangs for as long as that does.
pub(super) fn tethered<S>(stream: S) -> (Streams, Tether)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    let (tether, held) = oneshot::channel();
    (Box::new(Compat::new(Tethered { stream, held })), Tether { _end: tether })
}

/// Dropping it ends the connection.
pub(super) struct Tether {
    _end: oneshot::Sender<Infallible>,
}

struct Tethered<S> {
    stream: S,
    held: oneshot::Receiver<Infallible>,
}

impl<S: tokio::io::AsyncRead + Unpin> tokio::io::AsyncRead for Tethered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.held).poll(cx) {
            Poll::Ready(_) => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            Poll::Pending => Pin::new(&mut self.stream).poll_read(cx, buffer),
        }
    }
}

// Who writes reads as well, and is woken there.
impl<S: tokio::io::AsyncWrite + Unpin> tokio::io::AsyncWrite for Tethered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Tokio, but for connections.
#[derive(Clone, Debug)]
pub(super) struct Runtime(pub(super) Tokio);

impl RuntimeKit for Runtime {}

impl Executor for Runtime {
    type Task<T: Send + 'static> = <Tokio as Executor>::Task<T>;

    fn block_on<T, F: Future<Output = T>>(&self, f: F) -> T {
        self.0.block_on(f)
    }

    fn spawn<T: Send + 'static, F: Future<Output = T> + Send + 'static>(&self, f: F) -> Task<Self::Task<T>> {
        self.0.spawn(f)
    }

    fn spawn_blocking<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(
        &self,
        f: F,
    ) -> Task<Self::Task<T>> {
        self.0.spawn_blocking(f)
    }
}

impl Reactor for Runtime {
    type TcpStream = Streams;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: io::Read + io::Write + Send + 'static>(
        &self,
        _: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        Err::<Streams, _>(io::ErrorKind::Unsupported.into())
    }

    fn sleep(&self, time: Duration) -> Self::Sleep {
        self.0.sleep(time)
    }

    fn interval(&self, time: Duration) -> impl Items<Item = Instant> + Send + 'static {
        self.0.interval(time)
    }

    fn tcp_connect_addr(&self, _: SocketAddr) -> impl Future<Output = io::Result<Streams>> + Send + 'static {
        std::future::ready(Err(io::ErrorKind::Unsupported.into()))
    }
}
