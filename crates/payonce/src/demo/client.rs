//! Registers orders and an endpoint over HTTP, as a merchant's own system does.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    client::conn::http1::{self, SendRequest},
    header,
};
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

/// Defines an endpoint.
pub(super) async fn define(
    addr: SocketAddr,
    api_key: &str,
    name: &str,
    endpoint: &Value,
) -> anyhow::Result<()> {
    let mut sender = connect(addr).await?;
    let authorization = format!("Bearer {api_key}");
    let request = request(Method::PUT, &format!("/v1/endpoints/{name}"), addr, &authorization, endpoint)?;
    created(sender.send_request(request).await?, "the endpoint was not defined").await
}

async fn register(
    addr: SocketAddr,
    authorization: String,
    registrations: Vec<Value>,
    bar: ProgressBar,
) -> anyhow::Result<()> {
    let mut sender = connect(addr).await?;
    for registration in registrations {
        let request = request(Method::POST, "/v1/orders", addr, &authorization, &registration)?;
        created(sender.send_request(request).await?, "an order was not registered").await?;
        bar.inc(1);
    }
    Ok(())
}

async fn connect(addr: SocketAddr) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(addr).await.context("the server does not answer")?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

fn request(
    method: Method,
    path: &str,
    addr: SocketAddr,
    authorization: &str,
    body: &Value,
) -> anyhow::Result<Request<Full<Bytes>>> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, addr.to_string())
        .header(header::AUTHORIZATION, authorization)
        .header(header::CONTENT_TYPE, "application/json");
    Ok(request.body(Full::new(Bytes::from(body.to_string())))?)
}

async fn created(response: Response<Incoming>, otherwise: &str) -> anyhow::Result<()> {
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    ensure!(status == StatusCode::CREATED, "{otherwise}: {status} {}", String::from_utf8_lossy(&body));
    Ok(())
}
