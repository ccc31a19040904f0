//! The page's table of contents.

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use super::frame::{SCRIPT, STYLE};
use super::{acts, list, order, refunds};
use crate::control::refuse_others;
use crate::simulator::Shared;

pub(crate) fn routes(shared: Arc<Shared>) -> Router {
    let css = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    let js = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    Router::new()
        .route("/", get(list::show))
        .route("/cashier/order/{mchid}/{out_trade_no}", get(order::show))
        .route("/cashier/pay", post(acts::pay))
        .route("/cashier/cancel", post(acts::cancel))
        .route("/cashier/close", post(acts::close))
        .route("/cashier/refund", post(refunds::refund))
        .route("/cashier/refund/end", post(refunds::end))
        .route("/cashier/resend", post(acts::resend))
        .route("/cashier/clock", post(acts::step))
        .route("/cashier/pace", post(acts::pace))
        .route("/cashier/trouble", post(acts::on))
        .route("/cashier/trouble/off", post(acts::off))
        .route("/cashier/style.css", get(async move || (css, STYLE)))
        .route("/cashier/live.js", get(async move || (js, SCRIPT)))
        .layer(from_fn_with_state(Arc::clone(&shared), refuse_others))
        .with_state(shared)
}
