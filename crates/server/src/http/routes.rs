//! The router: payonce's table of contents.

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};

use super::{authorized, status};
use crate::{api, ingest, server::App};

/// A registration takes a few hundred bytes.
const API_BYTES_MAX: usize = 64 * 1024;

pub(crate) fn routes(app: Arc<App>) -> Router {
    let merchants_own = Router::new()
        .route("/v1/orders", post(api::orders::register))
        .route("/v1/orders/{out_trade_no}", get(api::orders::show))
        .route("/v1/messages", get(api::messages::list))
        .route("/v1/messages/stream", get(api::stream::stream))
        .route("/v1/alerts/test", post(api::alerts::test))
        .route("/v1/consumers", get(api::consumers::list))
        .route(
            "/v1/consumers/{consumer}",
            get(api::consumers::show).put(api::consumers::put).delete(api::consumers::remove),
        )
        .route("/v1/keys", get(api::keys::show))
        .route("/v1/endpoints", get(api::endpoints::list))
        .route(
            "/v1/endpoints/{endpoint}",
            get(api::endpoints::show).put(api::endpoints::put).delete(api::endpoints::remove),
        )
        .route("/v1/endpoints/{endpoint}/enable", post(api::endpoints::enable))
        .route("/v1/endpoints/{endpoint}/disable", post(api::endpoints::disable))
        .route("/v1/endpoints/{endpoint}/rotate", post(api::endpoints::rotate))
        .route("/v1/endpoints/{endpoint}/replay", post(api::endpoints::replay))
        .route("/v1/endpoints/{endpoint}/messages", get(api::endpoints::undelivered))
        .route("/v1/endpoints/{endpoint}/messages/{position}/attempts", get(api::endpoints::attempts))
        .route("/v1/effects/failures", get(api::effects::failures))
        .layer(DefaultBodyLimit::max(API_BYTES_MAX))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), authorized));

    Router::new()
        .route("/notify/v3/{merchant}", post(ingest::notify_v3).fallback(ingest::wrong_method_v3))
        .route("/notify/v2/{merchant}", post(ingest::notify_v2).fallback(ingest::wrong_method_v2))
        .merge(merchants_own)
        .route("/healthz", get(status::alive))
        .route("/readyz", get(status::ready))
        .route("/metrics", get(status::metrics))
        .fallback(api::no_such_route)
        .method_not_allowed_fallback(api::no_such_method)
        .with_state(app)
}
