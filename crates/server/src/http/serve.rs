//! The accept loop: HTTP/1.1 over TCP, bounded in connections and in patience, stopped gracefully.
//!
//! Deliberately absent: TLS (a proxy in front has the certificate) and HTTP/2 (WeChat speaks HTTP/1.1).

use std::{sync::Arc, time::Duration};

use axum::Router;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
};
use tower_service::Service;

/// How long a client may take to send a request's head. WeChat gives up after 5 s in all.
pub(crate) const HEAD_PATIENCE: Duration = Duration::from_secs(10);

/// A request's head. WeChat's headers take about a thousand bytes.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// How long to wait after the system refused to accept (out of file descriptors, for one).
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// What bounds the loop.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections served at one time; further ones wait in the system's backlog.
    pub connections_max: usize,
    /// How long open requests may take once the server stops.
    pub shutdown_max: Duration,
}

/// Serves `router` until `stopping` turns true and the open requests are answered.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stopping: watch::Receiver<bool>) {
    serve_patiently(HEAD_PATIENCE, listener, router, limits, stopping).await;
}

/// The same with another patience for a request's head.
pub(crate) async fn serve_patiently(
    head_patience: Duration,
    listener: TcpListener,
    router: Router,
    limits: Limits,
    mut stopping: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(limits.connections_max));
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head_patience).max_buf_size(HEAD_BYTES_MAX);
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stopping.changed() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let (stream, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
                continue;
            }
        };
        let router = router.clone();
        let service = service_fn(move |request| router.clone().call(request));
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // A client that broke off is no fault of ours.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.shutdown_max, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were still open when the time to stop was over");
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.expect("BUG: the semaphore is never closed");
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, place))
}
