//! The control API's table of contents.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, delete, get, post, put};

use super::{clock, list, merchants, notices, orders, people, refuse_others, reset, trouble};
use crate::simulator::Shared;

/// Everything under `/_sim`.
pub(crate) fn routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .merge(of_merchants())
        .merge(of_orders())
        .route("/_sim", get(list::calls).fallback(list::unknown))
        .route("/_sim/users", get(people::list).post(people::openid).fallback(list::unknown))
        .route("/_sim/logins", post(people::login).fallback(list::unknown))
        .route("/_sim/clock", get(clock::read).put(clock::set_pace).fallback(list::unknown))
        .route("/_sim/clock/step", post(clock::step).fallback(list::unknown))
        .route("/_sim/quiet", post(clock::quiet).fallback(list::unknown))
        .merge(of_trouble())
        .route("/_sim/reset", post(reset::reset).fallback(list::unknown))
        .route("/_sim/", any(list::unknown))
        .route("/_sim/{*rest}", any(list::unknown))
        .layer(from_fn_with_state(Arc::clone(&shared), refuse_others))
        .with_state(shared)
}

fn of_merchants() -> Router<Arc<Shared>> {
    let certificates = post(merchants::add_certificate).delete(merchants::retire_certificates);
    Router::new()
        .route("/_sim/merchants", get(merchants::list).post(merchants::create).fallback(list::unknown))
        .route("/_sim/merchants/{mchid}", get(merchants::one).fallback(list::unknown))
        .route("/_sim/merchants/{mchid}/certificates", certificates.fallback(list::unknown))
        .route("/_sim/merchants/{mchid}/public-key", post(merchants::add_public_key).fallback(list::unknown))
        .route("/_sim/merchants/{mchid}/api-certificate", post(merchants::add_own).fallback(list::unknown))
        .route("/_sim/merchants/{mchid}/refund-url", put(merchants::set_refund_url).fallback(list::unknown))
        .route("/_sim/merchants/{mchid}/grey", put(merchants::set_grey).fallback(list::unknown))
        .route("/_sim/tls", post(merchants::tls).fallback(list::unknown))
}

fn of_orders() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_sim/orders", get(orders::list).fallback(list::unknown))
        .route("/_sim/pay", post(orders::pay).fallback(list::unknown))
        .route("/_sim/cancel", post(orders::cancel).fallback(list::unknown))
        .route("/_sim/close", post(orders::close).fallback(list::unknown))
        .route("/_sim/refund", post(orders::refund).fallback(list::unknown))
        .route("/_sim/refunds", get(orders::list_refunds).fallback(list::unknown))
        .route("/_sim/refunds/end", post(orders::end_refund).fallback(list::unknown))
        .route("/_sim/funds", put(orders::set_funds).fallback(list::unknown))
        .route("/_sim/notices", get(notices::list).fallback(list::unknown))
        .route("/_sim/notices/{number}", get(notices::one).fallback(list::unknown))
        .route("/_sim/notices/{number}/resend", post(notices::resend).fallback(list::unknown))
}

fn of_trouble() -> Router<Arc<Shared>> {
    let rules = get(trouble::list).put(trouble::replace).post(trouble::add).delete(trouble::clear);
    Router::new()
        .route("/_sim/trouble", rules.fallback(list::unknown))
        .route("/_sim/trouble/{name}", delete(trouble::remove).fallback(list::unknown))
}
