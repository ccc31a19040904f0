//! The connections to one host: opened as they are needed, kept for the next call.
//!
//! Invariant: no more are kept than calls may be made at the same time, and none is used after [`IDLE_MAX`].

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use payonce_core::delivery::Fault;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};

use crate::{
    connect::{Dialer, Encryption},
    failure::Failure,
    target::Target,
};

pub(super) type Connection = http1::SendRequest<Full<Bytes>>;

/// How long a connection may lie idle and still be used. Common servers close theirs after five seconds; a call that
/// meets the end of its connection may have been heard or not, and would count as failed.
pub const IDLE_MAX: Duration = Duration::from_secs(4);

/// The head of an answer, at most.
const HEAD_BYTES_MAX: usize = 64 * 1024;

pub(super) struct Pool {
    dialer: Dialer,
    encryption: Option<Encryption>,
    target: Target,
    connect_max: Duration,
    kept_max: usize,
    /// The latest used one last.
    kept: Mutex<VecDeque<(Instant, Connection)>>,
}

impl Pool {
    pub(super) fn new(
        dialer: Dialer,
        encryption: Option<Encryption>,
        target: Target,
        connect_max: Duration,
        kept_max: usize,
    ) -> Self {
        Self { dialer, encryption, target, connect_max, kept_max, kept: Mutex::default() }
    }

    /// A connection that is ready for a call, if one was kept.
    pub(super) async fn idle(&self) -> Option<Connection> {
        loop {
            let (since, mut connection) = self.kept().pop_back()?;
            if since.elapsed() <= IDLE_MAX && connection.ready().await.is_ok() {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection whose answer was read to its end.
    pub(super) fn keep(&self, connection: Connection) {
        if connection.is_closed() {
            return;
        }
        let mut kept = self.kept();
        while kept.len() >= self.kept_max || kept.front().is_some_and(|(since, _)| since.elapsed() > IDLE_MAX)
        {
            if kept.pop_front().is_none() {
                break;
            }
        }
        kept.push_back((Instant::now(), connection));
    }

    /// Opens a new connection.
    pub(super) async fn open(&self, total_until: Instant) -> Result<Connection, Failure> {
        let until = total_until.min(Instant::now() + self.connect_max);
        let stream = self.dialer.dial(&self.target.host, self.target.port, until).await?;
        match &self.encryption {
            Some(encryption) => shake_hands(encryption.encrypt(stream, until).await?).await,
            None => shake_hands(stream).await,
        }
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<(Instant, Connection)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Speaks HTTP on a connection from now on.
async fn shake_hands<S>(stream: S) -> Result<Connection, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut http = http1::Builder::new();
    http.max_header_size(HEAD_BYTES_MAX);
    let (connection, driver) = http
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| Failure::of(Fault::NotConnected, &error))?;
    // It ends with the connection, and that with its sender. What goes wrong is told to who waits for an answer.
    tokio::spawn(async move {
        let _ = driver.await;
    });
    Ok(connection)
}
