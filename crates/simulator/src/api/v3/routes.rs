//! APIv3's table of contents.

use std::sync::Arc;

use axum::Router;

use super::door::{Family, get, post};
use super::orders::{close, query_by_out_trade_no, query_by_transaction_id};
use super::{bills, certificates, combine, echo, prepay, refunds};
use crate::books::TradeType::{App, Jsapi, Mweb, Native};
use crate::simulator::Shared;

use super::orders::Mode::{Ordinary, Partner};

pub(in crate::api) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .merge(ordinary())
        .merge(partner())
        .merge(combining())
        .merge(refunding())
        .merge(billing())
        .merge(security())
}

fn ordinary() -> Router<Arc<Shared>> {
    let pay = Family::Transactions;
    Router::new()
        .route("/v3/pay/transactions/jsapi", post(pay, |d, a| prepay::place(d, a, Ordinary, Jsapi)))
        .route("/v3/pay/transactions/app", post(pay, |d, a| prepay::place(d, a, Ordinary, App)))
        .route("/v3/pay/transactions/h5", post(pay, |d, a| prepay::place(d, a, Ordinary, Mweb)))
        .route("/v3/pay/transactions/native", post(pay, |d, a| prepay::place(d, a, Ordinary, Native)))
        .route(
            "/v3/pay/transactions/out-trade-no/{out_trade_no}",
            get(pay, |d, a| query_by_out_trade_no(d, a, Ordinary)),
        )
        .route(
            "/v3/pay/transactions/id/{transaction_id}",
            get(pay, |d, a| query_by_transaction_id(d, a, Ordinary)),
        )
        .route(
            "/v3/pay/transactions/out-trade-no/{out_trade_no}/close",
            post(pay, |d, a| close(d, a, Ordinary)),
        )
}

fn partner() -> Router<Arc<Shared>> {
    let pay = Family::Transactions;
    Router::new()
        .route("/v3/pay/partner/transactions/jsapi", post(pay, |d, a| prepay::place(d, a, Partner, Jsapi)))
        .route("/v3/pay/partner/transactions/app", post(pay, |d, a| prepay::place(d, a, Partner, App)))
        .route("/v3/pay/partner/transactions/h5", post(pay, |d, a| prepay::place(d, a, Partner, Mweb)))
        .route("/v3/pay/partner/transactions/native", post(pay, |d, a| prepay::place(d, a, Partner, Native)))
        .route(
            "/v3/pay/partner/transactions/out-trade-no/{out_trade_no}",
            get(pay, |d, a| query_by_out_trade_no(d, a, Partner)),
        )
        .route(
            "/v3/pay/partner/transactions/id/{transaction_id}",
            get(pay, |d, a| query_by_transaction_id(d, a, Partner)),
        )
        .route(
            "/v3/pay/partner/transactions/out-trade-no/{out_trade_no}/close",
            post(pay, |d, a| close(d, a, Partner)),
        )
}

fn combining() -> Router<Arc<Shared>> {
    let pay = Family::Transactions;
    let number = "/v3/combine-transactions/out-trade-no/{combine_out_trade_no}";
    Router::new()
        .route("/v3/combine-transactions/jsapi", post(pay, |d, a| combine::place(d, a, Jsapi)))
        .route("/v3/combine-transactions/app", post(pay, |d, a| combine::place(d, a, App)))
        .route("/v3/combine-transactions/h5", post(pay, |d, a| combine::place(d, a, Mweb)))
        .route("/v3/combine-transactions/native", post(pay, |d, a| combine::place(d, a, Native)))
        .route(number, get(pay, combine::query_by_number))
        .route("/v3/combine-transactions/id/{combine_transaction_id}", get(pay, combine::query_by_id))
        .route(&format!("{number}/close"), post(pay, combine::close))
}

fn refunding() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v3/refund/domestic/refunds", post(Family::Others, refunds::apply))
        .route("/v3/refund/domestic/refunds/{out_refund_no}", get(Family::Others, refunds::query))
        .route(
            "/v3/refund/domestic/refunds/{out_refund_no}/apply-abnormal-refund",
            post(Family::Others, refunds::apply_abnormal),
        )
}

fn billing() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v3/bill/tradebill", get(Family::Others, bills::trade))
        .route("/v3/bill/fundflowbill", get(Family::Others, bills::fund_flow))
        .route("/v3/billdownload/file", get(Family::Others, bills::download))
}

fn security() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v3/certificates", get(Family::Others, certificates::list))
        .route("/v3/security/echo", post(Family::Others, echo::echo))
}
