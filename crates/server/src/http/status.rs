//! For whoever watches the server: is it alive, is it ready, what has it counted.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};

use crate::server::App;

/// The media type that Prometheus asks for (OpenMetrics text).
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /healthz`: the process answers, and has lost neither its applier nor its roles.
pub(crate) async fn alive(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    match app.intake() {
        Ok(_) if app.has_roles() => (StatusCode::OK, "ok\n"),
        Ok(_) => (StatusCode::SERVICE_UNAVAILABLE, "the background roles have ended\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the applier has ended\n"),
    }
}

/// `GET /readyz`: callbacks can be committed, as far as can be told without one.
pub(crate) async fn ready(State(app): State<Arc<App>>) -> impl IntoResponse {
    if app.intake().is_err() {
        return (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n".to_owned());
    }
    match app.store.ping().await {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {error}\n")),
    }
}

/// `GET /metrics`.
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let merchants = app.merchants.load();
    let keys = merchants.iter().map(|merchant| (merchant.mchid.as_str(), merchant.keys.health()));
    ([(header::CONTENT_TYPE, OPENMETRICS)], app.metrics.render(keys))
}
