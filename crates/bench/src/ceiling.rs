//! The ceiling: payonce's own HTTP stack with a handler that verifies, decrypts and answers, and does nothing else.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{self, Request, State},
    http::StatusCode,
    routing::post,
};
use payonce_core::{Clock as _, SystemClock};
use payonce_server::{
    CALLBACK_BYTES_MAX,
    config::{Config, Environment, Merchant},
    http::{self, Limits},
};
use tokio::{net::TcpListener, sync::watch};
use wechatpay::{Callback, UnixSeconds};

type Merchants = Arc<HashMap<String, Merchant>>;

/// Serves, as a payonce configuration says, until it is killed. Prints the address as payonce's log does.
pub(crate) fn serve(path: &Path) -> anyhow::Result<()> {
    let loaded =
        Config::load(Some(path), &Environment::default()).context("the benchmark's configuration")?;
    let config = loaded.config;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(config.server.listen).await?;
        let address = serde_json::json!({ "fields": { "addr": listener.local_addr()?.to_string() } });
        eprintln!("{address}");
        let limits = Limits {
            connections_max: config.server.connections_max,
            shutdown_max: Duration::from_secs(config.server.shutdown_seconds_max),
        };
        let merchants: Merchants = Arc::new(
            config.merchants.into_iter().map(|merchant| (merchant.mchid.to_string(), merchant)).collect(),
        );
        let router = Router::new().route("/notify/v3/{merchant}", post(verify_only)).with_state(merchants);
        let (_never, stopping) = watch::channel(false);
        http::serve(listener, router, limits, stopping).await;
        Ok(())
    })
}

async fn verify_only(
    State(merchants): State<Merchants>,
    extract::Path(merchant): extract::Path<String>,
    request: Request<Body>,
) -> StatusCode {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, CALLBACK_BYTES_MAX).await else { return StatusCode::BAD_REQUEST };
    let Some(merchant) = merchants.get(&merchant) else { return StatusCode::BAD_REQUEST };
    let headers = head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let now = UnixSeconds(SystemClock.now().seconds());
    let opened = Callback::parse(headers, &body)
        .ok()
        .and_then(|callback| callback.verify(merchant.keys.keys().platform(), now).ok())
        .and_then(|verified| verified.open(&merchant.apiv3_key).ok());
    if opened.is_some() { StatusCode::NO_CONTENT } else { StatusCode::UNAUTHORIZED }
}
