//! The merchant's own calls of payonce's API. A node that is away answers nothing.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::handshake;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::shop::API_KEY;

/// After this a node counts as away.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// `GET path`: the status and the body.
pub(crate) async fn get(node: SocketAddr, path: &str) -> Option<(u16, Bytes)> {
    call(node, Request::get(path), Bytes::new()).await
}

/// `POST path` with JSON: the status and the body.
pub(crate) async fn post(node: SocketAddr, path: &str, body: &Value) -> Option<(u16, Bytes)> {
    call(node, Request::post(path), body.to_string().into()).await
}

/// `PUT path` with JSON: the status and the body.
pub(crate) async fn put(node: SocketAddr, path: &str, body: &Value) -> Option<(u16, Bytes)> {
    call(node, Request::put(path), body.to_string().into()).await
}

async fn call(node: SocketAddr, request: http::request::Builder, body: Bytes) -> Option<(u16, Bytes)> {
    let request = request
        .header(header::HOST, node.to_string())
        .header(header::AUTHORIZATION, format!("Bearer {API_KEY}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(body))
        .unwrap();
    let answer = async {
        let stream = TcpStream::connect(node).await.ok()?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        let response = sender.send_request(request).await.ok()?;
        let status = response.status().as_u16();
        Some((status, response.into_body().collect().await.ok()?.to_bytes()))
    };
    tokio::time::timeout(ANSWER_LIMIT, answer).await.ok().flatten()
}
