//! Registers orders over HTTP, as a merchant's own system does.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, StatusCode, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use indicatif::ProgressBar;
use serde_json::Value;
use tokio::{net::TcpStream, task::JoinSet};

/// Connections that register at one time: the server commits what comes together in one transaction.
const CONNECTIONS: usize = 16;

/// Registers every order; fails at the first that is not accepted.
pub(super) async fn register_all(
    addr: SocketAddr,
    api_key: &str,
    registrations: Vec<Value>,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let share = registrations.len().div_ceil(CONNECTIONS).max(1);
    let mut tasks = JoinSet::new();
    for share in registrations.chunks(share) {
        tasks.spawn(register(addr, format!("Bearer {api_key}"), share.to_vec(), bar.clone()));
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

async fn register(
    addr: SocketAddr,
    authorization: String,
    registrations: Vec<Value>,
    bar: ProgressBar,
) -> anyhow::Result<()> {
    let stream = TcpStream::connect(addr).await.context("the server does not answer")?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    for registration in registrations {
        let request = Request::post("/v1/orders")
            .header(header::HOST, addr.to_string())
            .header(header::AUTHORIZATION, &authorization)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(registration.to_string())))?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(
            status == StatusCode::CREATED,
            "an order was not registered: {status} {}",
            String::from_utf8_lossy(&body)
        );
        bar.inc(1);
    }
    Ok(())
}
