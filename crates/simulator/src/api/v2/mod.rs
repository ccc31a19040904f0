//! APIv2: XML, signed both ways with a key that merchant and WeChat share.
//!
//! A request goes through the [`door`], reaches its endpoint, and is answered with fields that are signed, or with what is
//! wrong: in `return_msg`, unsigned, where the request itself is; in `err_code` where the books refuse it. The HTTP status
//! is 200 in any case. Refunds need the merchant's TLS certificate. Deliberately absent: code payment.

mod bills;
mod door;
mod error;
mod fields;
mod orders;
mod refunds;

use std::sync::Arc;

use axum::Router;

use self::door::{Access, call};
use crate::simulator::Shared;

pub(super) fn routes() -> Router<Arc<Shared>> {
    let open = Access::Open;
    Router::new()
        .route("/pay/unifiedorder", call(open, orders::place))
        .route("/pay/orderquery", call(open, orders::query))
        .route("/pay/closeorder", call(open, orders::close))
        .route("/secapi/pay/refund", call(Access::Certified, refunds::apply))
        .route("/pay/refundquery", call(open, refunds::query))
        .route("/pay/downloadbill", call(open, bills::download))
}
